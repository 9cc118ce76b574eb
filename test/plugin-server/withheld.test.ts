// With keys, what lies in the data directory is given out only if one of them signed it.
import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { publicKey } from '../../common/signature.ts';
import { Trust, loadArtifact, openStore } from '../../plugin-server/index.ts';
import { sluice } from '../bundle/support.ts';
import { temporaryFolder } from '../launcher/support.ts';
import { send } from './client.ts';
import { moduleWith } from './modules.ts';
import { collectedLog, publishing, startServer, token, writeTo } from './support.ts';

const ours = generateKeyPairSync('ed25519');
const foreign = generateKeyPairSync('ed25519');
const trusted = ({ publicKey: key }: { publicKey: KeyObject }, name: string) =>
  publicKey(String(key.export({ type: 'spki', format: 'pem' })), name);

/** `well` is signed by us, `bare` by nobody, `other` by another key, `moved` has the signature of other bytes. */
async function serving() {
  const data = temporaryFolder();
  const put = async (name: string, signature?: Buffer): Promise<Buffer> => {
    const module = moduleWith(name);
    await writeTo(join(data, name, '1.0.0/plugin.wasm'), module);
    if (signature !== undefined) await writeTo(join(data, name, '1.0.0/plugin.wasm.sig'), signature);
    return module;
  };
  await put('well', sign(null, moduleWith('well'), ours.privateKey));
  await put('bare');
  await put('other', sign(null, moduleWith('other'), foreign.privateKey));
  await put('moved', sign(null, moduleWith('well'), ours.privateKey));
  let keys = [trusted(ours, 'ci.pub')];
  const trust = new Trust(() => keys);
  const { log, lines } = collectedLog();
  const opened = await openStore(data, { log, policy: trust, interval: 3_600_000 });
  onTestFinished(opened.close);
  const { url } = await startServer({ artifacts: opened.store, trust, publishing });
  const get = async (path: string) => {
    const { status, body } = await send(url, path);
    return { status, text: body.toString() };
  };
  const use = (next: typeof keys): void => void (keys = next);
  return { data, opened, lines, url, get, use };
}

const listing = (text: string) =>
  JSON.parse(text) as {
    plugins: { name: string }[];
    withheld?: { name: string; version: string; code: string; reason: string }[];
  };

test('what has no signature, or a false one, is not given out, and log, listing and readiness say why', async () => {
  const { get, lines } = await serving();
  const { plugins, withheld } = listing((await get('/plugins')).text);
  expect(plugins.map(({ name }) => name)).toEqual(['well']);
  const needed =
    'and one by ci is needed here; put its signature beside it, as plugin.wasm.sig, or publish both with sluice publish --signature FILE';
  const foreignKey = 'its signature was made by another key, or is one of other bytes';
  const reasons = [
    ['bare', `bare/1.0.0 is not given out: it has no signature, ${needed}`],
    ['moved', `moved/1.0.0 is not given out: ${foreignKey}, ${needed}`],
    ['other', `other/1.0.0 is not given out: ${foreignKey}, ${needed}`],
  ] as const;
  expect(withheld?.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
    reasons.map(([name, reason]) => ({ name, version: '1.0.0', code: 'withheld', reason })),
  );
  expect(lines.sort()).toEqual(reasons.map(([, reason]) => `error: ${reason}`));
  const { store } = JSON.parse((await get('/readyz')).text) as { store: { versions: number; withheld: string[] } };
  expect([store.versions, store.withheld.sort()]).toEqual([1, reasons.map(([, reason]) => reason)]);
  expect((await get('/metrics')).text).toContain('\nsluice_withheld_versions 3\n');

  for (const path of ['plugin.wasm', 'plugin.tar', 'metadata.json', 'plugin.wasm.sig']) {
    expect((await get(`/plugins/bare/1.0.0/${path}`)).status).toBe(503);
  }
  for (const path of ['/plugins/bare', '/plugins/bare/latest/plugin.wasm']) expect((await get(path)).status).toBe(503);
  for (const path of ['/v2/bare/manifests/1.0.0', '/v2/other/tags/list']) expect((await get(path)).status).toBe(503);
  expect((await get('/plugins/well/1.0.0/plugin.wasm')).status).toBe(200);
});

test('it is given out once it is signed, on disk or over HTTP', async () => {
  const { data, opened, get, url } = await serving();
  const signature = sign(null, moduleWith('bare'), ours.privateKey);
  const put = (body: Buffer) =>
    send(url, '/plugins/bare/1.0.0/plugin.wasm.sig', {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body,
    });
  expect((await put(sign(null, moduleWith('bare'), foreign.privateKey))).status).toBe(422);
  expect((await put(signature)).status).toBe(201);
  expect((await get('/plugins/bare/1.0.0/plugin.wasm')).status).toBe(200);
  const late = moduleWith('late');
  await writeTo(join(data, 'late/1.0.0/plugin.wasm'), late);
  await opened.refresh();
  expect((await get('/plugins/late/1.0.0/plugin.wasm')).status).toBe(503);
  await writeTo(join(data, 'late/1.0.0/plugin.wasm.sig'), sign(null, late, foreign.privateKey));
  await opened.refresh();
  expect((await get('/plugins/late/1.0.0/plugin.wasm')).status).toBe(503);
  await writeTo(join(data, 'late/1.0.0/plugin.wasm.sig'), sign(null, late, ours.privateKey));
  await opened.refresh();
  expect((await get('/plugins/late/1.0.0/plugin.wasm')).status).toBe(200);
});

