// What `sluice start` says of a server that does not answer as it should: every row on a real connection.
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, type Server, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { generate } from 'selfsigned';
import { expect, onTestFinished, test, vi } from 'vitest';
import { askServer, surveyGateway } from '../../cli/start/survey.ts';
import { startHttpSseServer } from '../e2e/upstreams/http-sse.ts';
import { temporaryFolder } from './support.ts';

const hold = { plugin: {}, servers: [] };
const headersMode = { plugin: { hostMode: 'headers' }, servers: [] };
const tool = { name: 'echo', inputSchema: { type: 'object' } };

async function port(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** An HTTP server's URL. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  onTestFinished(() => {
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${await port(server)}/mcp`;
}

async function problemAt(
  url: string,
  more: object = {},
  env: Record<string, string> = {},
): Promise<string | undefined> {
  return (await askServer({ name: 'a', url, ...more }, hold, env)).problem;
}

/** Answers requests of a session; `list` answers tools/list. */
function session(list: (cursor: string | undefined) => object): RequestListener {
  return (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const { id, method, params } = JSON.parse(body === '' ? '{}' : body) as {
        id?: number;
        method?: string;
        params?: { cursor?: string };
      };
      const begun = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } };
      const result = method === 'initialize' ? begun : list(params?.cursor);
      if (id === undefined) response.writeHead(202).end();
      else response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  };
}

test('a name that nobody has', async () => {
  expect(await problemAt('http://nowhere.invalid/mcp')).toBe('there is no host nowhere.invalid: is the name right?');
});

test('http:// where TLS is spoken, a certificate of nobody, and one for another name', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'other.example' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'other.example' }] }],
  });
  const at = `127.0.0.1:${await port(
    createTlsServer(
      { key, cert },
      session(() => ({ tools: [tool] })),
    ),
  )}`;
  expect(await problemAt(`http://${at}/mcp`)).toBe(
    `${at} ends the connection without an HTTP answer: is its URL https:// and not http://?`,
  );
  expect(await problemAt(`https://${at}/mcp`)).toBe(
    'its certificate is not trusted here: name the file of its authority in SSL_CERT_FILE',
  );
  const file = join(temporaryFolder(), 'authority.pem');
  writeFileSync(file, cert);
  vi.stubEnv('SSL_CERT_FILE', file);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await problemAt(`https://${at}/mcp`)).toBe('its certificate is not for 127.0.0.1: is that the right name?');
});

test('a port where another protocol is spoken', async () => {
  const at = `127.0.0.1:${await port(createTcpServer((socket) => socket.end('220 mail.example ESMTP\r\n')))}`;
  expect(await problemAt(`http://${at}/mcp`)).toContain(`${at} ends the connection without an HTTP answer`);
});

test.each([
  [401, '', { type: 'header', header: 'authorization', env: 'TOKEN' }, '401: it refuses the credentials in TOKEN'],
  [401, '', { type: 'passthrough', headers: ['authorization'] }, undefined],
  [
    403,
    'no',
    undefined,
    '403: "no": it may want credentials: name them in `credentials` of the server in the configuration',
  ],
  [
    503,
    '<style>p {}</style><p>Down for <b>repair</b></p>',
    undefined,
    '503: "Down for repair": look into its log, and try again later',
  ],
  [500, '', undefined, '500: it says no more: look into its log, and try again later'],
  [405, '', undefined, '405 at /mcp: which path does it serve MCP at?'],
  [400, '\u001b[2J\u0007bad\u202e', undefined, '400: no MCP answer at /mcp: " [2J bad "'],
])('%d %j with %j', async (status, body, credentials, problem) => {
  const url = await serve((_request, response) => response.writeHead(status).end(body));
  expect(await problemAt(url, credentials && { credentials }, { TOKEN: 'secret\n' })).toBe(problem);
});

test('a compressed answer', async () => {
  const url = await serve((request, response) => {
    expect(request.headers['accept-encoding']).toBe('identity');
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}'));
  });
  expect(await problemAt(url)).toBe('its answer is compressed (gzip), which nobody asked for');
});

test('a JSON-RPC error, in its own words', async () => {
  const error = { code: -32000, message: 'Out of\nlicences' };
  const url = await serve((_request, response) => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, error })));
  expect(await problemAt(url)).toBe('it refuses: "Out of licences"');
});

test('a list of several pages; one that never says that it is over; names that are none', async () => {
  const pages = session((cursor) => ({
    tools: [{ name: `page-${cursor ?? 'one'}` }],
    nextCursor: cursor === undefined ? 'two' : cursor === 'two' ? '' : '',
  }));
  expect((await askServer({ name: 'a', url: await serve(pages) }, hold, {})).tools).toEqual([
    'page-one',
    'page-two',
    'page-',
  ]);
  const odd = session(() => ({ tools: [null, { name: 1 }, tool] }));
  const unnamed = '(a tool without a name)';
  expect((await askServer({ name: 'a', url: await serve(odd) }, hold, {})).tools).toEqual([unnamed, unnamed, 'echo']);
});

