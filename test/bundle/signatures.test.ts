// Detached signatures: what openssl makes is taken, what Sluice makes it takes, and a policy that requires one holds at publish,
// at import, between peers and at load. What the real cosign takes and makes is in cosign.test.ts.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { version } from '../../common/home.ts';
import { privateKey, publicKey, signatureOf, signerOf } from '../../common/signature.ts';
import { ArtifactStore, PeerSync, Trust, loadArtifact, openStore } from '../../plugin-server/index.ts';
import { DiskStore } from '../../plugin-server/store/disk.ts';
import { endingAt } from '../plugin-server/ending.ts';
import { moduleWith } from '../plugin-server/modules.ts';
import { collectedLog, publishing, startServer, token } from '../plugin-server/support.ts';
import { bundleInto, errorOf, filesIn, folder, remove, runs, sluice } from './support.ts';

vi.setConfig({ testTimeout: 90_000 });

let work: string;
const at = (name: string): string => join(work, name);
const openssl = (...args: string[]) => runs('openssl', args, { cwd: work });

beforeAll(async () => {
  work = folder();
  await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ec.pem');
  await openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed.pem');
  await openssl('genpkey', '-algorithm', 'ed25519', '-out', 'other.pem');
  for (const name of ['ec', 'ed', 'other'])
    await openssl('pkey', '-in', `${name}.pem`, '-pubout', '-out', `${name}.pub`);
});

afterAll(() => {
  remove(work);
});

/** Signs a file as openssl does. */
async function opensslSignature(key: string, file: string): Promise<Buffer> {
  const signature = at(`${key}.out`);
  await (key === 'ec'
    ? openssl('dgst', '-sha256', '-sign', 'ec.pem', '-out', signature, file)
    : openssl('pkeyutl', '-sign', '-rawin', '-inkey', `${key}.pem`, '-in', file, '-out', signature));
  return readFileSync(signature);
}

async function opensslVerifies(key: string, file: string, signature: string): Promise<boolean> {
  const args =
    key === 'ec'
      ? ['dgst', '-sha256', '-verify', 'ec.pub', '-signature', signature, file]
      : ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', `${key}.pub`, '-in', file, '-sigfile', signature];
  return openssl(...args).then(
    () => true,
    () => false,
  );
}

const trusted = (...names: string[]) =>
  names.map((name) => publicKey(readFileSync(at(`${name}.pub`), 'utf8'), `${name}.pub`));

describe.each(['ec', 'ed'])('a key of openssl, %s', (key) => {
  test('what openssl signs is verified, and of other bytes it is not', async () => {
    const bytes = Buffer.from('some bytes');
    writeFileSync(at('bytes'), bytes);
    const signature = await opensslSignature(key, at('bytes'));
    expect(signerOf(bytes, signature, trusted('other', key))?.name).toBe(key);
    expect(signerOf(bytes, Buffer.from(`${signature.toString('base64')}\n`), trusted(key))?.name).toBe(key);
    expect(signerOf(Buffer.from('some byteS'), signature, trusted(key))).toBeUndefined();
    expect(signerOf(bytes, signature, trusted('other'))).toBeUndefined();
    for (const wrong of [Buffer.alloc(0), Buffer.from('no'), signature.subarray(0, 40), Buffer.alloc(64)]) {
      expect(signerOf(bytes, wrong, trusted(key))).toBeUndefined();
    }
  });

  test('what Sluice signs, openssl verifies', async () => {
    writeFileSync(at('mine'), 'my bytes');
    const signature = signatureOf(Buffer.from('my bytes'), privateKey(readFileSync(at(`${key}.pem`), 'utf8'), key));
    writeFileSync(at('mine.sig'), signature);
    expect(await opensslVerifies(key, at('mine'), at('mine.sig'))).toBe(true);
    writeFileSync(at('mine'), 'other bytes');
    expect(await opensslVerifies(key, at('mine'), at('mine.sig'))).toBe(false);
  });
});

