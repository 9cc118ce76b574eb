// `sluice serve` with a real Nacos, a real Envoy that it configures, and an MCP client: the whole way of an edit.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { startEnvoy } from '../../envoy/engine/process.ts';
import { gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { Catalogs } from '../../plugin-server/catalog/catalogs.ts';
import { ArtifactStore, loadArtifact, startPluginServer, Tokens } from '../../plugin-server/index.ts';
import { NacosSync } from '../../plugin-server/nacos/sync.ts';
import { addClusters } from '../e2e/adjust.ts';
import { initializeMessage, listMessage, openSession, post } from '../e2e/clients/session.ts';
import { connectSdk } from '../e2e/clients/sdk.ts';
import { until } from '../e2e/until.ts';
import { clone, envoyBinary, runSluice, type Sluice } from '../launcher/support.ts';
import { callSteadily, startToolServer } from '../live/load.ts';
import { freePort } from '../free-ports.ts';
import { folders, liveBootstrap, startLiveEnvoy, temporaryFolder, write } from '../live/support.ts';
import { NacosAdmin, type ServerOptions, user } from './admin.ts';
import { type Nacos, startNacos } from './nacos.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

/** The command as it is typed, until the end of the test. */
async function serve(args: readonly string[]): Promise<{ port: number; log: () => string }> {
  const program = ['--import', 'tsx', join(clone, 'bin/sluice.mjs'), 'serve', '--json', '--listen', '127.0.0.1:0'];
  const env = { ...process.env, SLUICE_NACOS_USERNAME: user.username, SLUICE_NACOS_PASSWORD: user.password };
  const child = spawn(process.execPath, [...program, ...args], { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let [said, log] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  while (!said.includes('"event":"ready"')) {
    if (child.exitCode !== null) throw new Error(said + log);
    await sleep(50); // a busy machine takes its time to start it, and the test has a limit of its own
  }
  const { pluginServer } = JSON.parse(said.split('\n')[0] ?? '') as { pluginServer: string };
  return { port: Number(new URL(pluginServer).port), log: () => log };
}

describe.skipIf(!inject('nacos') || inject('envoy') === null)('from Nacos to a client', () => {
  let nacos: Nacos;
  let admin: NacosAdmin;

  beforeAll(async () => {
    nacos = await startNacos();
    admin = new NacosAdmin(nacos);
    await admin.logIn();
    await admin.makeNamespace('team-a');
  });
  afterAll(() => nacos.end());

  test('a REST service that is registered by its name becomes a tool, called with the cookie of the user, its edits followed', async () => {
    const requests: { url: string; cookie: string; host: string }[] = [];
    const service = createServer((request, response) => {
      const { cookie = '', host = '' } = request.headers;
      requests.push({ url: request.url ?? '', cookie, host });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"sky":"clear"}');
    });
    await new Promise<void>((resolve) => service.listen(0, 'localhost', resolve));
    onTestFinished(() => {
      service.closeAllConnections();
      service.close();
    });
    const { port } = service.address() as AddressInfo;

    // As the guides do it: a permanent instance, whose address is a name.
    await admin.register('weather-service', `localhost:${port}`);
    const weather = (description: string): ServerOptions => ({
      protocol: 'http',
      endpoint: { groupName: 'DEFAULT_GROUP', serviceName: 'weather-service' },
      tools: {
        tools: [
          {
            name: 'get_weather',
            description,
            inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          },
        ],
        toolsMeta: {
          get_weather: {
            enabled: true,
            templates: {
              'json-go-template': {
                requestTemplate: { url: '/weather', method: 'GET', argsToUrlParam: true },
                responseTemplate: { body: 'Weather: {{.}}' },
              },
            },
          },
        },
      },
    });
    await admin.create('weather', weather('The weather of a city'));

    const folder = temporaryFolder();
    const gateway = join(folder, 'gateways', 'edge');
    mkdirSync(gateway, { recursive: true });
    const configuration = {
      root: 'closed',
      catalog: {
        namespace: 'public',
        addresses: ['localhost'],
        defaults: { credentials: { type: 'passthrough', headers: ['cookie'] } },
      },
    };
    writeFileSync(join(gateway, 'sluice.yaml'), JSON.stringify(configuration));
    const state = ['--gateways', join(folder, 'gateways'), '--state', join(folder, 'state')];
    const server = await serve([...state, '--nacos', nacos.address]);
    const envoy = await startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n', cluster: 'edge' }));

    const client = new Client({ name: 'a-client', version: '1' });
    const requestInit = { headers: { cookie: 'user=ann' } };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${envoy.mcp}/public/weather`), { requestInit }));
    onTestFinished(() => client.close());
    const described = async (): Promise<string> =>
      (await client.listTools()).tools.map(({ name, description }) => `${name}: ${description ?? ''}`).join();
    expect(await described()).toBe('weather_get_weather: The weather of a city');
    const result = await client.callTool({ name: 'weather_get_weather', arguments: { city: 'Bern & Basel' } });
    expect(result).toMatchObject({ content: [{ type: 'text', text: 'Weather: {"sky":"clear"}' }] });
    expect(requests).toEqual([{ url: '/weather?city=Bern+%26+Basel', cookie: 'user=ann', host: `localhost:${port}` }]);

    await admin.update('weather', weather('The sky above a city'));
    await until('the edit is seen', async () => (await described()) === 'weather_get_weather: The sky above a city');
  });

  test('an edit is in all workers of a gateway that asks for its catalog itself', async () => {
    const namespace = 'polled';
    await admin.makeNamespace(namespace);
    const shop = (description: string): ServerOptions => ({
      namespace,
      protocol: 'http',
      tools: {
        tools: [{ name: 'get', description, inputSchema: { type: 'object' } }],
        toolsMeta: {
          get: { enabled: true, templates: { 'json-go-template': { responseTemplate: { body: 'It is {{.args}}' } } } },
        },
      },
    });
    await admin.create('shop', shop('before'));
    const prompts = { prompts: [{ name: 'offer', messages: [{ role: 'user', text: 'Offer' }] }] };
    const document = { dataId: 'shop-mcp-prompts.json', groupName: 'mcp-prompts' };
    await admin.putDocument({ ...document, content: JSON.stringify(prompts) }, namespace);

    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const module = loadArtifact('sluice', '0.1.0', readFileSync(join(clone, 'build/plugin.wasm')));
    const store = new ArtifactStore([]);
    const catalogs = new Catalogs({ state: temporaryFolder(), store, log });
    await catalogs.open();
    const namespaces = new Map([[namespace, namespace]]);
    const sync = new NacosSync({ addresses: [nacos.address], namespaces, credentials: () => user, catalogs, log });
    onTestFinished(() => sync.stop());
    await sync.start();
    const token = 'a-token-that-may-publish';
    const access = { tokensRequired: true, publishers: () => Tokens.parse(token, 'the test') };
    const host = { host: '127.0.0.1', port: 0 };
    const plugins = await startPluginServer({ artifacts: [module], ...host, catalogs: { catalogs, access } });
    onTestFinished(() => plugins.close());
    const config = gatewayBootstrap({
      listen: host,
      admin: host,
      pluginServerUrl: plugins.url,
      digest: module.sha256,
      servers: [],
      plugin: {
        hostMode: 'hold',
        catalog: { cluster: 'catalogs', namespace, interval: '1s', token: { env: 'TOKEN' }, clusters: ['*'] },
      },
    });
    addClusters(config, { catalogs: plugins.url });
    const envoy = await startEnvoy({ binary: envoyBinary(), config, concurrency: 2, env: { TOKEN: token } });
    onTestFinished(() => envoy.stop());
    const url = `http://${envoy.listeners.get('mcp') ?? ''}/mcp`;
    await until('it serves', async () => (await post(url, initializeMessage())).text.includes('protocolVersion'));
    const session = await openSession(url);
    // Connections of their own: enough that some come to each worker.
    const inAll = async (message: string, expected: string): Promise<boolean> => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => session.post(message)));
      return answers.every(({ text }) => text.includes(expected));
    };
    await until('the tool is there', () => inAll(listMessage(), '"name":"shop_get","description":"before"'));
    const listPrompts = '{"jsonrpc":"2.0","id":1,"method":"prompts/list"}';
    await until('the prompt is there', () => inAll(listPrompts, '"name":"shop_offer"'));
    await admin.update('shop', shop('after'));
    await until('the edit is there', () => inAll(listMessage(), '"name":"shop_get","description":"after"'));
    await admin.removeDocument(document, namespace);
    await until('the prompt is gone', async () => !(await session.post(listPrompts)).text.includes('shop_offer'));
  });

  test('Nacos and the plugin server are killed and started again: no call fails, and both replicas see each edit', async () => {
    const service = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"said":"done"}');
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      service.closeAllConnections();
      service.close();
    });
    const namespace = 'killed';
    await admin.makeNamespace(namespace);
    const template = { requestTemplate: { url: '/say', method: 'GET' }, responseTemplate: { body: '{{.said}}' } };
    const shop = (description: string): ServerOptions => ({
      namespace,
      protocol: 'http',
      endpoint: `127.0.0.1:${(service.address() as AddressInfo).port}`,
      tools: {
        tools: [{ name: 'fast', description, inputSchema: { type: 'object' } }],
        toolsMeta: { fast: { enabled: true, templates: { 'json-go-template': template } } },
      },
    });
    await admin.create('shop', shop('first'));

    const where = folders();
    const sessions = { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] };
    write(where, 'edge', { root: 'closed', sessions, catalog: { namespace, addresses: ['127.0.0.1'] } });
    const port = await freePort();
    const options = ['--gateways', where.gateways, '--state', where.state, '--access-log', 'off'];
    const startServer = async (): Promise<Sluice> => {
      const follow = ['--nacos', nacos.address, '--nacos-namespace', namespace];
      const started = runSluice(['serve', '--json', '--listen', `127.0.0.1:${port}`, ...options, ...follow], {
        SLUICE_NACOS_USERNAME: user.username,
        SLUICE_NACOS_PASSWORD: user.password,
      });
      expect(await started.next()).toMatchObject({ event: 'ready' });
      return started;
    };
    const kill = async (server: Sluice): Promise<void> => {
      server.signal('SIGKILL');
      await server.exited;
    };

    const first = await startServer();
    const env = { SLUICE_KEY_1: Buffer.alloc(32, 7).toString('base64url') };
    const replicas = await Promise.all(
      ['a', 'b'].map((id) => startLiveEnvoy(envoyBinary(), liveBootstrap(port, { id, cluster: 'edge' }), env)),
    );
    const urls = replicas.map(({ mcp }) => `${mcp}/${namespace}/shop`);
    const connected = await Promise.all(urls.map((url) => openSession(url)));
    const isSeen = async (description: string): Promise<boolean> => {
      const lists = await Promise.all(connected.map((session) => session.post(listMessage())));
      return lists.every(({ text }) => text.includes(`"name":"shop_fast","description":"${description}"`));
    };
    await until('the tool is there', () => isSeen('first'));
    const loads = await Promise.all(urls.map((url) => callSteadily(url, 'shop_', 20)));

    // Both are gone, and the plugin server comes back before Nacos does.
    await nacos.kill();
    await until('it is told', () => first.said.err.includes('Nacos cannot be followed'));
    await kill(first);
    const second = await startServer();
    expect(await isSeen('first')).toBe(true);
    await nacos.start();
    await admin.logIn();
    await admin.update('shop', shop('second'));
    await until('the edit is seen', () => isSeen('second'), 60_000);
    await kill(second);
    await admin.update('shop', shop('third'));
    await startServer();
    await until('the edit that came meanwhile is seen', () => isSeen('third'), 60_000);
    await admin.update('shop', shop('fourth'));
    await until('the next one is seen', () => isSeen('fourth'), 60_000);

    await Promise.all(loads.map((load) => load.stop()));
    for (const load of loads) {
      expect(load.failures).toEqual([]);
      expect(load.calls()).toBeGreaterThan(0);
    }
  });

  test('an MCP server of Nacos is listed and called, its instances and edits followed, with Nacos gone too', async () => {
    const tools = await startToolServer();
    onTestFinished(() => tools.stop());
    const { host, port, pathname } = new URL(tools.url);
    await admin.create('files', { endpoint: host, exportPath: pathname, namespace: 'team-a' });

    const folder = temporaryFolder();
    const gateway = join(folder, 'gateways', 'edge');
    mkdirSync(gateway, { recursive: true });
    writeFileSync(
      join(gateway, 'sluice.yaml'),
      'root: closed\ncatalog: { namespace: team-a, addresses: [127.0.0.1] }\n',
    );
    const state = ['--gateways', join(folder, 'gateways'), '--state', join(folder, 'state')];
    const server = await serve([...state, '--nacos', nacos.address, '--nacos-namespace', 'team-a']);
    const envoy = await startLiveEnvoy(envoyBinary(), liveBootstrap(server.port, { id: 'n', cluster: 'edge' }));

    const connected = await connectSdk(`${envoy.mcp}/team-a/files`, 'HTTP/1.1');
    onTestFinished(() => connected.close());
    const { client } = connected;
    const names = async (): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);
    await until('its tools are there', async () => (await names()).includes('files_fast'));
    expect(await client.callTool({ name: 'files_fast' })).toMatchObject({ content: [{ text: 'done' }] });
    expect(tools.of('tools/call')[0]?.headers[':authority'] ?? tools.of('tools/call')[0]?.headers['host']).toBe(
      `127.0.0.1:${port}`,
    );

    // An edit: a tool is switched off, in a session that goes on.
    const off = {
      tools: [{ name: 'stream', description: 'x', inputSchema: { type: 'object' } }],
      toolsMeta: { stream: { enabled: false } },
    };
    await admin.update('files', { endpoint: host, exportPath: pathname, namespace: 'team-a', tools: off });
    await until('it is gone', async () => (await names()).join() === 'files_fast');

    // Nacos dies: nothing changes.
    await nacos.kill();
    await until('it is told', () => server.log().includes('Nacos cannot be followed'));
    expect(await names()).toEqual(['files_fast']);
    const restarted = await serve([...state, '--nacos', nacos.address, '--nacos-namespace', 'team-a']);
    const second = await startLiveEnvoy(envoyBinary(), liveBootstrap(restarted.port, { id: 'm', cluster: 'edge' }));
    const other = await connectSdk(`${second.mcp}/team-a/files`, 'HTTP/1.1');
    onTestFinished(() => other.close());
    expect((await other.client.listTools()).tools.map(({ name }) => name)).toEqual(['files_fast']);
    expect(restarted.log() + server.log()).not.toContain(user.password);
  });
});
