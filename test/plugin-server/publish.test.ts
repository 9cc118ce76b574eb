import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type PluginServerOptions,
  Tokens,
  createPluginServer,
  loadArtifact,
  openStore,
} from '../../plugin-server/index.ts';
import { clone, temporaryFolder } from '../launcher/support.ts';
import { type Answer, send } from './client.ts';
import { moduleWith, wasm } from './modules.ts';
import { collectedLog, publishing, startServer, token } from './support.ts';

const path = '/plugins/sluice/1.0.0/plugin.wasm';
const module = moduleWith('published');
const authorization = `Bearer ${token}`;

/** A server with a store on disk that takes publications. */
async function start(options: Partial<PluginServerOptions> = {}) {
  const data = temporaryFolder();
  const { store, close } = await openStore(data, { log: collectedLog().log });
  close();
  const { url } = await startServer({ artifacts: store, publishing, ...options });
  const put = (body: Buffer, headers: Record<string, string> = {}, to = path): Promise<Answer> =>
    send(url, to, { method: 'PUT', headers: { authorization, ...headers }, body });
  return { url, data, store, put };
}

function code({ body }: Answer): string | undefined {
  return (JSON.parse(body.toString()) as { error?: { code: string } }).error?.code;
}

/** What is in the store's folders, unfinished files included. */
async function onDisk(data: string): Promise<string[]> {
  const files = await readdir(join(data, '.store'), { recursive: true, withFileTypes: true }).catch(() => []);
  return files.filter((entry) => entry.isFile()).map(({ name }) => name);
}

function digestOf(bytes: Buffer, algorithm = 'sha256'): string {
  return createHash(algorithm).update(bytes).digest('base64');
}

async function tar(entries: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(entries)) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('publishing', () => {
  test('a new version is a 201, and served at once', async () => {
    const { url, put, data } = await start();
    const answer = await put(module);
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ location: path, 'cache-control': 'no-store' });
    const { sha256 } = loadArtifact('sluice', '1.0.0', module);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      name: 'sluice',
      version: '1.0.0',
      sha256,
      url: path,
      published: { by: 'ci', source: 'upload' },
    });
    const served = await send(url, path);
    expect(served.body).toEqual(module);
    expect(served.headers.etag).toBe(answer.headers.etag);
    expect((await onDisk(data)).sort()).toEqual([sha256, '1.0.0.json'].sort());
  });

  test('the same bytes again are a 200, other bytes a 409 that changes nothing', async () => {
    const { url, put } = await start();
    await put(module);
    expect((await put(module)).status).toBe(200);
    const answer = await put(moduleWith('other'));
    expect(answer.status).toBe(409);
    expect(code(answer)).toBe('conflict');
    expect((await send(url, path)).body).toEqual(module);
  });

  test('by several at the same time, one is created', async () => {
    const { url, put, store } = await start();
    const same = await Promise.all(Array.from({ length: 4 }, () => put(module)));
    expect(same.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    const other = '/plugins/sluice/2.0.0/plugin.wasm';
    const bodies = Array.from({ length: 4 }, (_, index) => moduleWith(`number ${index}`));
    const different = await Promise.all(bodies.map((body) => put(body, {}, other)));
    expect(different.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    const winner = bodies[different.findIndex(({ status }) => status === 201)];
    expect((await send(url, other)).body).toEqual(winner);
    expect(store.count).toBe(2);
  });

  test('a listing has it, under another tag', async () => {
    const { url, put } = await start();
    const before = await send(url, '/plugins');
    const headers = { 'if-none-match': before.headers.etag ?? '' };
    expect((await send(url, '/plugins', { headers })).status).toBe(304);
    await put(module);
    const after = await send(url, '/plugins', { headers });
    expect(after.status).toBe(200);
    expect(after.body.toString()).toContain(path);
  });

  test('a signature goes with a version that is there', async () => {
    const { url, put } = await start();
    const signature = `${path}.sig`;
    expect(code(await put(Buffer.from('signed'), {}, signature))).toBe('no_plugin');
    await put(module);
    expect(code(await send(url, signature))).toBe('unsigned');
    expect((await put(Buffer.from('signed'), {}, signature)).status).toBe(201);
    expect((await put(Buffer.from('signed'), {}, signature)).status).toBe(200);
    expect(code(await put(Buffer.from('other'), {}, signature))).toBe('signature_conflict');
    expect(code(await put(Buffer.alloc(65 * 1024), {}, signature))).toBe('too_large');
    expect((await send(url, signature)).body.toString()).toBe('signed');
    expect((await send(url, '/plugins')).body.toString()).toContain(`"signature":"${signature}"`);
  });
});