describe('keys that are not taken', () => {
  const pem = (type: 'rsa' | 'ec', options: object): string =>
    (generateKeyPairSync as (type: string, options: object) => { publicKey: { export: (o: object) => string } })(
      type,
      options,
    ).publicKey.export({ type: 'spki', format: 'pem' });

  test.each([
    [
      'another curve',
      () => pem('ec', { namedCurve: 'secp384r1' }),
      'k.pub: this is a key for ec secp384r1; ECDSA on P-256 and Ed25519 are taken',
    ],
    ['RSA', () => pem('rsa', { modulusLength: 2048 }), 'k.pub: this is a key for rsa;'],
    [
      'a private one',
      () => readFileSync(at('ed.pem'), 'utf8'),
      'k.pub: this is a private key, which stays where things are signed',
    ],
    ['no key', () => 'nothing', 'k.pub: this is no key in PEM that can be read'],
  ])('%s', (_, key, message) => {
    expect(() => publicKey(key(), 'k.pub')).toThrow(message);
  });
});

describe('a bundle', () => {
  let bundle: string;

  beforeAll(async () => {
    ({ file: bundle } = await bundleInto(work, '--sign-key', at('ec.pem')));
  });

  const load = (...args: string[]) => {
    const into = folder();
    onTestFinished(() => {
      remove(into);
    });
    return sluice(['load', bundle, '--into', into, ...args]);
  };

  test('that Sluice signed is verified by openssl, and by Sluice, which says by whom', async () => {
    expect(await opensslVerifies('ec', bundle, `${bundle}.sig`)).toBe(true);
    const { code, events } = await load('--key', at('other.pub'), '--key', at('ec.pub'));
    expect(code).toBe(0);
    expect(events).toEqual([expect.objectContaining({ event: 'loaded', signedBy: 'ec' })]);
  });

  test('that openssl signed', async () => {
    writeFileSync(at('by-openssl.sig'), await opensslSignature('ed', bundle));
    const { code, events } = await load('--key', at('ed.pub'), '--signature', at('by-openssl.sig'));
    expect({ code, by: events[0]?.['signedBy'] }).toEqual({ code: 0, by: 'ed' });
  });

  test.each<[string, () => string[], string]>([
    ['another key', () => ['--key', at('other.pub')], 'was not signed with other'],
    [
      'no signature',
      () => ['--key', at('ec.pub'), '--signature', at('nothing.sig')],
      'has to be signed, and its signature cannot be read',
    ],
    ['another signature', () => ['--key', at('ec.pub'), '--signature', at('ec.pub')], 'was not signed with ec'],
  ])('is refused with %s', async (_, options, message) => {
    const told = await load(...options());
    expect(errorOf(told)).toContain(message);
    expect(told.code).toBe(1);
  });

  test('has to be signed where the environment has keys', async () => {
    const into = join(work, 'by-environment');
    const told = await sluice(['load', bundle, '--into', into], { SLUICE_TRUSTED_KEYS: at('other.pub') });
    expect(errorOf(told)).toContain('was not signed with other');
    expect(existsSync(into)).toBe(false);
    const both = { SLUICE_TRUSTED_KEYS: `${at('other.pub')}:${at('ec.pub')}` };
    expect((await sluice(['load', bundle, '--into', into], both)).code).toBe(0);
  });
});

const module = moduleWith('signed');

