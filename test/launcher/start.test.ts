import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { basename, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../free-ports.ts';
import { listTools } from './list-tools.ts';
import type { StartEvent } from '../../cli/start/events.ts';
import {
  type Sluice,
  envoyBinary,
  hasEnvoy,
  isAlive,
  isListening,
  processTree,
  runSluice,
  temporaryFolder,
} from './support.ts';

vi.setConfig({ testTimeout: 90_000 }); // each test starts two or more programs, on a machine that may be busy

type Ready = StartEvent & { event: 'ready' };

type Start = (args: readonly string[], env?: Readonly<Record<string, string>>) => Sluice & { data: string };

const startOn =
  (engine: 'envoy' | 'embedded'): Start =>
  (args, env = {}) => {
    const data = temporaryFolder();
    const flags = ['--engine', engine, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const named = { SLUICE_DATA_DIR: data, ...(engine === 'envoy' ? { ENVOY_PATH: envoyBinary() } : {}) };
    return { ...runSluice(['start', '--json', ...flags, ...args], { ...named, ...env }), data };
  };

const titles = { envoy: /^envoy 1\.\d+\.\d+$/, embedded: /^embedded \(as envoy 1\.\d+\.\d+\)$/ };

async function ready(sluice: Sluice): Promise<Ready> {
  const event = await sluice.next();
  expect(event).toMatchObject({ event: 'ready' });
  return event as Ready;
}

async function expectNothingLeft({ mcp, admin, pluginServer, servers }: Ready, pids: readonly number[]): Promise<void> {
  await vi.waitFor(() => {
    expect(pids.filter(isAlive)).toEqual([]);
  }, 5_000);
  for (const url of [mcp, admin, pluginServer, ...servers.flatMap((server) => server.url ?? [])]) {
    expect(await isListening(url), url).toBe(false);
  }
}

/** Servers of many kinds, by path. */
function createUpstream(): Server {
  const tool = { name: 'echo', inputSchema: { type: 'object' } };
  const paths: Record<string, (answer: Answering) => void> = {
    '/mcp': ({ result, send, request }) => {
      if (request.headers['mcp-protocol-version'] !== '2026-07-28') {
        result([tool]);
        return;
      }
      send(400, 'text/plain', 'Unsupported protocol version');
    },
    '/secret': ({ send }) => {
      send(401, 'text/plain', '');
    },
    '/page': ({ send }) => {
      send(200, 'text/html', '<h1>Welcome</h1>');
    },
    '/moved': ({ send }) => {
      send(307, 'text/plain', '', { location: '/mcp' });
    },
    '/host': ({ send, request }) => {
      send(421, 'text/plain', `Invalid Host header: ${request.headers.host ?? ''}\n`);
    },
    '/odd': ({ send }) => {
      send(200, 'application/json', '[]');
    },
    '/strict': ({ result }) => {
      result([{ name: 'bad', inputSchema: { type: 'string' } }, tool]);
    },
    '/modern': ({ result, send, request }) => {
      if (request.headers['mcp-protocol-version'] === '2026-07-28') {
        result([tool]);
        return;
      }
      const error = { code: -32022, message: 'Unsupported', data: { supported: ['2026-07-28'] } };
      send(400, 'application/json', JSON.stringify({ jsonrpc: '2.0', id: null, error }));
    },
  };
  return createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const send: Answering['send'] = (status, type, text, headers = {}) => {
        response.writeHead(status, { 'content-type': type, ...headers }).end(text);
      };
      const answer = paths[request.url ?? ''];
      if (answer === undefined) {
        send(404, 'text/plain', 'Not Found');
        return;
      }
      const message = (body === '' ? {} : JSON.parse(body)) as { id?: unknown; method?: string };
      if (message.id === undefined) {
        send(202, 'text/plain', '');
        return;
      }
      const result: Answering['result'] = (tools) => {
        const offers = { capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } };
        const results: Record<string, object> = {
          initialize: { protocolVersion: '2025-11-25', ...offers },
          'server/discover': { supportedVersions: ['2026-07-28'], ...offers },
        };
        const result = results[message.method ?? ''] ?? { tools };
        send(200, 'application/json', JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
      };
      answer({ request, send, result });
    });
  });
}

interface Answering {
  readonly request: IncomingMessage;
  readonly send: (status: number, type: string, text: string, headers?: Record<string, string>) => void;
  /** A session's answer: to `initialize`, or the list of tools. */
  readonly result: (tools: object[]) => void;
}

