import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Bootstrap, type GatewayOptions, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { checkConfiguration } from '../../envoy/engine/check.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import { judgeEnvoy } from '../../envoy/engine/suitable.ts';
import { onPreferredPort, portDefect, preferPort } from '../../envoy/engine/ports.ts';
import { loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import {
  clone,
  describeWithEnvoy,
  envoyBinary,
  isAlive,
  isListening,
  processTree,
  temporaryFolder,
} from './support.ts';

const module = join(clone, 'build/plugin.wasm');
const anyPort = { host: '127.0.0.1', port: 0 };

/** A bootstrap whose module a plugin server of this test serves. */
async function bootstrap(changes: Partial<GatewayOptions> = {}): Promise<Bootstrap> {
  const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
  const artifacts = [loadArtifact('sluice', version, readFileSync(module))];
  const pluginServer = await startPluginServer({ artifacts, ...anyPort });
  onTestFinished(() => pluginServer.close());
  const servers = [{ name: 'a', url: 'http://127.0.0.1:1/mcp' }];
  return gatewayBootstrap({ listen: anyPort, admin: anyPort, pluginServerUrl: pluginServer.url, servers, ...changes });
}

async function takenPort(): Promise<{ host: string; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

describeWithEnvoy('startEnvoy', () => {
  test('runs the fetched module until it is stopped, and leaves no file behind', async () => {
    vi.stubEnv('TMPDIR', temporaryFolder());
    onTestFinished(() => void vi.unstubAllEnvs());
    const envoy = await startEnvoy({ binary: envoyBinary(), config: await bootstrap() });
    expect(envoy.version).toMatch(/^1\.\d+\.\d+$/);
    const gateway = `http://${envoy.listeners.get('mcp') ?? ''}`;
    const answer = await fetch(`${gateway}/mcp`, { method: 'POST', body: 'not JSON' });
    expect(answer.headers.get('x-mcp-gateway')).toMatch(/^sluice\//);
    const stats = await (await fetch(`${envoy.adminUrl}/stats?filter=remote_load_fetch_successes`)).text();
    expect(stats).toMatch(/remote_load_fetch_successes: [1-9]/);

    // While it runs already: nobody would remove them after a SIGKILL.
    expect(readdirSync(process.env['TMPDIR'] ?? '')).toEqual([]);
    expect(existsSync(sharedMemory(envoy.pid))).toBe(false);
    await Promise.all([envoy.stop(), envoy.stop()]);
    expect(await envoy.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(envoy.pid)).toBe(false);
    expect(await isListening(gateway)).toBe(false);
    expect(envoy.log()).toContain('all dependencies initialized. starting workers');
  });

  test('runs as many workers as it is told', async () => {
    const envoy = await startEnvoy({ binary: envoyBinary(), config: await bootstrap(), concurrency: 3 });
    onTestFinished(() => envoy.stop());
    const info = await (await fetch(`${envoy.adminUrl}/server_info`)).text();
    expect(info).toMatch(/"concurrency": 3/);
  });

  test('says which port is taken', async () => {
    const listen = await takenPort();
    const config = await bootstrap({ listen });
    await expect(startEnvoy({ binary: envoyBinary(), config })).rejects.toMatchObject({
      kind: 'environment',
      message: `Envoy cannot listen on 127.0.0.1:${listen.port}: address already in use`,
    });
  });

  test("fails with the module's words where it refuses its configuration, though Envoy itself would run", async () => {
    const config = await bootstrap({ plugin: { limts: {} } });
    await expect(startEnvoy({ binary: envoyBinary(), config })).rejects.toMatchObject({
      kind: 'configuration',
      details: [expect.stringMatching(/limts.*limits/) as string],
    });
  });

  test('does not run bytes that differ from the digest', async () => {
    const config = await bootstrap({ digest: '0'.repeat(64) });
    await expect(startEnvoy({ binary: envoyBinary(), config, startTimeout: 1_500 })).rejects.toThrow(
      /not ready within 1\.5 s: it still waits for the module from the plugin server$/,
    );
  });

  test('can be given up while it starts', async () => {
    const config = await bootstrap({ digest: '0'.repeat(64) });
    const signal = AbortSignal.timeout(300);
    await expect(startEnvoy({ binary: envoyBinary(), config, signal })).rejects.toThrow(/timeout/);
  });

  test('leaves no file behind where it fails', async () => {
    const folder = temporaryFolder();
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(startEnvoy({ binary: envoyBinary(), config: { bogus: true } })).rejects.toThrow(/bogus/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('fails at once where there is no such program', async () => {
    await expect(startEnvoy({ binary: '/nonexistent/envoy', config: {} })).rejects.toThrow(/could not be started/);
  });
});

describeWithEnvoy('checkConfiguration', () => {
  test('accepts what runs, without a plugin server and without opening a port', async () => {
    const config = gatewayBootstrap({
      listen: await takenPort(),
      admin: anyPort,
      pluginServerUrl: 'http://127.0.0.1:1',
      servers: [{ name: 'a', url: 'http://127.0.0.1:1/mcp' }],
    });
    await expect(checkConfiguration({ binary: envoyBinary(), config, module })).resolves.toBeUndefined();
  });

  test('refuses what the module refuses, with all that it says', async () => {
    const config = await bootstrap({ plugin: { limts: {}, hostMode: 'hodl' } });
    await expect(checkConfiguration({ binary: envoyBinary(), config, module })).rejects.toMatchObject({
      kind: 'configuration',
      message: 'the plugin configuration was refused',
      details: expect.arrayContaining([
        expect.stringMatching(/limts/) as string,
        expect.stringMatching(/hostMode/) as string,
      ]) as string[],
    });
  });
});

describeWithEnvoy('judgeEnvoy', () => {
  test('finds the version and V8 of the Envoy that the tests run on', async () => {
    expect(await judgeEnvoy(envoyBinary(), 'hold')).toEqual({
      version: expect.stringMatching(/^1\.\d+\.\d+/) as string,
    });
  });
});

test('preferPort keeps a free port, and takes any other for a taken one', async () => {
  const taken = await takenPort();
  expect(await portDefect(taken)).toBe('EADDRINUSE');
  expect(await preferPort(taken)).toEqual(anyPort);
  expect(await portDefect(anyPort)).toBeUndefined();
  expect(await portDefect({ host: '192.0.2.1', port: 0 })).toBe('EADDRNOTAVAIL'); // TEST-NET-1: nobody's address
});

test('onPreferredPort moves on where the port is lost between the look and the start, and for no other reason', async () => {
  const asked: number[] = [];
  const preferred = { host: '127.0.0.1', port: (await takenPort()).port };
  const start = ({ port }: { port: number }): Promise<string> => {
    asked.push(port);
    return Promise.resolve('started');
  };
  expect(await onPreferredPort(preferred, start)).toBe('started');
  expect(asked).toEqual([0]);
  const lost = async (address: { port: number }): Promise<number> => {
    if (address.port === 0) return 0;
    const thief = createServer().listen(address.port, '127.0.0.1');
    await once(thief, 'listening');
    onTestFinished(() => void thief.close());
    throw new Error('in use');
  };
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, 'close');
  const broken = (): Promise<never> => Promise.reject(new Error('broken'));
  await expect(onPreferredPort({ host: '127.0.0.1', port }, broken)).rejects.toThrow('broken');
  expect(await onPreferredPort({ host: '127.0.0.1', port }, lost)).toBe(0);
});

/** Where hot restart keeps its state: in the base id that the process was given. */
function sharedMemory(pid: number): string {
  const [process] = processTree(pid);
  const [, baseId] = /--base-id (\d+)/.exec(process?.command ?? '') ?? [];
  if (baseId === undefined) throw new Error(`${String(pid)} has no base id`);
  return `/dev/shm/envoy_shared_memory_${baseId}0`;
}