test('an event stream that stays open behind its answer, cut anywhere', async () => {
  const url = await serve((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { id, method } = JSON.parse(body === '' ? '{}' : body) as { id?: number; method?: string };
      if (id === undefined) return void response.writeHead(202).end();
      const result =
        method === 'initialize'
          ? { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} }
          : { tools: [{ ...tool, description: 'schön' }] };
      const event = `id: 1\r\ndata:\r\n\r\n: ping\r\n\r\nevent: message\r\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\r\n\r\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      for (const byte of Buffer.from(event)) response.write(Buffer.of(byte));
    });
  });
  expect(await askServer({ name: 'a', url }, hold, {})).toEqual({ tools: ['echo'] });
});

test('sends the Host, the credentials and the revision of the configuration', async () => {
  const seen: unknown[] = [];
  const answer = session(() => ({ tools: [] }));
  const url = await serve((request, response) => {
    if (request.method === 'POST') seen.push([request.headers.host, request.headers['x-token']]);
    answer(request, response);
  });
  const credentials = { type: 'header', header: 'x-token', env: 'TOKEN' };
  await askServer({ name: 'a', url, authority: 'tools.example', credentials }, hold, { TOKEN: 'secret\r\n' });
  expect(new Set(seen.map((each) => JSON.stringify(each)))).toEqual(new Set(['["tools.example","secret"]']));
});

test('a gateway that cannot be asked: what servers said, under their prefixes and rules', async () => {
  const servers = [
    { name: 'a', url: 'http://127.0.0.1:1/mcp', tools: { deny: ['x'] } },
    { name: 'b', url: 'http://127.0.0.1:1/mcp', prefix: 'b.' },
  ];
  const survey = await surveyGateway({
    mcp: 'http://127.0.0.1:1/mcp',
    configuration: { ...headersMode, servers },
    states: [{ tools: ['x', 'y'] }, { isPrivate: true }],
  });
  expect(survey.servers).toEqual([
    { name: 'a', url: servers[0]?.url, tools: ['a_y'] },
    {
      name: 'b',
      url: servers[1]?.url,
      tools: [],
      problem: 'it lists its tools to clients with credentials of their own',
    },
  ]);
});

test('tools have the names that overrides give them, and are counted at servers where clients search', async () => {
  const mcp = await serve(
    session(() => ({ tools: ['forecast', 'add', 'search', 'b_x'].map((name) => ({ ...tool, name })) })),
  );
  const servers = [
    { name: 'a', url: 'http://127.0.0.1:1/mcp' },
    { name: 'b', url: 'http://127.0.0.1:1/mcp' },
  ];
  const overrides = [
    { tool: 'a_get', name: 'forecast' },
    { tool: 'b_*', name: '*' },
    { tool: 'a_put', name: 'b_x' },
    { tool: 'a_gone', title: 'Gone' },
  ];
  const states = [{ tools: ['get', 'put', 'gone'] }, { tools: ['add', 'search'] }];
  const survey = await surveyGateway({ mcp, configuration: { plugin: { overrides }, servers }, states });
  expect(survey.servers).toEqual([
    {
      name: 'a',
      url: servers[0]?.url,
      tools: ['forecast', 'b_x'],
      problem: 'the gateway does not list "gone": its log says why',
    },
    { name: 'b', url: servers[1]?.url, tools: ['add', 'search'] },
  ]);
  const plugin = { overrides, toolSearch: { enabled: true } };
  const short = await surveyGateway({ mcp, configuration: { plugin, servers }, states });
  expect(short.servers.map(({ tools, problem }) => [tools, problem])).toEqual([
    [['forecast', 'b_x', 'a_gone'], undefined],
    [['add', 'search'], undefined],
  ]);
  expect(short.notes).toEqual([expect.stringContaining('toolSearch: clients list search_tools, call_tool')]);
});

test('a server of HTTP+SSE is asked over HTTP+SSE', async () => {
  const server = await startHttpSseServer({ name: 'old', tools: ['echo'] });
  onTestFinished(() => server.stop());
  const entry = { name: 'old', url: server.url, protocol: '2024-11-05', tools: { deny: ['a*'] } };
  const state = await askServer(entry, hold, {});
  expect(state).toEqual({ tools: ['echo', 'ask', 'roots', 'progress', 'change', 'update', 'wait'] });
  const survey = await surveyGateway({
    mcp: 'http://127.0.0.1:9/mcp',
    configuration: { plugin: {}, servers: [entry] },
    states: [state],
  });
  expect(survey.servers[0]?.tools).toEqual(
    ['echo', 'roots', 'progress', 'change', 'update', 'wait'].map((name) => `old_${name}`),
  );
  expect(survey.notes).toEqual([expect.stringContaining('old: for clients of HTTP+SSE (2024-11-05)')]);
  expect(await problemAt(server.url.replace('/sse', '/nothing'), { protocol: '2024-11-05' })).toContain('404');
});
