// What an operator does to gateways that serve: edits, upgrades, rollbacks, and a plugin server that dies.
import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadArtifact } from '../../plugin-server/index.ts';
import type { Scripted } from '../e2e/upstreams/scripted.ts';
import { until } from '../e2e/until.ts';
import { describeWithEnvoy, envoyBinary } from '../launcher/support.ts';
import { type Load, callSteadily, readStream, startToolServer, upTo } from './load.ts';
import {
  type Folders,
  type LiveEnvoy,
  type LiveServer,
  folders,
  liveBootstrap,
  otherModule,
  startLive,
  startLiveEnvoy,
  write,
} from './support.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Without a key of its own an Envoy makes one for each module: an upgrade would end its sessions. */
const env = { SLUICE_KEY_1: randomBytes(32).toString('base64url') };

const configuration = (servers: object[]): object => ({ sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] }, servers });

async function toolServer(): Promise<Scripted> {
  const server = await startToolServer();
  onTestFinished(() => server.stop());
  return server;
}

const entry = (name: string, { url }: Scripted): object => ({ name, url, prefix: `${name}_` });

/** Waits until every node of a gateway has what is given out. */
async function everywhere({ live }: LiveServer, generation: number): Promise<void> {
  await until(`version ${generation} is everywhere`, () => {
    const gateway = live.directory.get('edge');
    if (gateway?.active?.kept.generation !== generation) return false;
    const { nodes } = live.statusOf(gateway);
    return nodes.length > 0 && nodes.every(({ state }) => state === 'current');
  });
}

async function tools(mcp: string): Promise<string> {
  const { openSession, listMessage } = await import('../e2e/clients/session.ts');
  const session = await openSession(mcp);
  return (await session.post(listMessage())).text;
}

async function running(where: Folders, servers: object[]): Promise<{ server: LiveServer; envoy: LiveEnvoy }> {
  write(where, 'edge', configuration(servers));
  const server = await startLive(where);
  const envoy = await startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n1', cluster: 'edge' }), env);
  await everywhere(server, 1);
  return { server, envoy };
}

async function unharmed(load: Load): Promise<void> {
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(load.calls()).toBeGreaterThan(0);
}

describeWithEnvoy('live delivery', () => {
  test('edits, upgrades and rollbacks disturb no call and no event stream, and no request passes unfiltered', async () => {
    const [alpha, beta] = await Promise.all([toolServer(), toolServer()]);
    const where = folders();
    const { server, envoy } = await running(where, [entry('alpha', alpha)]);
    const load = await callSteadily(envoy.mcp, 'alpha_', 100);
    const streams = [readStream(envoy.mcp, 'alpha_', 200)];

    // A server comes: its cluster first, then the filter that sends to it.
    write(where, 'edge', configuration([entry('alpha', alpha), entry('beta', beta)]));
    await everywhere(server, 2);
    expect(await tools(envoy.mcp)).toContain('"beta_fast"');
    streams.push(readStream(envoy.mcp, 'beta_', 100));

    // The module is another one.
    const upgrade = otherModule('upgrade');
    await server.store.publish(loadArtifact('sluice', '0.1.1', upgrade));
    await everywhere(server, 3);
    const { sha256 } = server.store.get('sluice', '0.1.1');
    expect(await envoy.configuration()).toContain(`sluice-${sha256}`);

    // A server goes, with a stream of its own still under way.
    await until('the stream of beta has begun', () => beta.of('tools/call').length === 1);
    write(where, 'edge', configuration([entry('alpha', alpha)]));
    await everywhere(server, 4);
    expect(await tools(envoy.mcp)).not.toContain('"beta_fast"');
    await until('its cluster is gone', async () => !(await envoy.configuration()).includes('"name": "beta"'));

    // Back to the first module and the first server.
    await server.live.directory.get('edge')?.rollBack('1');
    await until('the first version is everywhere', () => {
      const gateway = server.live.directory.get('edge');
      return gateway !== undefined && server.live.statusOf(gateway).nodes.every(({ state }) => state === 'current');
    });
    expect(await envoy.configuration()).not.toContain(`sluice-${sha256}`);

    await unharmed(load);
    const [first, second] = await Promise.all(streams);
    expect(first).toEqual({ events: upTo(200), answered: true });
    expect(second).toEqual({ events: upTo(100), answered: true });
  });
});
