// HTTP+SSE, the transport of 2024-11-05: its clients reach its servers.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import {
  CreateMessageRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withEndpoints } from './adjust.ts';
import { refusal, toolNames } from './clients/answers.ts';
import { eventsOf } from './clients/http-sse.ts';
import { bothProtocols, send } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, startGateway, expectSound, useGateway } from './gateway.ts';
import { sharedKey } from './shared-key.ts';
import { until } from './until.ts';
import { type HttpSseServer, startHttpSseServer } from './upstreams/http-sse.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const protocol = '2024-11-05';

async function connect(url: string, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client(
    { name: 'old', version: '1' },
    { capabilities: { sampling: {}, roots: { listChanged: true } } },
  );
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => ({
    model: 'none',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: `heard ${JSON.stringify(params.messages)}` },
  }));
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///work' }] }));
  const fetchWith: typeof fetch = (to, init) =>
    fetch(to, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...headers } });
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the old transport is what is tested
  await client.connect(new SSEClientTransport(new URL(url), { fetch: fetchWith }));
  return client;
}

const names = (items: readonly { name: string }[]): string[] => items.map(({ name }) => name).sort();

describeGateway('HTTP+SSE with one server', () => {
  let server: HttpSseServer;
  beforeAll(async () => {
    server = await startHttpSseServer({ name: 'old' });
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({
    servers: [
      {
        name: 'old',
        url: server.url,
        protocol,
        tools: { deny: ['secret'] },
        prompts: { deny: ['hidden'] },
        resources: { deny: ['test://other'] },
      },
    ],
  }));

  it('serves an SDK client all nouns, as its rules allow', async () => {
    const client = await connect(gateway.current.url);
    expect(client.getServerVersion()).toMatchObject({ name: 'old' });
    expect(Object.keys(client.getServerCapabilities() ?? {}).sort()).toEqual([
      'completions',
      'logging',
      'prompts',
      'resources',
      'tools',
    ]);
    const { tools } = await client.listTools();
    expect(names(tools)).toEqual([
      'old_ask',
      'old_change',
      'old_echo',
      'old_progress',
      'old_roots',
      'old_update',
      'old_wait',
    ]);
    expect(await client.callTool({ name: 'old_echo', arguments: { say: 'é' } })).toMatchObject({
      content: [{ text: '{"server":"old","said":"é"}' }],
    });
    expect(names((await client.listPrompts()).prompts)).toEqual(['old_greet']);
    expect(await client.getPrompt({ name: 'old_greet' })).toMatchObject({
      messages: [{ content: { text: 'greet of old' } }],
    });
    expect((await client.listResources()).resources.map(({ uri }) => uri).sort()).toEqual([
      'https://example.com/page',
      'test://one',
    ]);
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([
      { uriTemplate: 'test://each/{id}' },
    ]);
    for (const uri of ['test://one', 'https://example.com/page', 'test://each/7']) {
      expect(await client.readResource({ uri })).toMatchObject({ contents: [{ uri }] });
    }
    const { completion } = await client.complete({
      ref: { type: 'ref/resource', uri: 'test://each/{id}' },
      argument: { name: 'id', value: '7' },
    });
    expect(completion.values).toEqual(['7 of old']);
    await client.setLoggingLevel('debug');
    await client.ping();
    await client.close();
    await until('the server is rid of the stream', () => server.streams.size === 0);
  });

  it('answers what it refuses in the stream, and goes on', async () => {
    const client = await connect(gateway.current.url);
    const before = server.messages.length;
    const unknown = { code: -32602, data: { reason: 'unknown_tool' } };
    for (const name of ['old_secret', 'secret', 'other']) {
      await expect(client.callTool({ name })).rejects.toMatchObject(unknown);
    }
    await expect(client.getPrompt({ name: 'old_hidden' })).rejects.toMatchObject({
      data: { reason: 'unknown_prompt' },
    });
    await expect(client.readResource({ uri: 'test://other' })).rejects.toMatchObject({
      code: -32002,
      data: { reason: 'unknown_resource', uri: 'test://other' },
    });
    // The server is told nothing of it.
    for (const { body } of server.messages.slice(before)) {
      expect(body).toMatch(/^\{"jsonrpc":"2\.0","id":"[\w-]+","method":"ping"\}$/);
    }
    expect(await client.callTool({ name: 'old_echo' })).toMatchObject({
      content: [{ text: '{"server":"old","said":"echo"}' }],
    });
    await client.close();
  });

  it('carries what the server asks, tells and reports, and what the client tells', async () => {
    const client = await connect(gateway.current.url);
    let changes = 0;
    const logged: unknown[] = [];
    const steps: number[] = [];
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      changes++;
    });
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      logged.push(params.data);
    });
    expect(await client.callTool({ name: 'old_ask', arguments: { prompt: 'why' } })).toMatchObject({
      content: [{ text: expect.stringContaining('why') as string }],
    });
    expect(await client.callTool({ name: 'old_roots' })).toMatchObject({
      content: [{ text: '{"server":"old","said":[{"uri":"file:///work"}]}' }],
    });
    await client.callTool({ name: 'old_progress' }, undefined, { onprogress: ({ progress }) => steps.push(progress) });
    expect({ steps, logged }).toEqual({ steps: [1, 2], logged: ['from old'] });
    await client.callTool({ name: 'old_change' });
    await until('the client was told', () => changes > 0);
    const told = server.rootsChanges;
    await client.sendRootsListChanged();
    await until('the server was told', () => server.rootsChanges > told);
    const cancelled = server.cancelled;
    const controller = new AbortController();
    const waiting = client.callTool({ name: 'old_wait' }, undefined, { signal: controller.signal });
    await until('the server has it', () => server.messages.at(-1)?.body.includes('"wait"') === true);
    controller.abort();
    await expect(waiting).rejects.toThrow();
    await until('the server has heard of it', () => server.cancelled > cancelled);
    await client.close();
  });

  it('is told where messages go to by an address that says nothing of the server', async () => {
    const stream = await eventsOf(gateway.current.url);
    const { address } = stream;
    expect(address).toMatch(/^\/mcp\?sessionId=[\w-]+$/);
    const id = [...server.streams.keys()].at(-1) ?? '';
    expect(address).not.toContain(id);
    const body = initializeMessage('2024-11-05');
    const accepted = await post(gateway.current.origin + address, body);
    expect({ status: accepted.status, text: accepted.text }).toEqual({ status: 202, text: '' });
    expect(server.messages.at(-1)).toEqual({ path: `/messages?sessionId=${id}`, body });
    stream.leave();
    await until('the address has ended with the stream', async () => {
      const answer = await post(gateway.current.origin + address, listMessage());
      return answer.status === 404 && refusal(answer)['reason'] === 'session_unknown';
    });
    expect(gateway.current.log()).not.toContain('sessionId=');
  });

  it('takes no other address, and no session id for one', async () => {
    const stream = await eventsOf(gateway.current.url);
    const { address } = stream;
    const url = gateway.current.origin + address;
    const token = address.slice(address.indexOf('=') + 1);
    const wrong = [`${url.slice(0, -1)}${url.endsWith('A') ? 'B' : 'A'}`, url.replace('sessionId=', 'sessionId=x')];
    for (const bad of wrong)
      expect(refusal(await post(bad, listMessage()))).toMatchObject({ status: 404, reason: 'session_unknown' });
    const asSession = await post(gateway.current.url, listMessage(), { headers: { 'mcp-session-id': token } });
    expect(refusal(asSession)).toMatchObject({ status: 404, reason: 'session_unknown' });
    expect((await post(url, '{"jsonrpc":"2.0"')).status).toBe(400);
    stream.leave();
  });

  it('streams a call of any size to its server, and answers the POST of one that it refuses', async () => {
    const say = 'x'.repeat(3 << 20);
    const client = await connect(gateway.current.url);
    expect(await client.callTool({ name: 'old_echo', arguments: { say } })).toMatchObject({
      content: [{ text: JSON.stringify({ server: 'old', said: say }) }],
    });
    await client.close();
    const stream = await eventsOf(gateway.current.url);
    const url = gateway.current.origin + stream.address;
    const before = server.messages.length;
    const refused = await post(url, callMessage('"old_secret"', JSON.stringify({ say })));
    expect(refusal(refused)).toMatchObject({ status: 400, reason: 'unknown_tool' });
    const params = { arguments: { say }, name: 'old_echo' };
    const late = await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }));
    expect(refusal(late)).toMatchObject({ status: 413, reason: 'body_too_large' });
    expect(server.messages).toHaveLength(before);
    stream.leave();
  });

  it('runs nothing that asks for no answer', async () => {
    const stream = await eventsOf(gateway.current.url);
    const url = gateway.current.origin + stream.address;
    const before = server.messages.length;
    for (const name of ['old_echo', 'secret']) {
      const params = { name, arguments: {} };
      const answer = await post(url, JSON.stringify({ jsonrpc: '2.0', method: 'tools/call', params }));
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 202, text: '' });
    }
    expect(server.messages).toHaveLength(before);
    stream.leave();
  });

  it('is offered to clients of Streamable HTTP by 405, which those that know both act on', async () => {
    const refused = await post(gateway.current.url, initializeMessage());
    expect(refusal(refused)).toMatchObject({ status: 405, reason: 'method_not_allowed' });
    expect(refused.headers['allow']).toBe('GET');
    const without = await send(gateway.current.url, { method: 'GET', headers: { accept: 'application/json' } });
    expect(without.status).toBe(405);
  });

  it.each(bothProtocols)('serves both versions of HTTP: %s', async (http) => {
    const stream = await eventsOf(gateway.current.url);
    const accepted = await post(gateway.current.origin + stream.address, initializeMessage('2024-11-05', 7), { http });
    expect(accepted.status).toBe(202);
    expect(JSON.parse(await stream.next())).toMatchObject({ id: 7, result: { serverInfo: { name: 'old' } } });
    stream.leave();
  });
});

