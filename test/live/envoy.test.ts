// What an operator does to gateways that serve: edits, upgrades, rollbacks, and a plugin server that dies.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadArtifact } from '../../plugin-server/index.ts';
import type { Scripted } from '../e2e/upstreams/scripted.ts';
import { listMessage, openSession, post, resumeSession } from '../e2e/clients/session.ts';
import { until } from '../e2e/until.ts';
import { clone, describeWithEnvoy, envoyBinary, isListening, runSluice } from '../launcher/support.ts';
import { makeCertificate } from './certificates.ts';
import { type Load, callSteadily, readStream, startToolServer, upTo } from './load.ts';
import { freePort } from '../free-ports.ts';
import {
  type Folders,
  type LiveEnvoy,
  type LiveServer,
  filtersOf,
  folders,
  liveBootstrap,
  otherModule,
  spawnEnvoy,
  startLive,
  startLiveEnvoy,
  storeWith,
  temporaryFolder,
  withTls,
  write,
} from './support.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Without a key of its own an Envoy makes one for each module: an upgrade would end its sessions. */
const env = { SLUICE_KEY_1: randomBytes(32).toString('base64url') };

const configuration = (servers: object[]): object => ({
  sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] },
  servers,
});

async function toolServer(): Promise<Scripted> {
  const server = await startToolServer();
  onTestFinished(() => server.stop());
  return server;
}