describe('who may', () => {
  test.each([
    ['nobody', {}, 'Bearer realm="sluice"'],
    [
      'another token',
      { authorization: 'Bearer another-token-of-theirs' },
      'Bearer realm="sluice", error="invalid_token"',
    ],
    ['a part of the token', { authorization: authorization.slice(0, -1) }, 'invalid_token'],
    ['another scheme', { authorization: `Basic ${token}` }, 'invalid_token'],
  ])('%s is a 401 that asks for a token', async (_who, headers, challenge) => {
    const { url, data } = await start();
    const answer = await send(url, path, { method: 'PUT', headers, body: module });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain(challenge);
    expect(code(answer)).toBe('unauthorized');
    expect(await onDisk(data)).toEqual([]);
  });

  test('a server without tokens takes nothing, and says why', async () => {
    const { put } = await start({ publishing: { off: 'it is a mirror' } });
    const answer = await put(module);
    expect(answer.status).toBe(403);
    expect(answer.body.toString()).toContain('it is a mirror');
  });

  test('the scheme may be written as one likes', async () => {
    const { put } = await start();
    expect((await put(module, { authorization: `bearer   ${token}` })).status).toBe(201);
  });
});

describe('what comes wrapped', () => {
  test.each([
    ['gzip', () => promisify(gzip)(module), 'upload of gzip'],
    ['a tar', () => tar({ 'plugin.wasm': module }), 'upload of tar'],
    [
      'a tar.gz',
      async () => gzipSync(await tar({ 'README.md': Buffer.from('text'), 'a/b.wasm': module })),
      'upload of gzip of tar',
    ],
    ['a tar with paths that lead out', () => tar({ '../../../etc/x.wasm': module }), 'upload of tar'],
    ['a gzip in a tar', () => tar({ 'plugin.wasm': gzipSync(module) }), 'upload of tar of gzip'],
  ])('as %s is unwrapped', async (_form, wrap, source) => {
    const { url, put, data } = await start();
    const answer = await put(await wrap());
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ published: { source } });
    expect((await send(url, path)).body).toEqual(module);
    expect(await readdir(data)).toEqual(['.store']);
  });

  const bomb = gzipSync(Buffer.alloc(3_000_000));
  test.each([
    ['a bomb', () => bomb, 413, 'too_large', 'unpacked, is larger than the limit of 1000000 bytes'],
    ['a bomb in a bomb', () => gzipSync(bomb), 413, 'too_large', 'unpacked'],
    [
      'four layers',
      () => [1, 2, 3, 4].reduce((inner) => gzipSync(inner), module),
      422,
      'not_wasm',
      'more than 3 times',
    ],
    ['half a gzip', () => gzipSync(module).subarray(0, 40), 422, 'not_wasm', 'cannot be unpacked'],
    ['a tar without a module', () => tar({ 'a.txt': module }), 422, 'not_wasm', 'with 0 files *.wasm'],
    ['a tar with two', () => tar({ 'a.wasm': module, 'b.wasm': module }), 422, 'not_wasm', 'with 2 files *.wasm'],
    [
      'half a tar',
      async () => (await tar({ 'a.wasm': module })).subarray(0, 530),
      422,
      'not_wasm',
      'cannot be unpacked',
    ],
  ])('%s is refused', async (_what, make, status, expected, message) => {
    const { put, data } = await start({ uploadLimit: 1_000_000 });
    const answer = await put(await make());
    expect([answer.status, code(answer)]).toEqual([status, expected]);
    expect(answer.body.toString()).toContain(message);
    expect(await onDisk(data)).toEqual([]);
  });
});