describeGateway('HTTP+SSE beside Streamable HTTP', () => {
  let old: HttpSseServer;
  let other: HttpSseServer;
  let modern: Scripted;
  beforeAll(async () => {
    old = await startHttpSseServer({ name: 'old' });
    other = await startHttpSseServer({ name: 'other', messagesAt: '/messages?kind=a' });
    modern = await startScripted({ tools: ['work'] });
  });
  afterAll(() => Promise.all([old.stop(), other.stop(), modern.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'old', url: old.url, protocol },
      { name: 'other', url: other.url, protocol },
      { name: 'modern', url: modern.url },
    ],
    plugin: {
      identity: { trustedHeader: 'x-user' },
      virtualServers: [
        { name: 'a/old', tools: ['old_echo', 'old_update', 'modern_*'], resources: ['test://old/*'] },
        { name: 'a/other', tools: ['other_*'] },
        {
          name: 'a/named',
          tools: ['other_echo'],
          overrides: [{ tool: 'other_echo', name: 'say', title: 'Say' }],
          toolSearch: { enabled: true },
        },
      ],
    },
  }));
  const as = (user: string) => ({ headers: { 'x-user': user } });

  it('is one server for each path, and the other transport has the others', async () => {
    const client = await connect(`${gateway.current.url}/a/old`, { 'x-user': 'ann' });
    expect(names((await client.listTools()).tools)).toEqual(['old_echo', 'old_update']);
    expect(await client.listResources()).toMatchObject({
      resources: [{ uri: 'test://old/one' }, { uri: 'test://old/other' }],
    });
    expect(await client.readResource({ uri: 'test://old/one' })).toMatchObject({
      contents: [{ uri: 'test://old/one' }],
    });
    const updated: string[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri));
    await client.subscribeResource({ uri: 'test://old/one' });
    expect([...old.subscriptions]).toEqual(['test://one']);
    await client.callTool({ name: 'old_update' });
    await until('the client was told', () => updated.length > 0);
    expect(updated).toEqual(['test://old/one']);
    await client.unsubscribeResource({ uri: 'test://old/one' });
    expect([...old.subscriptions]).toEqual([]);
    const unknown = { code: -32002, data: { reason: 'unknown_resource' } };
    await expect(client.subscribeResource({ uri: 'https://example.com/page' })).rejects.toMatchObject(unknown);
    expect([...old.subscriptions]).toEqual([]);
    for (const name of ['modern_work', 'other_echo']) {
      await expect(client.callTool({ name })).rejects.toMatchObject({ data: { reason: 'unknown_tool' } });
    }
    const second = await connect(`${gateway.current.url}/a/other`, { 'x-user': 'ann' });
    expect(await second.callTool({ name: 'other_echo' })).toMatchObject({
      content: [{ text: '{"server":"other","said":"echo"}' }],
    });
    expect(other.messages.at(-1)?.path).toMatch(/^\/messages\?kind=a&sessionId=/);
    await Promise.all([client.close(), second.close()]);
    expect(
      (await send(gateway.current.url, { method: 'GET', headers: { accept: 'text/event-stream', 'x-user': 'ann' } }))
        .status,
    ).toBe(405);
  });

  it('shows tools by the names of overrides, and all of them', async () => {
    const client = await connect(`${gateway.current.url}/a/named`, { 'x-user': 'ann' });
    expect((await client.listTools()).tools).toMatchObject([{ name: 'say', title: 'Say' }]);
    expect(await client.callTool({ name: 'say' })).toMatchObject({
      content: [{ text: '{"server":"other","said":"echo"}' }],
    });
    await expect(client.callTool({ name: 'other_echo' })).rejects.toMatchObject({ data: { reason: 'unknown_tool' } });
    await client.close();
  });

  it('leaves sessions of Streamable HTTP to the servers that have it', async () => {
    const answer = await post(gateway.current.url, initializeMessage(), as('ann'));
    const session = { 'mcp-session-id': answer.headers['mcp-session-id'] as string, 'x-user': 'ann' };
    expect(toolNames(await post(gateway.current.url, listMessage(), { headers: session }))).toEqual(['modern_work']);
    const called = await post(gateway.current.url, callMessage('"old_echo"'), { headers: session });
    expect(refusal(called)).toMatchObject({ reason: 'unknown_tool' });
  });

  it('needs the caller of the stream, and its path', async () => {
    const stream = await eventsOf(`${gateway.current.url}/a/old`, as('ann').headers);
    const url = gateway.current.origin + stream.address;
    expect(url).toContain('/mcp/a/old?');
    expect(refusal(await post(url, listMessage(), as('bob')))).toMatchObject({ status: 404 });
    expect((await post(url, listMessage())).status).toBe(401);
    expect(refusal(await post(url.replace('/a/old', '/a/other'), listMessage(), as('ann')))).toMatchObject({
      status: 404,
    });
    expect((await post(url, initializeMessage('2024-11-05'), as('ann'))).status).toBe(202);
    stream.leave();
  });
});