const portOf = ({ url }: Scripted): string => `"port_value": ${new URL(url).port}`;
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
    await until('its cluster is gone', async () => !(await envoy.configuration()).includes('"name": "beta@'));

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

  test('what the gateway itself asks a server when that moves is answered, and its old cluster goes later', async () => {
    const [before, after] = await Promise.all([toolServer(), toolServer()]);
    const where = folders();
    write(where, 'edge', configuration([entry('alpha', before)]));
    const server = await startLive(where, { drainTime: 60_000 });
    const envoy = await startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n1', cluster: 'edge' }), env);
    await everywhere(server, 1);
    const session = await openSession(envoy.mcp);
    let move: () => void = () => undefined;
    const moved = new Promise<void>((resolve) => (move = resolve));
    before.answers['tools/list'] = async (request, reply) => {
      await moved;
      reply.head(200, { 'content-type': 'application/json' });
      reply.end(
        `{"jsonrpc":"2.0","id":${request.id},"result":{"tools":[{"name":"old","inputSchema":{"type":"object"}}]}}`,
      );
    };
    const list = session.post(listMessage());
    await until('the list is asked for', () => before.of('tools/list').length === 1);
    write(where, 'edge', configuration([entry('alpha', after)]));
    await everywhere(server, 2);
    expect((await session.post(listMessage())).text).toContain('"alpha_fast"');
    move();
    expect((await list).text).toContain('"alpha_old"');
  });

  test('a crowd loses no call to edits in quick succession, some of them refused', async () => {
    const [here, there, other] = await Promise.all([toolServer(), toolServer(), toolServer()]);
    const where = folders();
    const { server, envoy } = await running(where, [entry('alpha', here)]);
    const crowd = await Promise.all(Array.from({ length: 16 }, () => callSteadily(envoy.mcp, 'alpha_', 15)));

    // The server of the calls moves and comes back, another one comes and goes, and every third edit is wrong.
    for (let edit = 1; edit <= 30; edit++) {
      const servers = [entry('alpha', edit % 2 === 0 ? here : there), ...(edit % 4 < 2 ? [entry('beta', other)] : [])];
      write(where, 'edge', edit % 3 === 0 ? 'servers: [' : configuration(servers));
      await sleep(200);
    }
    write(where, 'edge', configuration([entry('alpha', there)]));
    await until('the last one is everywhere', async () => {
      const gateway = server.live.directory.get('edge');
      const isCurrent = gateway !== undefined && server.live.statusOf(gateway).nodes[0]?.state === 'current';
      const shown = await envoy.configuration();
      return isCurrent && shown.includes(portOf(there)) && !shown.includes(portOf(here));
    });
    // What was under way to its old place still comes there.
    there.forget();
    await until('calls go to its place alone', () => {
      if (here.requests.length > 0) there.forget();
      here.forget();
      return there.of('tools/call').length > 50;
    });
    for (const load of crowd) await unharmed(load);
  });

  test('an edit that moves a server and is refused for another one changes nothing of where that server is asked', async () => {
    const [before, after] = await Promise.all([toolServer(), toolServer()]);
    const where = folders();
    const alpha = (url: string, token: string): object => ({
      name: 'alpha',
      url,
      prefix: 'alpha_',
      credentials: { type: 'header', header: 'x-key', env: token },
    });
    write(where, 'edge', configuration([alpha(before.url, 'OLD_KEY')]));
    const server = await startLive(where);
    // Without authorities for upstreams, Envoy refuses every cluster with TLS.
    const bootstrap = liveBootstrap(server.port, { id: 'n1', cluster: 'edge' }) as {
      static_resources: { secrets?: unknown };
    };
    delete bootstrap.static_resources.secrets;
    const variables = { ...env, OLD_KEY: 'old', NEW_KEY: 'new' };
    const envoy = await startLiveEnvoy(envoyBinary(), bootstrap, variables);
    await everywhere(server, 1);
    const load = await callSteadily(envoy.mcp, 'alpha_', 50);

    const moved = alpha(`${after.url}?moved=1`, 'NEW_KEY');
    const broken = { name: 'beta', url: 'https://beta.example/mcp', prefix: 'beta_' };
    write(where, 'edge', configuration([moved, broken]));
    await until('it is refused', () => {
      const gateway = server.live.directory.get('edge');
      return gateway !== undefined && server.live.statusOf(gateway).nodes[0]?.state === 'refuses';
    });
    const calls = before.of('tools/call').length;
    await until('calls go on', () => before.of('tools/call').length > calls + 20);
    expect(after.requests).toEqual([]);
    expect(new Set(before.of('tools/call').map(({ headers }) => headers['x-key']))).toEqual(new Set(['old']));

    // Without the one that cannot be taken, the other moves, with its path and its credential, and no call is lost.
    write(where, 'edge', configuration([moved]));
    await everywhere(server, 3);
    await until('calls go there', () => after.of('tools/call').length > 20);
    await unharmed(load);
    expect(new Set(after.requests.map(({ headers, path }) => `${path} ${String(headers['x-key'])}`))).toEqual(
      new Set(['/mcp?moved=1 new']),
    );
    expect(new Set(before.requests.map(({ headers, path }) => `${path} ${String(headers['x-key'])}`))).toEqual(
      new Set(['/mcp old']),
    );
    await until('the old cluster is gone', async () => {
      const names = [...(await envoy.configuration()).matchAll(/"name": "alpha@\w+"/g)].map(([name]) => name);
      return new Set(names).size === 1;
    });
  });

  test('a plugin server that is killed leaves gateways as they are; one that comes up is obeyed, edits meanwhile too', async () => {
    const [alpha, beta] = await Promise.all([toolServer(), toolServer()]);
    const where = folders();
    write(where, 'edge', configuration([entry('alpha', alpha)]));
    const port = await freePort();
    const args = ['serve', '--json', '--listen', `127.0.0.1:${port}`, '--access-log', 'off'];
    const serve = [...args, '--gateways', where.gateways, '--state', where.state];

    // Nobody is there: it is not ready, and takes no connection.
    const envoy = await spawnEnvoy(envoyBinary(), liveBootstrap(port, { id: 'n1', cluster: 'edge' }), env);
    await until('it asks', () => envoy.log().includes('REST update for /v3/discovery:clusters failed'));
    await expect(post(envoy.mcp, listMessage())).rejects.toThrow('ECONNREFUSED');

    const first = runSluice(serve);
    await first.next();
    await until('it serves', () => isListening(envoy.mcp));
    expect(await tools(envoy.mcp)).toContain('"alpha_fast"');
    const load = await callSteadily(envoy.mcp, 'alpha_', 100);
    const stream = readStream(envoy.mcp, 'alpha_', 150);
    first.signal('SIGKILL');
    await first.exited;

    write(where, 'edge', configuration([entry('alpha', alpha), entry('beta', beta)]));
    expect(await tools(envoy.mcp)).not.toContain('"beta_fast"');
    const second = runSluice(serve);
    // Killed in the middle of whatever it does then: what it keeps is whole all the same.
    await until('it has begun to keep the edit', () => existsSync(join(where.state, 'edge/2.json')));
    second.signal('SIGKILL');
    await second.exited;
    const third = runSluice(serve);
    await third.next();
    await until('the edit is there', async () => (await tools(envoy.mcp)).includes('"beta_fast"'));

    await unharmed(load);
    expect(await stream).toEqual({ events: upTo(150), answered: true });
  });

  test('a node that refuses a version keeps the one before; the others have it, and so has it once it can', async () => {
    const alpha = await toolServer();
    const where = folders();
    const { server, envoy } = await running(where, [entry('alpha', alpha)]);
    const withToken = {
      ...entry('alpha', alpha),
      credentials: { type: 'header', header: 'x-key', env: 'ONLY_SOME_HAVE_IT' },
    };
    const other = await startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n2', cluster: 'edge' }), {
      ...env,
      ONLY_SOME_HAVE_IT: 'hunter2',
    });
    const load = await callSteadily(envoy.mcp, 'alpha_', 50);
    write(where, 'edge', configuration([withToken]));
    const states = (): Record<string, string> => {
      const gateway = server.live.directory.get('edge');
      const nodes = gateway === undefined ? [] : server.live.statusOf(gateway).nodes;
      return Object.fromEntries(nodes.map(({ id, state }) => [id, state]));
    };
    await until('one refuses it, the other has it', () => {
      const { n1, n2 } = states();
      return n1 === 'refuses' && n2 === 'current';
    });
    expect(server.log.filter(({ message }) => String(message).includes('the node n1 refuses'))).toHaveLength(1);

    const fresh = await spawnEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n3', cluster: 'edge' }), env);
    await until('it answers', () => isListening(fresh.mcp));
    // It has none before: it is denied, whatever it is asked.
    for (const headers of [{}, { 'x-mcp-servername': 'alpha' }]) {
      expect(await post(fresh.mcp, listMessage(), { headers })).toMatchObject({ status: 500 });
    }
    expect(await tools(other.mcp)).toContain('"alpha_fast"');
    expect(await tools(envoy.mcp)).toContain('"alpha_fast"');

    // Another plugin server knows nothing of the refusal. What it sends is refused again, not taken for applied.
    await server.close();
    const next = await startLive(where, { port: server.port });
    const nodes = () => {
      const gateway = next.live.directory.get('edge');
      return gateway === undefined ? [] : next.live.statusOf(gateway).nodes;
    };
    await until('it knows again', () => nodes().some(({ id, state }) => id === 'n1' && state === 'refuses'));

    write(where, 'edge', configuration([{ ...entry('alpha', alpha), callTimeout: '9s' }]));
    // The third one compiles the module only now.
    const patience = 60_000;
    await until('all have the next one', () => nodes().every(({ state }) => state === 'current'), patience);
    expect(nodes()).toHaveLength(3);
    expect(await tools(fresh.mcp)).toContain('"alpha_fast"');
    await unharmed(load);
  });

  test('keys of sessions that are changed in steps end no session, at none of the replicas and at no moment', async () => {
    const alpha = await toolServer();
    const where = folders();
    const withKeys = (...ids: number[]): object => ({
      sessions: { keys: ids.map((id) => ({ id, env: `SLUICE_KEY_${id}` })) },
      servers: [entry('alpha', alpha)],
    });
    write(where, 'edge', withKeys(1));
    const server = await startLive(where);
    const both = { ...env, SLUICE_KEY_2: randomBytes(32).toString('base64url') };
    const start = (id: string) =>
      startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id, cluster: 'edge' }), both);
    const replicas = await Promise.all([start('n1'), start('n2')]);
    await everywhere(server, 1);
    const early = await Promise.all(replicas.map(({ mcp }) => openSession(mcp)));
    const loads = await Promise.all(replicas.map(({ mcp }) => callSteadily(mcp, 'alpha_', 50)));
    const crossed = async (): Promise<void> => {
      const fresh = await Promise.all(replicas.map(({ mcp }) => openSession(mcp)));
      for (const { id } of [...early, ...fresh]) {
        for (const { mcp } of replicas) {
          expect((await resumeSession(mcp, id).post(listMessage())).text).toContain('"alpha_fast"');
        }
      }
    };
    for (const [step, keys] of [
      [1, 2],
      [2, 1],
    ].entries()) {
      write(where, 'edge', withKeys(...keys));
      const seen = { everywhere: false };
      const taken = everywhere(server, step + 2).then(() => (seen.everywhere = true));
      do await crossed();
      while (!seen.everywhere);
      await taken;
      await crossed();
    }
    for (const load of loads) await unharmed(load);
  });

  test('a canary with another module shares sessions with the gateway that it is tried beside, and goes back alone', async () => {
    const alpha = await toolServer();
    const where = folders();
    const gateways = { edge: '0.1.0', 'edge-canary': '^0.1' };
    for (const [gateway, version] of Object.entries(gateways)) {
      write(where, gateway, { ...configuration([entry('alpha', alpha)]), name: 'edge', module: { version } });
    }
    const server = await startLive(where, { store: storeWith('0.1.0', '0.1.1') });
    const start = (gateway: string) =>
      startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n', cluster: gateway }), env);
    const [edge, canary] = await Promise.all([start('edge'), start('edge-canary')]);
    const modules = () =>
      Object.keys(gateways).map((name) => server.live.directory.get(name)?.active?.kept.module.version);
    expect(modules()).toEqual(['0.1.0', '0.1.1']);

    const session = await openSession(edge.mcp);
    const there = await openSession(canary.mcp);
    const everybodyServes = async (): Promise<void> => {
      for (const { mcp } of [edge, canary]) {
        for (const { id } of [session, there]) {
          expect((await resumeSession(mcp, id).post(listMessage())).text).toContain('"alpha_fast"');
        }
      }
    };
    await everybodyServes();
    write(where, 'edge-canary', {
      ...configuration([entry('alpha', alpha)]),
      name: 'edge',
      module: { version: '0.1.0' },
    });
    await until('it is back', () => {
      const gateway = server.live.directory.get('edge-canary');
      const nodes = gateway === undefined ? [] : server.live.statusOf(gateway).nodes;
      return modules()[1] === '0.1.0' && nodes.every(({ state }) => state === 'current');
    });
    await everybodyServes();
    expect(server.live.directory.get('edge')?.history).toHaveLength(1);
  });

  test('over TLS, with the authority pinned and a token from a file; with another token nothing is served', async () => {
    const alpha = await toolServer();
    const where = folders();
    const token = randomBytes(24).toString('base64url');
    write(where, 'edge', configuration([entry('alpha', alpha)]));
    write(where, 'edge', `${token}\n`, 'token');
    const { authority, cert, key } = makeCertificate('plugins.example.com');
    const server = await startLive(where, { tokensRequired: true, tls: { cert, key } });
    const secret = (value: string): { ca: string; secret: string } => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'ca.pem'), authority);
      const file = join(clone, 'envoy/live-token.yaml');
      writeFileSync(join(folder, 'token.yaml'), readFileSync(file, 'utf8').replace('REPLACE-ME', value));
      return { ca: join(folder, 'ca.pem'), secret: join(folder, 'token.yaml') };
    };
    const node = (id: string, value: string): object =>
      liveBootstrap(server.port, { id, cluster: 'edge' }, withTls(secret(value)));

    const envoy = await startLiveEnvoy(envoyBinary(), node('n1', token), env);
    expect(await tools(envoy.mcp)).toContain('"alpha_fast"');
    const dump = await envoy.configuration();
    expect(dump).not.toContain(token);
    expect(dump).not.toContain(env.SLUICE_KEY_1);

    const enough = new AbortController();
    const stranger = startLiveEnvoy(envoyBinary(), node('n2', `${token}x`), env, enough.signal);
    const refused = expect(stranger).rejects.toThrow('never ready');
    await until('it was turned away', () => server.live.rejections.all().length > 0);
    expect(server.live.rejections.all()).toMatchObject([{ code: 'token_required' }]);
    enough.abort(new Error('never ready'));
    await refused;
  });

  test('a pair is delivered to a bootstrap with both filters, upgrades too', async () => {
    const alpha = await toolServer();
    const where = folders();
    write(where, 'edge', { ...configuration([entry('alpha', alpha)]), hostMode: 'pair' });
    const server = await startLive(where);
    const config = liveBootstrap(server.port, { id: 'n1', cluster: 'edge' });
    const filters = filtersOf(config);
    const [filter] = filters;
    filters.splice(1, 0, { ...(filter as object), name: 'sluice-holder' });
    const envoy = await startLiveEnvoy(envoyBinary(), config, env);
    await everywhere(server, 1);
    const load = await callSteadily(envoy.mcp, 'alpha_', 100);
    const stream = readStream(envoy.mcp, 'alpha_', 100);
    await server.store.publish(loadArtifact('sluice', '0.1.1', otherModule('pair')));
    await everywhere(server, 2);
    write(where, 'edge', {
      ...configuration([entry('alpha', alpha)]),
      hostMode: 'pair',
      limits: { callTimeout: '9s' },
    });
    await everywhere(server, 3);
    await unharmed(load);
    expect(await stream).toEqual({ events: upTo(100), answered: true });

    // A gateway that goes to one filter is no more what this bootstrap asks for: it keeps its pair, and says so.
    write(where, 'edge', configuration([entry('alpha', alpha)]));
    await until('it waits', () => {
      const gateway = server.live.directory.get('edge');
      return gateway !== undefined && server.live.statusOf(gateway).nodes[0]?.state === 'waits';
    });
    expect(await tools(envoy.mcp)).toContain('"alpha_fast"');
  });
});