describe('what is no plugin', () => {
  const higress = wasm('proxy_abi_version_0_2_100');
  test.each([
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['text', Buffer.from('hello, this is text'), 'it begins with'],
    ['a component', Buffer.from('\0asm\x0d\0\x01\0', 'latin1'), 'it is a component'],
    ['a module without an ABI', wasm(''), 'it is no proxy-wasm plugin'],
    ['a module of another host', higress, 'it exports proxy_abi_version_0_2_100, Envoy knows'],
  ])('%s is a 422 with the reason', async (_what, body, reason) => {
    const { put, data } = await start();
    const answer = await put(body);
    expect(answer.status).toBe(422);
    expect(answer.body.toString()).toContain(reason);
    expect(await onDisk(data)).toEqual([]);
  });

  test('a module torn at any sixteenth is one, too', async () => {
    const { put, data } = await start();
    const shipped = readFileSync(join(clone, 'build/plugin.wasm'));
    for (let sixteenth = 1; sixteenth < 16; sixteenth++) {
      const answer = await put(shipped.subarray(0, Math.floor((shipped.length * sixteenth) / 16)));
      expect([answer.status, code(answer)]).toEqual([422, 'not_wasm']);
    }
    expect(await onDisk(data)).toEqual([]);
    // Which is one that Envoy loads.
    expect((await put(shipped, {}, `${path}?strict`)).status).toBe(201);
  });

  const lacking = wasm('proxy_abi_version_0_2_1', [
    { module: 'env', name: 'proxy_log', parameters: 3 },
    { module: 'env', name: 'proxy_log', parameters: 4 },
    { module: 'env', name: 'proxy_redis_call', parameters: 5 },
  ]);

  test('imports that a stock Envoy lacks are labelled, and refused where that is asked for', async () => {
    const { url, put } = await start();
    const strict = await put(lacking, {}, `${path}?strict`);
    expect([strict.status, code(strict)]).toEqual([422, 'not_for_envoy']);
    expect(strict.body.toString()).toContain('import type mismatch: env.proxy_log');
    expect((await put(lacking, {}, `${path}?strict=false`)).status).toBe(201);
    const metadata = await send(url, '/plugins/sluice/1.0.0/metadata.json');
    expect(JSON.parse(metadata.body.toString())).toMatchObject({
      imports: [
        { module: 'env', name: 'proxy_log', kind: 'function', type: 'i32 i32 i32 -> i32', host: 'envoy' },
        { name: 'proxy_log', host: 'other type' },
        { name: 'proxy_redis_call', host: 'missing' },
      ],
    });
  });
});

describe('digests that are sent along (RFC 9530)', () => {
  const wrong = digestOf(Buffer.from('other'));
  test.each([
    ['content-digest', `sha-256=:${digestOf(module)}:`, 201],
    ['repr-digest', `sha-512=:${digestOf(module, 'sha512')}:`, 201],
    ['repr-digest', `md5=:AAAA:, sha-256=:${digestOf(module)}:`, 201],
    ['content-digest', `sha-256=:${wrong}:`, 400],
    ['repr-digest', `sha-256=:${digestOf(module)}:, sha-512=:${wrong}:`, 400],
    ['content-digest', `sha-256=${digestOf(module)}`, 400],
    ['content-digest', 'sha-256="text"', 400],
  ])('%s: %s is a %d', async (field, value, status) => {
    const { put, data } = await start();
    expect((await put(module, { [field]: value })).status).toBe(status);
    expect((await onDisk(data)).length).toBe(status === 201 ? 2 : 0);
  });
});

