// `sluice bundle --envoy`: an Envoy comes along, `DIR/sluice start` runs it, and func-e gets it from the plugin server.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, describe, onTestFinished, test, vi } from 'vitest';
import { ArtifactStore, loadArtifact } from '../../plugin-server/index.ts';
import { describeWithEnvoy, envoyBinary } from '../launcher/support.ts';
import { moduleWith } from '../plugin-server/modules.ts';
import { startServer } from '../plugin-server/support.ts';
import { realTool } from '../real-tools.ts';
import { bundleInto, folder, pathWithNodeOnly, remove, runs, sluice } from './support.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const { program: funcEProgram, isThere: hasFuncE } = realTool('func-e');

interface Versions {
  readonly versions: Readonly<
    Record<string, { readonly releaseDate: string; readonly tarballs: Record<string, string> }>
  >;
  readonly sha256sums: Readonly<Record<string, string>>;
}

describe('a plugin server with Envoys', () => {
  // Sizes around the blocks of gzip and tar: each ends in another way.
  test.each([0, 1, 511, 512, 65_535, 65_536, 196_605 - 1536, 196_605, 3_000_000])(
    'gives out a program of %i bytes as an archive that gzip and tar read, with the digest that it promised',
    async (size) => {
      const work = folder();
      onTestFinished(() => {
        remove(work);
      });
      const file = join(work, 'program');
      const program = Buffer.alloc(size, 'an Envoy, for this test; ');
      writeFileSync(file, program);
      const envoys = [{ version: '1.40.0', os: 'linux', arch: 'x64', file }];
      const { url } = await startServer({ artifacts: new ArtifactStore([]), envoys });
      const { versions, sha256sums } = (await (await fetch(`${url}/envoy/versions.json`)).json()) as Versions;
      const name = 'envoy-v1.40.0-linux-amd64.tar.gz';
      expect(Object.keys(versions)).toEqual(['1.40.0']);
      expect(versions['1.40.0']?.tarballs).toEqual({ 'linux/amd64': `${url}/envoy/${name}` });
      expect(versions['1.40.0']?.releaseDate).toMatch(/^\d{4}-\d\d-\d\d$/);
      const answer = await fetch(`${url}/envoy/${name}`);
      const archive = Buffer.from(await answer.arrayBuffer());
      expect(answer.headers.get('content-length')).toBe(String(archive.length));
      expect(createHash('sha256').update(archive).digest('hex')).toBe(sha256sums[name]);
      writeFileSync(join(work, name), archive);
      await runs('gzip', ['--test', join(work, name)]);
      await runs('tar', ['-xzf', join(work, name), '-C', work]);
      expect(readFileSync(join(work, 'envoy-v1.40.0-linux-amd64/bin/envoy')).equals(program)).toBe(true);
      const head = await fetch(`${url}/envoy/${name}`, { method: 'HEAD' });
      expect(head.headers.get('content-length')).toBe(String(archive.length));
    },
  );

  test('says what is not there', async () => {
    const code = async (url: string): Promise<string> =>
      ((await (await fetch(url)).json()) as { error: { code: string } }).error.code;
    const artifacts = new ArtifactStore([loadArtifact('a', '1.0.0', moduleWith('a'))]);
    const without = await startServer({ artifacts });
    expect(await code(`${without.url}/envoy/versions.json`)).toBe('no_envoy');
    expect(await code(`${without.url}/envoy/envoy-v1.40.0-linux-amd64.tar.gz`)).toBe('no_envoy');
    const envoys = [{ version: '1.40.0', os: 'linux', arch: 'arm64', file: '/nonexistent' }];
    const { url } = await startServer({ artifacts, envoys });
    expect(await code(`${url}/envoy/envoy-v1.39.0-linux-arm64.tar.gz`)).toBe('unknown_envoy');
    expect(await code(`${url}/envoy/versions.json`)).toBe('internal');
  });
});

describeWithEnvoy('a bundle with an Envoy', () => {
  let work: string;
  let loaded: string;
  let version: string;

  beforeAll(async () => {
    work = folder();
    loaded = join(work, 'sluice');
    const { file, sha256 } = await bundleInto(work, '--envoy', envoyBinary());
    const told = await sluice(['load', file, '--into', loaded, '--sha256', sha256]);
    expect(told.code).toBe(0);
    [version = ''] = readdirSync(join(loaded, 'engines'));
    expect(told.events.at(-1)).toMatchObject({ event: 'loaded', envoys: [version] });
  });

  afterAll(() => {
    remove(work);
  });

  /** Runs `DIR/sluice` where there is Node and no npm, and gives its first event. */
  async function run(...args: string[]): Promise<Record<string, unknown>> {
    const bin = join(work, `bin-${Math.random()}`);
    mkdirSync(bin);
    const child = spawn(join(loaded, 'sluice'), [...args, '--json'], {
      cwd: work,
      env: { PATH: pathWithNodeOnly(bin), HOME: work },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'close');
    });
    for await (const line of createInterface({ input: child.stdout }))
      return JSON.parse(line) as Record<string, unknown>;
    throw new Error(`${args.join(' ')} ended without an event`);
  }

  test('has it, byte for byte, and names it in the bill of materials', async () => {
    const digest = async (file: string): Promise<string> => {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
      return hash.digest('hex');
    };
    const sha256 = await digest(envoyBinary());
    expect(await digest(join(loaded, 'engines', version, 'bin/envoy'))).toBe(sha256);
    const { components } = JSON.parse(readFileSync(join(loaded, 'sbom.cdx.json'), 'utf8')) as {
      components: readonly object[];
    };
    expect(components).toContainEqual(
      expect.objectContaining({
        type: 'application',
        name: 'envoy',
        version,
        hashes: [{ alg: 'SHA-256', content: sha256 }],
      }),
    );
  });

  test('sluice start runs it, with no Envoy on PATH', async () => {
    const ready = await run(
      'start',
      '--listen',
      '127.0.0.1:0',
      '--admin',
      '127.0.0.1:0',
      '--server',
      'a=http://127.0.0.1:1/mcp',
    );
    expect(ready).toMatchObject({ event: 'ready', engine: `envoy ${version}` });
    const answer = await fetch(String(ready['mcp']), { method: 'POST', body: 'not JSON' });
    expect(answer.headers.get('x-mcp-gateway')).toMatch(/^sluice\//);
  });

  describe.skipIf(!hasFuncE)('and func-e', () => {
    test('lists it, downloads it and runs it, from the plugin server', async () => {
      const { pluginServer } = await run('serve', '--listen', '127.0.0.1:0');
      const env = {
        ...process.env,
        ENVOY_VERSIONS_URL: `${String(pluginServer)}/envoy/versions.json`,
        FUNC_E_HOME: join(work, 'func-e'),
        HOME: work,
      };
      const funcE = (...args: string[]) => promisify(execFile)(funcEProgram, args, { env });
      expect((await funcE('versions', '--all')).stdout).toContain(version);
      const { stdout, stderr } = await funcE('run', '--version');
      expect(stdout + stderr).toContain(`/${version}/`);
      const { stdout: which } = await funcE('which');
      expect(readFileSync(which.trim()).equals(readFileSync(envoyBinary()))).toBe(true);
    });
  });
});
