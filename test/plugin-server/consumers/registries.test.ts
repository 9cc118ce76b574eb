// Clients of OCI registries pull from the plugin server, over plain HTTP and over TLS with an authority of one's own: each is
// tested where it is installed.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadArtifact } from '../../../plugin-server/index.ts';
import { modulesIn } from '../../../cli/import/sources.ts';
import { makeCertificate } from '../../live/certificates.ts';
import { type ToolName, realTool } from '../../real-tools.ts';
import { moduleWith } from '../modules.ts';
import { startServer } from '../support.ts';

vi.setConfig({ testTimeout: 90_000 });

const run = promisify(execFile);

interface Client {
  readonly name: ToolName;
  /** Copies `host/repository:tag` into the OCI layout `folder`. */
  readonly copy: (image: string, folder: string, host: string, plain: boolean) => readonly string[];
}

const clients: readonly Client[] = [
  {
    name: 'skopeo',
    copy: (image, folder, _, plain) => [
      ...['copy', `--src-tls-verify=${String(!plain)}`],
      ...[`docker://${image}`, `oci:${folder}:1.0.0`],
    ],
  },
  {
    name: 'crane',
    copy: (image, folder, _, plain) => ['pull', ...(plain ? ['--insecure'] : []), '--format', 'oci', image, folder],
  },
  {
    name: 'oras',
    copy: (image, folder, _, plain) => [
      ...['cp', `--from-plain-http=${String(plain)}`], // said both ways: for localhost it is on by itself
      ...[image, '--to-oci-layout', `${folder}:1.0.0`],
    ],
  },
  {
    name: 'regctl',
    copy: (image, folder, host, plain) => [
      ...(plain ? ['--host', `reg=${host},tls=disabled`] : []),
      ...['image', 'copy', image, `ocidir://${folder}:1.0.0`],
    ],
  },
];

/** podman keeps what it pulls in a store of its own, and `podman save` writes it as an archive. */
const { program: podmanProgram, isThere: hasPodman } = realTool('podman');

const artifact = loadArtifact('key-auth', '1.0.0', moduleWith('key-auth'));

describe.each(clients)('$name', ({ name, copy }) => {
  const { program, isThere } = realTool(name);
  describe.skipIf(!isThere)('where it is installed', () => {
    test.each([
      ['plain HTTP', true],
      ['TLS', false],
    ])('copies an image over %s, with the digest that it has here, and the module is in it', async (_, plain) => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-registry-'));
      onTestFinished(() => {
        rmSync(folder, { recursive: true });
      });
      const certificate = makeCertificate('localhost');
      const authority = join(folder, 'authority.pem');
      writeFileSync(authority, certificate.authority);
      const server = await startServer({ artifacts: [artifact], ...(!plain && { tls: certificate }) });
      const { port } = new URL(server.url);
      const host = `${plain ? '127.0.0.1' : 'localhost'}:${port}`;
      const layout = join(folder, 'layout');
      // Go's clients take the authorities of the machine from this file.
      const env = { ...process.env, HOME: folder, SSL_CERT_FILE: authority, NO_PROXY: '127.0.0.1,localhost' };
      await run(program, [...copy(`${host}/higress/key-auth:1.0.0`, layout, host, plain)], { env });

      const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
        manifests: readonly { readonly digest: string }[];
      };
      const images = await modulesIn(layout);
      expect(images.map(({ bytes }) => Buffer.compare(bytes, artifact.bytes))).toEqual([0]);
      const plainServer = await startServer({ artifacts: [artifact] });
      const manifest = await fetch(`${plainServer.url}/v2/key-auth/manifests/1.0.0`);
      expect(manifests[0]?.digest).toBe(manifest.headers.get('docker-content-digest'));
    });

    test('does not take it from a server whose authority it does not know', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-registry-'));
      onTestFinished(() => {
        rmSync(folder, { recursive: true });
      });
      const server = await startServer({ artifacts: [artifact], tls: makeCertificate('localhost') });
      const host = `localhost:${new URL(server.url).port}`;
      const env = { ...process.env, HOME: folder, NO_PROXY: '127.0.0.1,localhost' };
      const tried = run(program, [...copy(`${host}/key-auth:1.0.0`, join(folder, 'layout'), host, false)], {
        env,
        timeout: 60_000,
      });
      await expect(tried).rejects.toThrow();
    });
  });
});

describe.skipIf(!hasPodman)('podman, where it is installed', () => {
  /** A store, and settings, that are this test's own: the machine's are left alone. */
  function podmanIn(folder: string) {
    const settings = join(folder, 'storage.conf');
    writeFileSync(
      settings,
      `[storage]\ndriver = "vfs"\ngraphroot = "${join(folder, 'graph')}"\nrunroot = "${join(folder, 'run')}"\n`,
    );
    const policy = join(folder, 'policy.json');
    writeFileSync(policy, '{ "default": [{ "type": "insecureAcceptAnything" }] }');
    const env = {
      ...process.env,
      HOME: folder,
      XDG_RUNTIME_DIR: folder,
      CONTAINERS_STORAGE_CONF: settings,
      SSL_CERT_FILE: join(folder, 'authority.pem'),
      NO_PROXY: '127.0.0.1,localhost',
    };
    return {
      pull: (image: string, plain: boolean) =>
        run(podmanProgram, ['pull', `--signature-policy=${policy}`, `--tls-verify=${String(!plain)}`, image], {
          env,
          timeout: 60_000,
        }),
      save: (image: string, file: string) =>
        run(podmanProgram, ['save', `--signature-policy=${policy}`, '--format', 'oci-archive', '-o', file, image], {
          env,
        }),
    };
  }

  test.each([
    ['plain HTTP', true],
    ['TLS', false],
  ])('pulls an image over %s, and what it saves can be imported', async (_, plain) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-podman-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const certificate = makeCertificate('localhost');
    writeFileSync(join(folder, 'authority.pem'), certificate.authority);
    const server = await startServer({ artifacts: [artifact], ...(!plain && { tls: certificate }) });
    const image = `${plain ? '127.0.0.1' : 'localhost'}:${new URL(server.url).port}/higress/key-auth:1.0.0`;
    const podman = podmanIn(folder);
    await podman.pull(image, plain);
    const archive = join(folder, 'key-auth.tar');
    await podman.save(image, archive);
    const [found] = await modulesIn(archive);
    expect(found?.bytes.equals(artifact.bytes)).toBe(true);
    expect(found?.naming).toMatchObject({ name: 'key-auth', version: '1.0.0' });
  });

  test('does not pull from a server whose authority it does not know', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-podman-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    writeFileSync(join(folder, 'authority.pem'), makeCertificate('localhost').authority);
    const server = await startServer({ artifacts: [artifact], tls: makeCertificate('localhost') });
    const pulled = podmanIn(folder).pull(`localhost:${new URL(server.url).port}/key-auth:1.0.0`, false);
    await expect(pulled).rejects.toThrow(/x509|certificate/);
  });
});