async function listening(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The URL of an MCP server with one tool, which is there until the test is over. */
async function upstream(port = 0): Promise<string> {
  const server = createUpstream();
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${await listening(server, port)}/mcp`;
}

/** Sends bytes; returns all that comes. */
async function raw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes); // and no end: Envoy would close the connection instead of answering
  let text = '';
  for await (const part of socket.setEncoding('utf8') as AsyncIterable<string>) text += part;
  return text;
}

describe.each(['envoy', 'embedded'] as const)('sluice start --engine %s', (engine) => {
  const start = startOn(engine);
  const test = it.skipIf(engine === 'envoy' && !hasEnvoy);

  test('serves the tools of two demo servers until SIGTERM, and leaves nothing behind', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    expect(event.engine).toMatch(titles[engine]);
    expect(event.servers.map(({ name }) => name)).toEqual(['everything', 'notes']);
    expect(event.tools).toBe(event.servers.flatMap(({ tools }) => tools).length);

    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(event.mcp)));
    const note = await client.callTool({ name: 'notes_add', arguments: { title: 'one', text: 'kept' } });
    expect(note.structuredContent).toEqual({ id: 1, title: 'one', text: 'kept' });
    const echo = await client.callTool({ name: 'everything_echo', arguments: { message: 'hello' } });
    expect(echo.content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    await client.close();

    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    expect(pids).toContain(event.pid);
    sluice.signal('SIGTERM');
    expect(await sluice.next()).toEqual({ event: 'stopped' });
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    await expectNothingLeft(event, pids);
    for (const line of sluice.said.out.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(sluice.said.err).toBe('');
  });

  test('listens on a name, by its first address', async () => {
    const names = ['--listen', 'localhost:0', '--admin', 'localhost:0'];
    const event = await ready(start(['--server', `one=${await upstream()}`, ...names]));
    expect(event.mcp).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    expect(event.admin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await listTools(event.mcp.replace('127.0.0.1', 'localhost'))).toHaveLength(1);
  });

  test('takes its servers down with it when it is killed', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    sluice.signal('SIGKILL');
    await expectNothingLeft(event, pids);
  });

  const processOfItsOwn = engine === 'envoy' ? test : () => undefined; // the embedded engine is in this one
  processOfItsOwn('ends when Envoy ends, and says so', async () => {
    const sluice = start(['--server', `a=${await upstream()}`]);
    const event = await ready(sluice);
    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    process.kill(event.pid, 'SIGKILL');
    expect(await sluice.next()).toMatchObject({
      event: 'error',
      message: expect.stringContaining('SIGKILL') as string,
    });
    expect((await sluice.exited).code).toBe(3);
    await expectNothingLeft({ ...event, servers: [] }, pids);
  });

  test('starts a demo server again that was killed, and says which', async () => {
    const sluice = start([]);
    const event = await ready(sluice);
    const demo = (): number | undefined =>
      processTree(sluice.pid).find(({ command }) => command.includes('demo/main.ts everything'))?.pid;
    const first = demo() ?? NaN;
    process.kill(first, 'SIGKILL');
    const restarted = { event: 'server', name: 'everything', state: 'restarting', problem: 'it ended (SIGKILL)' };
    expect(await sluice.next()).toEqual(restarted);
    await vi.waitFor(async () => {
      expect(await listTools(event.mcp)).toHaveLength(event.tools);
    }, 20_000);
    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    expect(pids).not.toContain(first);
    sluice.signal('SIGTERM');
    expect((await sluice.exited).code).toBe(0);
    await expectNothingLeft(event, pids);
  });

  test('stops in order when a Ctrl-C comes twice at once, as from a terminal and from npm', async () => {
    const sluice = start(['--server', `a=${await upstream()}`]);
    const event = await ready(sluice);
    const pids = processTree(sluice.pid).map(({ pid }) => pid);
    sluice.signal('SIGINT');
    sluice.signal('SIGINT');
    expect((await sluice.exited).code).toBe(0);
    await expectNothingLeft({ ...event, servers: [] }, pids);
  });

  test('stops while it is still starting', async () => {
    const sluice = start([]);
    const tree = await vi.waitFor(() => {
      const processes = processTree(sluice.pid);
      expect(processes.some(({ command }) => command.includes('demo/main.ts'))).toBe(true);
      return processes;
    }, 20_000);
    const pids = tree.map(({ pid }) => pid);
    sluice.signal('SIGINT');
    expect((await sluice.exited).code).toBe(0);
    await vi.waitFor(() => {
      expect(pids.filter(isAlive)).toEqual([]);
    }, 5_000);
  });

  test('federates the servers of the command line under the prefixes that it gives', async () => {
    const url = await upstream();
    const event = await ready(start(['--server', `mine=${url}`, '--server', `b=${url}`, '--prefix', 'b=second.']));
    expect(event.servers).toMatchObject([
      { name: 'mine', url, tools: ['mine_echo'] },
      { name: 'b', url, tools: ['second.echo'] },
    ]);
  });

  test('--auth demo: serves who has the token that it prints, and tells everybody else', async () => {
    const url = await upstream();
    const event = await ready(start(['--server', `mine=${url}`, '--auth', 'demo']));
    expect(event.servers).toEqual([{ name: 'mine', url, tools: ['mine_echo'] }]);
    const { mcp, token = '' } = event;
    expect(await listTools(mcp, { authorization: `Bearer ${token}` })).toEqual(['mine_echo']);
    // Of another start: signed with a key that nobody has any more.
    const { token: other = '' } = await ready(start(['--server', `mine=${url}`, '--auth', 'demo']));
    for (const headers of [{}, { authorization: `Bearer ${other}` }]) {
      const answer = await fetch(mcp, { method: 'POST', headers, body: '{}' });
      const metadata = `${new URL(mcp).origin}/.well-known/oauth-protected-resource/mcp`;
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringContaining(`resource_metadata="${metadata}"`),
      ]);
    }
  });

  test('runs a configuration with url instead of cluster, at its own endpoint, by name and by address, with a key that ends with a line end', async () => {
    const url = await upstream();
    const config = join(temporaryFolder(), 'sluice.yaml');
    writeFileSync(
      config,
      `endpoint: /tools
sessions: { keys: [{ id: 7, env: MY_KEY }], ttl: 1h }
servers:
  - { name: by-address, url: '${url}' }
  - { name: by-name, url: '${url.replace('127.0.0.1', 'localhost')}', prefix: 'n.' }
  - { name: guides, rest: { prompts: [{ name: review, messages: [{ role: user, text: Review it }] }] } }
`,
    );
    const event = await ready(
      start(['--config', config], { MY_KEY: `${Buffer.alloc(32, 1).toString('base64url')}\r\n` }),
    );
    expect(new URL(event.mcp).pathname).toBe('/tools');
    expect(event.servers.map(({ tools }) => tools[0])).toEqual(['by-address_echo', 'n.echo', undefined]);
    expect(event.servers[2]).toEqual({ name: 'guides', tools: [] });
    const derived = JSON.stringify(parse(readFileSync(event.envoyConfig, 'utf8')));
    const [, filter = ''] = /"path":"([^"]+-sluice\.json)"/.exec(derived) ?? [];
    expect(readFileSync(filter, 'utf8')).toContain('"host_env_keys":["MY_KEY"]');
  });

  test('starts with whatever servers there are, and says of each what is wrong and the next step', async () => {
    const url = await upstream();
    const down = `http://127.0.0.1:${await freePort()}/mcp`;
    const { origin } = new URL(url);
    const named: Record<string, string> = {
      up: url,
      root: `${origin}/`,
      down,
      secret: `${origin}/secret`,
      page: `${origin}/page`,
      moved: `${origin}/moved`,
      host: `${origin}/host`,
      modern: `${origin}/modern`,
      odd: `${origin}/odd`,
      tls: url.replace('http:', 'https:'),
    };
    const event = await ready(start(Object.entries(named).flatMap(([name, at]) => ['--server', `${name}=${at}`])));
    const problems = Object.fromEntries(event.servers.map(({ name, problem }) => [name, problem]));
    const address = new URL(url).host;
    expect(problems).toEqual({
      up: undefined,
      root: '404 at /: is it /mcp?',
      down: `nothing listens at ${new URL(down).host}: start it, or correct its port`,
      secret: '401: it asks for credentials: name them in `credentials` of the server in the configuration',
      page: '200, a web page at /page: is it /mcp?',
      moved: `307: it redirects to ${url}; use that URL`,
      host: `421: "Invalid Host header: ${address}": it takes another Host than ${address}; set \`authority\` of the server in the configuration`,
      modern: undefined,
      odd: '200: no MCP answer at /odd: "[]"',
      tls: `${address} does not speak TLS: is its URL http:// and not https://?`,
    });
    expect(event.servers[0]?.tools).toEqual(['up_echo']);
  });

  test('starts with one server alone that is wrong, and tells when it comes', async () => {
    const port = await freePort();
    const sluice = start(['--server', `late=http://127.0.0.1:${port}/mcp`]);
    const { servers } = await ready(sluice);
    const problem = `nothing listens at 127.0.0.1:${port}: start it, or correct its port`;
    expect(servers).toMatchObject([{ name: 'late', tools: [], problem }]);
    await upstream(port);
    expect(await sluice.next()).toEqual({ event: 'server', name: 'late', state: 'up', tools: 1 });
  });

  test('tells when a server goes, and when it comes back', async () => {
    const port = await freePort();
    const first = createUpstream();
    await listening(first, port);
    const sluice = start(['--server', `late=http://127.0.0.1:${port}/mcp`]);
    await ready(sluice);
    first.close();
    first.closeAllConnections();
    const problem = `nothing listens at 127.0.0.1:${port}: start it, or correct its port`;
    expect(await sluice.next()).toEqual({ event: 'server', name: 'late', state: 'down', problem });
    await upstream(port);
    expect(await sluice.next()).toEqual({ event: 'server', name: 'late', state: 'up', tools: 1 });
  });

  describe('asks for what the configuration serves', () => {
    const starting = async (configuration: object): Promise<Ready> => {
      const config = join(temporaryFolder(), 'sluice.json');
      const servers = [{ name: 'a', url: await upstream() }];
      writeFileSync(config, JSON.stringify({ servers, ...configuration }));
      return ready(start(['--config', config]));
    };

    test('root: closed: the virtual servers', async () => {
      const virtualServers = [
        { name: 'team/all', tools: ['*'] },
        { name: 'team/none', tools: ['a_other'] },
      ];
      const event = await starting({ root: 'closed', virtualServers });
      expect(event.virtualServers).toEqual([
        { name: 'team/all', url: `${event.mcp}/team/all`, tools: 1 },
        { name: 'team/none', url: `${event.mcp}/team/none`, tools: 0 },
      ]);
      expect(event.servers).toEqual([{ name: 'a', url: event.servers[0]?.url, tools: ['a_echo'] }]);
      expect(event.client).toBe(`${event.mcp}/team/all`);
      expect(event.notes).toEqual([expect.stringContaining('root: closed') as string]);
    });

    test('identity from a header, and one from a token that nobody verifies here', async () => {
      const byHeader = await starting({ identity: { trustedHeader: 'x-user' } });
      expect(byHeader).toMatchObject({ tools: 1, notes: [] });
      const byToken = await starting({ identity: { jwt: 'verified' } });
      expect(byToken).toMatchObject({ tools: 1, notes: [expect.stringContaining('jwt_authn') as string] });
    });

    test('host mode headers', async () => {
      const url = (await upstream()).replace('/mcp', '/modern');
      const servers = [
        { name: 'a', url },
        { name: 'b', url: await upstream() },
      ];
      const event = await starting({ hostMode: 'headers', servers });
      expect(event.servers[0]).toEqual({ name: 'a', url, tools: ['a_echo'] });
      expect(event.servers[1]?.problem).toBe(
        '400: no MCP answer at /mcp: "Unsupported protocol version"; host mode headers needs servers of 2026-07-28',
      );
      expect(event.notes).toEqual([]);
    });

    test('a tool that strict clients refuse: the others', async () => {
      const url = (await upstream()).replace('/mcp', '/strict');
      const event = await starting({ servers: [{ name: 'a', url }] });
      expect(event.servers[0]?.tools).toContain('a_echo');
    });
  });

  test('shares no file with another one of the same clone', async () => {
    const data = temporaryFolder();
    const args = ['--server', `a=${await upstream()}`];
    const both = [start(args, { SLUICE_DATA_DIR: data }), start(args, { SLUICE_DATA_DIR: data })];
    const [first, second] = (await Promise.all(both.map(ready))) as [Ready, Ready];
    const files = [first, second].flatMap(({ envoyConfig, log }) => [envoyConfig, log]);
    expect(files.map((file) => basename(file)).sort()).toEqual([
      'envoy-2.log',
      'envoy-2.yaml',
      'envoy.log',
      'envoy.yaml',
    ]);
    expect([...first.notes, ...second.notes]).toEqual([expect.stringContaining('another `sluice start`') as string]);
    for (const { mcp } of [first, second]) expect(await listTools(mcp)).toEqual(['a_echo']);
    for (const sluice of both) sluice.signal('SIGKILL');
    await Promise.all(both.map(({ exited }) => exited));
    const third = await ready(start(args, { SLUICE_DATA_DIR: data }));
    expect(basename(third.log)).toBe('envoy.log');
  });

  test('keeps its session key for its owner alone, and has an admin interface that shows and obeys nobody', async () => {
    const sluice = start(['--server', `a=${await upstream()}`]);
    const { admin, mcp, envoyConfig } = await ready(sluice);
    const file = join(sluice.data, 'session-key');
    const key = readFileSync(file, 'utf8').trim();
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(envoyConfig, 'utf8')).not.toContain(key);
    const dump = await (await fetch(`${admin}/config_dump`)).text();
    expect(dump).toContain('SLUICE_KEY_1');
    expect(dump).not.toContain(key);
    for (const path of ['/ready', '/stats/prometheus', '/listeners?format=json', '/config_dump', '/clusters']) {
      expect((await fetch(admin + path)).status, path).toBe(200);
    }
    // As a form of a web page would send it; none of these needs a preflight.
    for (const path of ['/quitquitquit', '/healthcheck/fail', '/drain_listeners', '/logging?level=off', '/ready']) {
      const headers = { origin: 'https://evil.example', 'content-type': 'text/plain' };
      const { status } = await fetch(admin + path, { method: 'POST', headers });
      expect([404, 405], path).toContain(status);
    }
    // A page under a name of its own that resolves to this machine.
    const rebound = await raw(admin, 'GET /config_dump HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n');
    expect(rebound).toMatch(/^HTTP\/1\.1 40[34] /);
    expect(await listTools(mcp)).toEqual(['a_echo']);
  });

  test('explains the critical lines that Envoy logs of a pair that is well', async () => {
    const { log, notes, tools } = await ready(start(['--host-mode', 'pair', '--server', `a=${await upstream()}`]));
    expect(tools).toBe(1);
    const isAlarming = readFileSync(log, 'utf8').includes('[critical]');
    expect(isAlarming).toBe(engine === 'envoy');
    expect(notes).toEqual(isAlarming ? [expect.stringContaining('sluice-holder')] : []);
  });
});