describeGateway('HTTP+SSE with two gateways', () => {
  let server: HttpSseServer;
  let gateways: Gateway[];
  beforeAll(async () => {
    server = await startHttpSseServer({ name: 'old' });
    const options = {
      servers: [{ name: 'old', url: server.url, protocol, tools: { deny: ['secret'] } }],
      ...sharedKey,
    };
    gateways = [await startGateway(options), await startGateway(options)];
  });
  afterAll(async () => {
    for (const gateway of gateways) {
      await expectSound(gateway);
      await gateway.stop();
    }
    await server.stop();
  });

  it('takes a message at either of them', async () => {
    const [first, second] = gateways as [Gateway, Gateway];
    const stream = await eventsOf(first.url);
    for (const [id, gateway] of [first, second, second, first].entries()) {
      const url = gateway.origin + stream.address;
      if (id === 0) {
        await post(url, initializeMessage('2024-11-05'));
        await stream.next();
        await post(url, '{"jsonrpc":"2.0","method":"notifications/initialized"}');
      }
      expect((await post(url, callMessage('"old_echo"', '{}', String(id)))).status).toBe(202);
      expect(JSON.parse(await stream.next())).toMatchObject({ id, result: { content: [{ type: 'text' }] } });
      expect((await post(url, callMessage('"old_secret"', '{}', `"${id}"`))).status).toBe(202);
      expect(JSON.parse(await stream.next())).toMatchObject({
        id: String(id),
        error: { data: { reason: 'unknown_tool' } },
      });
    }
    stream.leave();
  });
});

describeGateway('HTTP+SSE with a server of three instances', () => {
  let instances: HttpSseServer[];
  beforeAll(async () => {
    instances = await Promise.all(['red', 'green', 'blue'].map((name) => startHttpSseServer({ name })));
  });
  afterAll(() => Promise.all(instances.map((instance) => instance.stop())));
  const gateway = useGateway(() => ({
    servers: [{ name: 'old', url: instances[0]?.url ?? '', protocol }],
    adjust: withEndpoints(
      'old',
      instances.map(({ url }) => url),
    ),
  }));

  it('takes each message to the instance that has the stream', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(gateway.current.url)));
    const used = instances.filter(({ streams }) => streams.size > 0);
    expect(used.length).toBeGreaterThan(1);
    for (const client of [...clients, ...clients]) {
      const { name } = client.getServerVersion() ?? {};
      expect(await client.callTool({ name: 'old_echo' })).toMatchObject({
        content: [{ text: JSON.stringify({ server: name, said: 'echo' }) }],
      });
    }
    await Promise.all(clients.map((client) => client.close()));
  });
});