describe('what is not taken', () => {
  test.each([
    ['a form', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['a coding', { 'content-encoding': 'br' }],
  ])('%s is a 415', async (_what, headers) => {
    const { put } = await start();
    const answer = await put(module, headers);
    expect([answer.status, code(answer)]).toEqual([415, 'unsupported_type']);
  });

  test.each([
    ['/plugins/Sluice/1.0.0/plugin.wasm', 400, 'invalid_name'],
    ['/plugins/sluice/latest/plugin.wasm', 400, 'invalid_version'],
    ['/plugins/sluice/^1/plugin.wasm', 400, 'invalid_version'],
    ['/plugins/sluice/v1.0.0/plugin.wasm', 400, 'invalid_version'],
    ['/plugins/sluice/1.0.0%2b%0a/plugin.wasm', 400, 'invalid_version'],
    ['/plugins/%2e%2e/1.0.0/plugin.wasm', 400, 'invalid_name'],
    ['/plugins/..%2f..%2fetc/1.0.0/plugin.wasm', 400, 'invalid_name'],
    ['/plugins/sluice/..%2f1.0.0/plugin.wasm', 400, 'invalid_version'],
    ['/plugins/sluice%00/1.0.0/plugin.wasm', 400, 'invalid_name'],
    ['/plugins/%c0%ae%c0%ae/1.0.0/plugin.wasm', 400, 'bad_request'],
    ['/plugins/slu%C4%B1ce/1.0.0/plugin.wasm', 400, 'invalid_name'],
    ['/plugins/.store/1.0.0/plugin.wasm', 400, 'invalid_name'],
    [`/plugins/${'a'.repeat(129)}/1.0.0/plugin.wasm`, 414, 'path_too_long'],
    ['/plugins/sluice/1.0.0/../2.0.0/plugin.wasm', 404, 'not_found'],
  ])('%s', async (to, status, expected) => {
    const { put, data } = await start();
    const answer = await put(module, {}, to);
    expect([answer.status, code(answer)]).toEqual([status, expected]);
    expect(await readdir(data)).toEqual([]);
  });
});

describe('uploads', () => {
  /** Begins an upload and lets the test go on with it. */
  function begin(
    url: string,
    headers: Record<string, string | number>,
  ): { outgoing: ClientRequest; answer: Promise<number> } {
    const outgoing = request(url + path, { method: 'PUT', headers: { authorization, ...headers }, agent: false });
    const answer = new Promise<number>((resolve, reject) => {
      outgoing.on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on('error', reject);
    });
    return { outgoing, answer };
  }

  test('that stop half-way leave nothing', async () => {
    const { url, data, put } = await start();
    const { outgoing, answer } = begin(url, { 'content-length': module.length });
    outgoing.write(module.subarray(0, 30));
    await vi.waitFor(async () => {
      expect((await send(url, '/healthz')).status).toBe(200);
    });
    outgoing.destroy();
    await expect(answer).rejects.toThrow();
    // The connection's end has reached the server when it counts the upload as refused.
    await vi.waitFor(async () => {
      const metrics = (await send(url, '/metrics')).body.toString();
      expect(metrics).toContain('sluice_publishes_total{result="bad_request"} 1');
    });
    expect(await onDisk(data)).toEqual([]);
    expect((await put(module)).status).toBe(201);
  });

  test('that go on for ever without a byte are ended, and leave nothing', async () => {
    const data = temporaryFolder();
    const { store, close } = await openStore(data, { log: collectedLog().log });
    close();
    const app = createPluginServer({ artifacts: store, publishing });
    app.server.setTimeout(100); // instead of a minute
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => app.close());
    const { outgoing, answer } = begin(url, { 'content-length': module.length });
    outgoing.write(module.subarray(0, 30));
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(store.count).toBe(0);
    expect(await onDisk(data)).toEqual([]);
  });

  test('that are too large are refused before they are sent, where the client asks', async () => {
    const { url } = await start({ uploadLimit: 1000 });
    const { outgoing, answer } = begin(url, { 'content-length': 1001, expect: '100-continue' });
    outgoing.flushHeaders();
    let continued = false;
    outgoing.on('continue', () => (continued = true));
    expect(await answer).toBe(413);
    expect(continued).toBe(false);
    outgoing.destroy();
  });

  test('without a right to it are refused before they are sent, too', async () => {
    const { url } = await start();
    const { outgoing, answer } = begin(url, { authorization: 'Bearer x', 'content-length': 9, expect: '100-continue' });
    outgoing.flushHeaders();
    expect(await answer).toBe(401);
    outgoing.destroy();
  });

  test('that wait for a word are told to go on', async () => {
    const { url } = await start();
    const { outgoing, answer } = begin(url, { 'content-length': module.length, expect: '100-continue' });
    outgoing.on('continue', () => outgoing.end(module));
    outgoing.flushHeaders();
    expect(await answer).toBe(201);
  });

  test('without a length are cut off at the limit', async () => {
    const { url, data } = await start({ uploadLimit: 100_000 });
    const { outgoing, answer } = begin(url, { 'transfer-encoding': 'chunked' });
    outgoing.end(Buffer.alloc(1_000_000));
    expect(await answer).toBe(413);
    expect(await onDisk(data)).toEqual([]);
  });

  /** Announced, and begun where there are bytes; nothing more comes. */
  async function stalled(url: string, token: string, bytes = 0): Promise<{ readonly status: Promise<number> }> {
    const headers = { authorization: `Bearer ${token}`, 'content-length': 100_000, expect: '100-continue' };
    const { outgoing, answer } = begin(url, headers);
    const continued = new Promise((resolve) => outgoing.once('continue', resolve));
    outgoing.flushHeaders();
    await continued;
    if (bytes > 0) outgoing.write(Buffer.alloc(bytes));
    return { status: answer };
  }

  const [slowToken, quickToken] = ['slow-0123456789abcdef', 'quick-0123456789abcdef'];
  const two = { tokens: () => Tokens.parse(`slow ${slowToken}\nquick ${quickToken}\n`, 'test') };

  test('that stall keep no other publisher waiting, and are ended', async () => {
    const { url, put, data } = await start({ publishing: two, uploads: { silence: 1_500 } });
    const begun = await Promise.all(Array.from({ length: 4 }, () => stalled(url, slowToken)));
    const own = await put(module, { authorization: `Bearer ${slowToken}` });
    expect([own.status, code(own)]).toEqual([503, 'busy']);
    expect((await put(module, { authorization: `Bearer ${quickToken}` })).status).toBe(201);
    expect(await Promise.all(begun.map(({ status }) => status))).toEqual([408, 408, 408, 408]);
    expect((await put(module, { authorization: `Bearer ${slowToken}` })).status).toBe(200);
    expect(await onDisk(data)).toHaveLength(2);
  });

  test('that stall give their memory to the next one', async () => {
    const { url, put } = await start({ publishing: two, uploads: { heldBytes: 100_000, silence: 60_000 } });
    const { status } = await stalled(url, slowToken, 99_990);
    await vi.waitFor(
      async () => {
        expect((await put(module, { authorization: `Bearer ${quickToken}` })).status).toBe(201);
        expect(await status).toBe(503); // in the first try that there was no room for
      },
      { timeout: 10_000 },
    );
  });

  test('too many at a time are asked to come again', async () => {
    const { url, put } = await start();
    const begun = Array.from({ length: 4 }, () =>
      begin(url, { 'content-length': module.length, expect: '100-continue' }),
    );
    await Promise.all(
      begun.map(({ outgoing }) => {
        const continued = new Promise((resolve) => outgoing.once('continue', resolve));
        outgoing.flushHeaders();
        return continued;
      }),
    );
    const answer = await put(module);
    expect([answer.status, code(answer), answer.headers['retry-after']]).toEqual([503, 'busy', '1']);
    for (const { outgoing } of begun) outgoing.end(module);
    expect((await Promise.all(begun.map((each) => each.answer))).sort()).toEqual([200, 200, 200, 201]);
  });
});
