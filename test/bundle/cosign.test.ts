// The real cosign verifies what Sluice signs and serves, and Sluice what cosign signs: with a key alone, as behind an air gap.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ArtifactStore, loadArtifact } from '../../plugin-server/index.ts';
import { moduleWith } from '../plugin-server/modules.ts';
import { publishing, startServer, token } from '../plugin-server/support.ts';
import { realTool } from '../real-tools.ts';
import { bundleInto, folder, remove, runs, sluice } from './support.ts';

vi.setConfig({ testTimeout: 90_000 });

const { program, isThere } = realTool('cosign');

describe.skipIf(!isThere)('cosign', () => {
  let work: string;
  let bundle: string;
  const at = (name: string): string => join(work, name);
  const openssl = (...args: string[]) => runs('openssl', args, { cwd: work });
  // What cosign asks of Sigstore goes to a proxy that is not there; it never asks one for a registry on this machine.
  const cosign = (...args: string[]) =>
    runs(program, args, {
      cwd: work,
      env: { PATH: process.env['PATH'], HOME: work, COSIGN_PASSWORD: 'x', HTTPS_PROXY: 'http://127.0.0.1:9' },
    });

  beforeAll(async () => {
    work = folder();
    await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ec.pem');
    await openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed.pem');
    for (const name of ['ec', 'ed']) await openssl('pkey', '-in', `${name}.pem`, '-pubout', '-out', `${name}.pub`);
    ({ file: bundle } = await bundleInto(work));
  });

  afterAll(() => {
    remove(work);
  });

  /** Signs a file as docs/plugin-server.md does. */
  async function sign(key: string, file: string, signature: string): Promise<void> {
    await (key === 'ec'
      ? openssl('dgst', '-sha256', '-sign', 'ec.pem', '-out', signature, file)
      : openssl('pkeyutl', '-sign', '-rawin', '-inkey', `${key}.pem`, '-in', file, '-out', signature));
  }

  const verifyBlob = (key: string, signature: string, file: string) =>
    cosign('verify-blob', '--key', `${key}.pub`, '--signature', signature, '--insecure-ignore-tlog', file);

  describe.each([
    ['ec', 'ed'],
    ['ed', 'ec'],
  ])('with a key %s', (key, other) => {
    test('verifies a bundle that Sluice signed, and no other bytes, and not by another key', async () => {
      const { file } = await bundleInto(work, '--sign-key', at(`${key}.pem`));
      expect((await verifyBlob(key, `${file}.sig`, file)).stderr).toContain('Verified OK');
      await expect(verifyBlob(other, `${file}.sig`, file)).rejects.toThrow(
        /invalid signature|failed to verify signature/,
      );
      writeFileSync(at('changed'), Buffer.concat([readFileSync(file), Buffer.from(' ')]));
      await expect(verifyBlob(key, `${file}.sig`, at('changed'))).rejects.toThrow(
        /invalid signature|failed to verify signature/,
      );
    });

    test('verifies the signature of a module that was published with it', async () => {
      const { url } = await startServer({ artifacts: new ArtifactStore([]), publishing });
      writeFileSync(at('m.wasm'), moduleWith('signed'));
      await sign(key, 'm.wasm', 'm.sig');
      const args = ['--name', 'signed', '--version', '1.0.0', '--to', url, '--signature', at('m.sig')];
      expect((await sluice(['publish', at('m.wasm'), ...args], { SLUICE_PUBLISH_TOKEN: token })).code).toBe(0);
      for (const name of ['plugin.wasm', 'plugin.wasm.sig']) {
        const answer = await fetch(`${url}/plugins/signed/1.0.0/${name}`);
        writeFileSync(at(name), Buffer.from(await answer.arrayBuffer()));
      }
      expect((await verifyBlob(key, 'plugin.wasm.sig', 'plugin.wasm')).stderr).toContain('Verified OK');
    });

    test('verifies an image with a signature that lies beside, and no other image', async () => {
      const artifacts = ['1.0.0', '2.0.0'].map((version) => loadArtifact('signed', version, moduleWith(version)));
      const host = new URL((await startServer({ artifacts })).url).host;
      const { stdout: payload } = await cosign('generate', '--allow-http-registry', `${host}/signed:1.0.0`);
      writeFileSync(at('image.json'), payload);
      await sign(key, 'image.json', 'image.sig');
      writeFileSync(at('image.json.sig'), readFileSync(at('image.sig')).toString('base64'));
      const verify = (by: string, version: string) =>
        cosign(
          ...['verify', '--key', `${by}.pub`, '--payload', 'image.json', '--signature', 'image.json.sig'],
          ...['--insecure-ignore-tlog', '--allow-http-registry', `${host}/signed:${version}`],
        );
      expect((await verify(key, '1.0.0')).stderr).toContain(
        'The signatures were verified against the specified public key',
      );
      await expect(verify(other, '1.0.0')).rejects.toThrow(/invalid signature|failed to verify signature/);
      await expect(verify(key, '2.0.0')).rejects.toThrow(/digest/);
    });
  });

  test('signs a bundle with a key of its own, and Sluice takes it', async () => {
    await cosign('generate-key-pair');
    const offline = ['--use-signing-config=false', '--new-bundle-format=false', '--tlog-upload=false'];
    const options = ['--yes', '--key', 'cosign.key', ...offline, '--output-signature', 'c.sig'];
    await cosign('sign-blob', ...options, bundle);
    const told = await sluice([
      'load',
      bundle,
      '--into',
      at('in'),
      '--key',
      at('cosign.pub'),
      '--signature',
      at('c.sig'),
    ]);
    expect({ code: told.code, by: told.events[0]?.['signedBy'] }).toEqual({ code: 0, by: 'cosign' });
  });
});