describe('sluice start refuses, before it starts an engine', () => {
  const start = startOn('embedded');

  it.each(['--listen', '--admin'])('says that the name of %s has no address', async (flag) => {
    const sluice = start([flag, 'nowhere.invalid:0']);
    const message = `${flag}: nowhere.invalid has no address (`;
    expect(await sluice.next()).toMatchObject({ event: 'error', message: expect.stringContaining(message) as string });
    expect((await sluice.exited).code).toBe(3);
  });

  it('--auth demo beside an identity of the configuration is refused', async () => {
    const config = join(temporaryFolder(), 'sluice.json');
    writeFileSync(
      config,
      JSON.stringify({ servers: [{ name: 'a', url: 'http://127.0.0.1:1/mcp' }], identity: 'none' }),
    );
    const sluice = start(['--config', config, '--auth', 'demo']);
    expect(await sluice.next()).toMatchObject({
      event: 'error',
      message: expect.stringContaining('has identity already') as string,
    });
  });

  it('says which port is taken, in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    onTestFinished(() => void taken.close());
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const sluice = start(['--listen', address]);
    const message = `${address} is in use: stop what listens there, or choose another address with --listen HOST:PORT`;
    expect(await sluice.next()).toEqual({ event: 'error', message });
    expect((await sluice.exited).code).toBe(3);
    const plain = runSluice(['start', '--listen', address]);
    expect((await plain.exited).code).toBe(3);
    expect(plain.said).toEqual({ out: '', err: `sluice start: ${message}\n` });
  });

  it("tells a bad configuration in the module's own words", async () => {
    const config = join(temporaryFolder(), 'sluice.yaml');
    writeFileSync(
      config,
      "limits: { heldbody: 1Mi }\nservers: [{ name: a, url: 'http://127.0.0.1:1/mcp', prefx: a }]\n",
    );
    const sluice = start(['--config', config]);
    const event = await sluice.next();
    expect(event).toMatchObject({ event: 'error', message: 'the plugin configuration was refused' });
    const details = (event as { details?: string[] }).details?.join('\n');
    expect(details).toMatch(/limits\.heldbody.*heldBody/);
    expect(details).toMatch(/servers\[0\]\.prefx.*prefix/);
    expect((await sluice.exited).code).toBe(1);
  });

  it('names every environment variable that the configuration asks for and nobody set', async () => {
    const config = join(temporaryFolder(), 'sluice.json');
    const credentials = { type: 'header', header: 'authorization', env: 'SLUICE_TEST_UNSET_TOKEN' };
    const sessions = { keys: [{ id: 1, env: 'SLUICE_TEST_UNSET_KEY' }] };
    const servers = [{ name: 'a', url: 'http://127.0.0.1:1/mcp', credentials }];
    writeFileSync(config, JSON.stringify({ sessions, servers }));
    const sluice = start(['--config', config]);
    const message = expect.stringMatching(/SLUICE_TEST_UNSET_KEY, SLUICE_TEST_UNSET_TOKEN$/) as string;
    expect(await sluice.next()).toMatchObject({ event: 'error', message });
    expect((await sluice.exited).code).toBe(3);
  });
});