describe('a plugin server that requires signatures', () => {
  const trust = () => new Trust(() => trusted('ec', 'ed'));
  const serve = () => startServer({ artifacts: new ArtifactStore([]), publishing, trust: trust() });

  const put = async (url: string, headers: Record<string, string>, path = 'plugin.wasm', body = module) => {
    const response = await fetch(`${url}/plugins/signed/1.0.0/${path}`, {
      method: 'PUT',
      body,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    const answer = (await response.json()) as { signedBy?: string; error?: { code: string; message: string } };
    return { status: response.status, ...answer };
  };

  test('takes a module with its signature, and says who signed it', async () => {
    const server = await serve();
    writeFileSync(at('m.wasm'), module);
    writeFileSync(at('m.sig'), await opensslSignature('ed', at('m.wasm')));
    const args = ['--name', 'signed', '--version', '1.0.0', '--to', server.url, '--signature', at('m.sig')];
    const told = await sluice(['publish', at('m.wasm'), ...args], { SLUICE_PUBLISH_TOKEN: token });
    expect(told).toMatchObject({ code: 0, events: [{ event: 'published', created: true }] });
    const listed = (await (await fetch(`${server.url}/plugins/signed`)).json()) as { versions: object[] };
    expect(listed.versions[0]).toMatchObject({ signedBy: 'ed', signature: '/plugins/signed/1.0.0/plugin.wasm.sig' });
    const served = await fetch(`${server.url}/plugins/signed/1.0.0/plugin.wasm.sig`);
    expect(Buffer.from(await served.arrayBuffer())).toEqual(readFileSync(at('m.sig')));
  });

  test('refuses one without, with one of somebody else, and with one of other bytes; nothing of it is there', async () => {
    const server = await serve();
    writeFileSync(at('m.wasm'), module);
    const others = (await opensslSignature('other', at('m.wasm'))).toString('base64');
    writeFileSync(at('n.wasm'), moduleWith('not this one'));
    const ofOther = (await opensslSignature('ec', at('n.wasm'))).toString('base64');
    expect(await put(server.url, {})).toMatchObject({
      status: 422,
      error: { code: 'signature_required', message: expect.stringContaining('one by ec, ed is needed here') as string },
    });
    for (const signature of [others, ofOther]) {
      expect(await put(server.url, { 'sluice-signature': signature })).toMatchObject({
        status: 422,
        error: { code: 'signature_invalid' },
      });
    }
    expect(await put(server.url, { 'sluice-signature': 'no base64!' })).toMatchObject({ status: 400 });
    expect(await (await fetch(`${server.url}/plugins`)).json()).toEqual({ plugins: [] });
  });

  test('takes no signature afterwards that is not of one of the keys', async () => {
    const store = new ArtifactStore([loadArtifact('signed', '1.0.0', module)]);
    const server = await startServer({ artifacts: store, publishing, trust: trust() });
    const answer = await put(server.url, {}, 'plugin.wasm.sig', Buffer.from('anything'));
    expect(answer).toMatchObject({ status: 422, error: { code: 'signature_invalid' } });
  });

  test('takes from its peers what is signed, and nothing else', async () => {
    writeFileSync(at('m.wasm'), module);
    const theirs = new ArtifactStore([
      loadArtifact('signed', '1.0.0', module),
      loadArtifact('unsigned', '1.0.0', moduleWith('unsigned')),
    ]);
    await theirs.sign(theirs.get('signed', '1.0.0'), await opensslSignature('ec', at('m.wasm')));
    const { url } = await startServer({ artifacts: theirs });
    const ours = new ArtifactStore([]);
    const { log } = collectedLog();
    const peers = new PeerSync({ store: ours, peers: [url], log, interval: 50, trust: trust() });
    peers.start();
    onTestFinished(() => peers.stop());
    await vi.waitFor(() => {
      expect(ours.names()).toEqual(['signed']);
      expect(peers.states()[0]?.error).toContain('unsigned/1.0.0 comes without a signature');
    }, 20_000);
  });

  test('has no module on its disk without its signature, whenever it is killed', async () => {
    const signature = Buffer.from('its signature');
    const outcomes: boolean[] = [];
    for (let step = 0, ended = false; !ended; step++) {
      const data = folder();
      const store = new ArtifactStore([], new DiskStore(data));
      ended = await endingAt(step, data, async () => {
        await store.publish(loadArtifact('signed', '1.0.0', module), signature);
      });
      const { store: after, close } = await openStore(data, { log: collectedLog().log });
      close();
      const found = after.find({ name: 'signed', version: '1.0.0' });
      outcomes.push(found !== undefined);
      if (found !== undefined) expect(after.signature(found)).toEqual(signature);
      // Whoever was killed tries again, with another signature of the same bytes.
      else await after.publish(loadArtifact('signed', '1.0.0', module), Buffer.from('its second signature'));
      expect(after.signature(after.get('signed', '1.0.0'))).toBeDefined();
      remove(data);
    }
    expect(outcomes[0]).toBe(false);
    expect(outcomes.at(-1)).toBe(true);
  });

  test('names the option and the file where a key cannot be used', async () => {
    const told = await sluice(['serve', '--listen', '127.0.0.1:0', '--key', at('ed.pem')]);
    expect(told.code).toBe(3);
    expect(errorOf(told)).toContain('ed.pem: this is a private key');
  });
});

describe('sluice import --key', () => {
  const into = () => {
    const data = folder();
    onTestFinished(() => {
      remove(data);
    });
    return data;
  };

  test('takes a module that was signed, and its signature with it', async () => {
    const data = into();
    writeFileSync(at('signed-1.0.0.wasm'), module);
    writeFileSync(at('signed-1.0.0.wasm.sig'), await opensslSignature('ed', at('signed-1.0.0.wasm')));
    const told = await sluice(['import', at('signed-1.0.0.wasm'), '--into', data, '--key', at('ed.pub')]);
    expect(told).toMatchObject({ code: 0, events: [{ name: 'signed', version: '1.0.0' }] });
    expect(filesIn(data)).toContain('.store/plugins/signed/1.0.0.sig');
  });

  test('takes a bundle that was signed: its module', async () => {
    const { file } = await bundleInto(work, '--sign-key', at('ec.pem'));
    const told = await sluice(['import', file, '--into', into(), '--key', at('ec.pub')]);
    expect(told).toMatchObject({ code: 0, events: [{ name: 'sluice', version }] });
  });

  test.each<[string, () => string, string]>([
    ['a module without a signature', () => at('plain-1.0.0.wasm'), 'it has to be signed with ed, and there is no'],
    ['a module with a signature of something else', () => at('wrong-1.0.0.wasm'), 'it was not signed with ed'],
    ['a folder', () => work, 'a folder has no signature; import the archive that was signed'],
  ])('refuses %s', async (_, source, message) => {
    const data = into();
    for (const name of ['plain', 'wrong']) writeFileSync(at(`${name}-1.0.0.wasm`), module);
    writeFileSync(at('wrong-1.0.0.wasm.sig'), 'a signature of something else');
    const told = await sluice(['import', source(), '--into', data, '--key', at('ed.pub')]);
    expect(errorOf(told)).toContain(message);
    expect(told.code).toBe(1);
    expect(filesIn(data)).toEqual([]);
  });

  test('refuses a list that was not signed, and one of its archives that was not', async () => {
    const source = into();
    const list = join(source, 'plugins.properties');
    writeFileSync(list, 'key-auth=oci://registry.example.com/plugins/key-auth:1.0.0\n');
    writeFileSync(join(source, 'key-auth.wasm'), module);
    const data = into();
    const tried = () => sluice(['import', source, '--into', data, '--key', at('ed.pub')]);
    expect(errorOf(await tried())).toContain('plugins.properties: it has to be signed with ed');
    writeFileSync(`${list}.sig`, await opensslSignature('ed', list));
    expect(errorOf(await tried())).toContain('key-auth.wasm: it has to be signed with ed');
    writeFileSync(join(source, 'key-auth.wasm.sig'), await opensslSignature('ed', join(source, 'key-auth.wasm')));
    expect(await tried()).toMatchObject({ code: 0, events: [{ name: 'key-auth', version: '1.0.0' }] });
  });
});