test('other keys are in force at once', async () => {
  const { opened, get, use } = await serving();
  const before = opened.store.generation;
  use([trusted(foreign, 'new.pub')]);
  expect(opened.store.generation).not.toBe(before);
  expect((await get('/plugins/well/1.0.0/plugin.wasm')).status).toBe(503);
  expect((await get('/plugins/other/1.0.0/plugin.wasm')).status).toBe(200);
  use([]);
  const { plugins, withheld } = listing((await get('/plugins')).text);
  expect([plugins.length, withheld]).toEqual([4, undefined]);
});

describe('a version that was published with a false signature', () => {
  const module = moduleWith('published');
  const published = loadArtifact('published', '1.0.0', module);
  const foreignOne = sign(null, module, foreign.privateKey);
  const second = generateKeyPairSync('ed25519');

  async function opened(data: string, ...keys: ReturnType<typeof trusted>[]) {
    const trust = new Trust(() => keys);
    const it = await openStore(data, { log: collectedLog().log, policy: trust, interval: 3_600_000 });
    onTestFinished(it.close);
    return { ...it, trust };
  }

  /** A server with keys over a directory that had the version before it had keys. */
  async function withheldOn(...keys: ReturnType<typeof trusted>[]) {
    const data = temporaryFolder();
    await (await opened(data)).store.publish(published, foreignOne);
    const { store, trust } = await opened(data, ...keys);
    const { url } = await startServer({ artifacts: store, trust, publishing });
    const put = async (body: Buffer) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await send(url, '/plugins/published/1.0.0/plugin.wasm.sig', { method: 'PUT', headers, body });
      const { error } = JSON.parse(answer.body.toString()) as { error?: { code: string } };
      return { status: answer.status, code: error?.code };
    };
    return { data, url, put };
  }

  test('is signed anew by publishing, and stays so', async () => {
    const { data, url, put } = await withheldOn(trusted(ours, 'ci.pub'), trusted(second, 'second.pub'));
    const replica = await opened(data, trusted(ours, 'ci.pub'));
    expect((await send(url, '/plugins/published/1.0.0/plugin.wasm')).status).toBe(503);
    expect(await put(sign(null, module, generateKeyPairSync('ed25519').privateKey))).toMatchObject({
      status: 422,
      code: 'signature_invalid',
    });
    expect(await put(sign(null, module, ours.privateKey))).toMatchObject({ status: 201 });
    const served = await send(url, '/plugins/published/1.0.0/plugin.wasm.sig');
    expect(served.body).toEqual(sign(null, module, ours.privateKey));
    expect((await send(url, '/plugins/published/1.0.0/plugin.wasm')).status).toBe(200);

    // One that a key of ours made is never replaced, not even by another one that is right.
    expect(await put(sign(null, module, second.privateKey))).toEqual({ status: 409, code: 'signature_conflict' });
    expect(await put(sign(null, module, ours.privateKey))).toMatchObject({ status: 200 });

    expect(replica.store.find(published)).toBeUndefined();
    await replica.refresh();
    expect(replica.store.find(published)).toBeDefined();
    expect((await opened(data, trusted(ours, 'ci.pub'))).store.withheld).toEqual([]);
  });

  test('is not signed anew where the server has no key that could tell', async () => {
    const { put } = await withheldOn();
    expect(await put(sign(null, module, ours.privateKey))).toEqual({ status: 409, code: 'signature_conflict' });
  });

  test('is signed anew by a server that does not know yet that it is there', async () => {
    const data = temporaryFolder();
    const { store } = await opened(data, trusted(ours, 'ci.pub'));
    await (await opened(data)).store.publish(published, foreignOne);
    const signature = sign(null, module, ours.privateKey);
    expect(await store.publish(published, signature)).toBe('unchanged');
    const again = await opened(data, trusted(ours, 'ci.pub'));
    expect(again.store.signature(again.store.get('published', '1.0.0'))).toEqual(signature);
  });

  test('is signed anew by sluice publish and by sluice import', async () => {
    const files = temporaryFolder();
    const wasm = await writeTo(join(files, 'published-1.0.0.wasm'), module);
    const sig = await writeTo(`${wasm}.sig`, sign(null, module, ours.privateKey));
    const key = await writeTo(join(files, 'ci.pub'), String(ours.publicKey.export({ type: 'spki', format: 'pem' })));
    const { data, url } = await withheldOn(trusted(ours, 'ci.pub'));
    const args = ['--name', 'published', '--version', '1.0.0', '--to', url, '--signature', sig];
    expect((await sluice(['publish', wasm, ...args], { SLUICE_PUBLISH_TOKEN: token })).code).toBe(0);
    expect((await send(url, '/plugins/published/1.0.0/plugin.wasm')).status).toBe(200);
    expect((await opened(data, trusted(ours, 'ci.pub'))).store.withheld).toEqual([]);

    const other = (await withheldOn()).data;
    expect((await sluice(['import', wasm, '--into', other, '--key', key])).code).toBe(0);
    expect((await opened(other, trusted(ours, 'ci.pub'))).store.withheld).toEqual([]);
  });
});
