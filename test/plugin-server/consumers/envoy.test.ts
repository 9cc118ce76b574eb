// A real Envoy that fetches the shipped module from the plugin server: `http_uri` and `sha256`, as envoy.yaml has them.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Bootstrap, gatewayBootstrap } from '../../../envoy/render/bootstrap.ts';
import { startEnvoy } from '../../../envoy/engine/process.ts';
import type { RunningEngine } from '../../../envoy/engine/running.ts';
import { loadArtifact } from '../../../plugin-server/index.ts';
import { clone, describeWithEnvoy, envoyBinary } from '../../launcher/support.ts';
import { startServer } from '../support.ts';

const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
const shipped = loadArtifact('sluice', version, readFileSync(join(clone, 'build/plugin.wasm')));
const anyPort = { host: '127.0.0.1', port: 0 };

function bootstrap(pluginServerUrl: string): Bootstrap {
  const servers = [{ name: 'a', url: 'http://127.0.0.1:1/mcp' }];
  return gatewayBootstrap({ listen: anyPort, admin: anyPort, pluginServerUrl, servers, digest: shipped.sha256 });
}

async function answersAsSluice(envoy: RunningEngine): Promise<void> {
  const answer = await fetch(`http://${envoy.listeners.get('mcp') ?? ''}/mcp`, { method: 'POST', body: 'not JSON' });
  expect(answer.headers.get('x-mcp-gateway')).toMatch(/^sluice\//);
}

async function fetches(envoy: RunningEngine, kind: 'successes' | 'failures'): Promise<number> {
  const stats = await (await fetch(`${envoy.adminUrl}/stats?filter=remote_load_fetch_${kind}`)).text();
  return Number(/: (\d+)/.exec(stats)?.[1] ?? 0);
}

describeWithEnvoy('Envoy', () => {
  test('loads the module at its first try', async () => {
    const asked: string[] = [];
    const server = await startServer({ artifacts: [shipped], accessLog: (line) => asked.push(line) });
    const envoy = await startEnvoy({ binary: envoyBinary(), config: bootstrap(server.url) });
    onTestFinished(() => envoy.stop());
    await answersAsSluice(envoy);
    expect(await fetches(envoy, 'successes')).toBeGreaterThan(0);
    expect(await fetches(envoy, 'failures')).toBe(0);
    // It sends no condition, no range and no credentials.
    expect(asked.map((line) => (JSON.parse(line) as { status: number }).status)).toEqual(asked.map(() => 200));
  });

  test('waits for a server that is not there yet, and loads the module when it is', async () => {
    // Whoever has the port meanwhile ends each connection, so that Envoy's tries can be counted.
    let tries = 0;
    const holder = createServer((socket) => {
      tries++;
      socket.destroy();
      if (tries === 2) holder.emit('tried twice');
    }).listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const starting = startEnvoy({
      binary: envoyBinary(),
      config: bootstrap(`http://127.0.0.1:${port}`),
      startTimeout: 60_000,
    });
    onTestFinished(async () => (await starting).stop());
    await once(holder, 'tried twice');
    holder.close();
    await once(holder, 'close');
    await startServer({ artifacts: [shipped], port });
    await answersAsSluice(await starting);
  });
});
