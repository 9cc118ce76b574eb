import { afterAll, beforeAll, expect, it } from 'vitest';
import { refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { type RestService, startRestService } from './upstreams/rest.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

const query = (name: string): object => ({ name, type: 'string', position: 'query' });
const offer = {
  name: 'offer',
  title: 'An offer',
  description: 'Offers an item',
  arguments: [{ name: 'item', description: 'What is offered', required: true }],
  messages: [{ role: 'user', text: 'Offer {{.args.item}}' }],
};
const get = (name: string, url: string, more: object = {}): object => ({
  name,
  args: [],
  requestTemplate: { url, method: 'GET' },
  ...more,
});

describeGateway('tools of a REST service', () => {
  let service: RestService;
  let weather: SdkServer;
  beforeAll(async () => {
    service = await startRestService();
    weather = await startSdkServer({ name: 'weather' });
  });
  afterAll(async () => {
    await Promise.all([service.stop(), weather.stop()]);
  });
  const tools = (): object[] => [
    {
      name: 'get',
      description: 'An item',
      args: [
        { name: 'id', description: 'Its id', type: 'string', required: true, position: 'path' },
        { ...query('lang'), enum: ['en', 'de'], default: 'en' },
        { name: 'x-trace', position: 'header' },
        { name: 'who', position: 'cookie' },
      ],
      requestTemplate: {
        url: '/items/{id}?v=1',
        method: 'GET',
        headers: [{ key: 'X-Key', value: '{{.config.key}}' }],
      },
      responseTemplate: { body: '{{.name}} costs {{.price}}{{range .tags}} #{{.}}{{end}}' },
      errorResponseTemplate: '{{gjson "_headers.:status"}}: {{.why}}',
    },
    {
      name: 'add',
      args: [
        { name: 'name', type: 'string', required: true, maxLength: 100_000 },
        { name: 'price', type: 'number', minimum: 0 },
      ],
      requestTemplate: { url: '/items', method: 'POST', argsToJsonBody: true },
      outputSchema: { type: 'object' },
    },
    get('image', '/image'),
    get('bytes', '/bytes'),
    get('text', '/text', { responseTemplate: { prependBody: 'It says: ' } }),
    get('empty', '/empty'),
    get('nothing', '/empty', { outputSchema: { type: 'object' } }),
    get('slow', '/slow'),
    {
      name: 'large',
      args: [{ name: 'size', type: 'integer', position: 'query' }],
      requestTemplate: { url: '/large', method: 'GET' },
    },
    { name: 'hello', args: [{ name: 'name' }], responseTemplate: { body: 'Hello {{.args.name}}' } },
  ];
  const gateway = useGateway(() => ({
    servers: [
      {
        name: 'shop',
        url: service.url,
        rest: { config: { key: { env: 'SHOP_KEY' } }, tools: tools(), prompts: [offer] },
      },
      { name: 'weather', url: weather.url },
      { name: 'guides', rest: { prompts: [{ name: 'review', messages: [{ role: 'user', text: 'Review it' }] }] } },
    ],
    env: { SHOP_KEY: 'k-1' },
    plugin: {
      limits: { restResponse: '300Ki' },
      virtualServers: [{ name: 'team-a/reader', tools: ['shop_get', 'weather_*'] }],
    },
  }));

  it.each(bothProtocols)('are listed beside those of other servers, and called over %s', async (http) => {
    const { client, close } = await connectSdk(gateway.current.url, http);
    const { tools: listed } = await client.listTools();
    expect(listed.map(({ name }) => name)).toContain('shop_get');
    expect(listed.filter(({ name }) => name.startsWith('weather_')).length).toBeGreaterThan(0);
    expect(listed[0]).toEqual({
      name: 'shop_get',
      description: 'An item',
      inputSchema: {
        type: 'object',
        properties: {
          id: { description: 'Its id', type: 'string' },
          lang: { type: 'string', enum: ['en', 'de'], default: 'en' },
          'x-trace': { type: 'string' },
          who: { type: 'string' },
        },
        required: ['id'],
      },
    });
    const result = await client.callTool({
      name: 'shop_get',
      arguments: { id: 'a/b', 'x-trace': 't 1', who: 'me; you' },
    });
    expect(result).toEqual({ content: [{ type: 'text', text: 'Tea costs 1.5 #hot #green' }], isError: false });
    const { method, path, headers, body } = service.last();
    expect({ method, path, body }).toEqual({ method: 'GET', path: '/items/a%2Fb?v=1&lang=en', body: '' });
    expect(headers).toMatchObject({ 'x-key': 'k-1', 'x-trace': 't 1', cookie: 'who=me%3B%20you', accept: '*/*' });
    for (const name of [
      'mcp-session-id',
      'mcp-protocol-version',
      'content-type',
      'authorization',
      'transfer-encoding',
    ]) {
      expect(headers).not.toHaveProperty(name);
    }
    await close();
  });

  it('send their arguments as a body, and get structured content', async () => {
    const session = await openSession(gateway.current.url);
    const answer = await session.post(
      '{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"shop_add","arguments":{"price":1.0e2,"name":"T\\"ea"}}}',
    );
    expect(service.last()).toMatchObject({ method: 'POST', path: '/items', body: '{"name":"T\\"ea","price":1.0e2}' });
    expect(service.last().headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.status).toBe(200);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers).not.toHaveProperty('x-internal');
    expect(answer.body.toString()).toBe(
      '{"jsonrpc":"2.0","id":"x","result":{"content":[{"type":"text","text":"{\\"created\\":{\\"name\\":\\"T\\\\\\"ea\\",\\"price\\":1.0e2}}"}],' +
        '"isError":false,"structuredContent":{"created":{"name":"T\\"ea","price":1.0e2}}}}',
    );
  });

  it('that announce an object tell a client when there is none, instead of a result that it refuses', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    await client.listTools();
    const result = await client.callTool({ name: 'shop_nothing', arguments: {} });
    expect(result).toMatchObject({ isError: true });
    expect(JSON.stringify(result.content)).toContain('the call is done');
    await close();
  });

  it('have results of every kind', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    const call = async (name: string, args: object = {}): Promise<unknown> =>
      client.callTool({ name: `shop_${name}`, arguments: { ...args } });
    const text = (said: string, isError = false): object => ({ content: [{ type: 'text', text: said }], isError });
    expect(await call('get', { id: 'none' })).toEqual(text('404: no such item', true));
    expect(await call('text')).toEqual(text('It says: plain "text"\n'));
    expect(await call('empty')).toEqual(text('success'));
    expect(await call('slow')).toEqual(text('{"slow":true}'));
    expect(await call('hello', { name: 'you' })).toEqual(text('Hello you'));
    expect(await call('large', { size: 300 << 10 })).toEqual(text('x'.repeat(300 << 10)));
    expect(await call('large', { size: 2_000_000 })).toMatchObject({ isError: true });
    expect(await call('image')).toMatchObject({ content: [{ type: 'image', mimeType: 'image/gif' }] });
    expect(await call('bytes')).toMatchObject({
      content: [
        { type: 'resource', resource: { uri: 'rest://shop/bytes', mimeType: 'application/pdf', blob: 'Jf8A' } },
      ],
    });
    await close();
  });

  it('are not called with arguments that their schema does not allow, or that would leave their place', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    const before = service.calls.length;
    for (const [name, args, said] of [
      ['get', {}, /^Invalid arguments: id: is required\. Call /],
      ['get', { id: 1 }, /^Invalid arguments: id: must be string, found 1\. Call /],
      ['get', { id: 'a', lang: 'fr' }, /^Invalid arguments: lang: must be one of "en", "de"\. /],
      ['get', { id: '..' }, /names another resource/],
      ['get', { id: '' }, /missing or empty: id/],
      ['get', { id: 'a', 'x-trace': 'a\r\nhost: evil.example' }, /x-trace: has a line break/],
      ['add', { name: 'a', price: -1 }, /^Invalid arguments: price: must be at least 0\. Call /],
    ] as const) {
      const result = await client.callTool({ name: `shop_${name}`, arguments: args });
      expect(result).toEqual({
        content: [{ type: 'text', text: expect.stringMatching(said) as string }],
        isError: true,
      });
    }
    expect(service.calls.length).toBe(before);
    await close();
    const counted = (await gateway.current.prometheus()).split('\n').filter((line) => line.includes('sluice_requests'));
    expect(counted).toContain('sluice_requests_total{method="tools/call",server="shop",outcome="invalid_arguments"} 7');
  });

  it('stand beside prompts, which are made without asking the service', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    expect(client.getServerCapabilities()).toHaveProperty('prompts');
    const { prompts } = await client.listPrompts();
    const { title, description, arguments: args } = offer;
    expect(prompts).toContainEqual({ name: 'shop_offer', title, description, arguments: args });
    const before = service.calls.length;
    const made = await client.getPrompt({ name: 'shop_offer', arguments: { item: 'a "pot"\n' } });
    expect(made).toEqual({
      description: 'Offers an item',
      messages: [{ role: 'user', content: { type: 'text', text: 'Offer a "pot"\n' } }],
    });
    await expect(client.getPrompt({ name: 'shop_offer' })).rejects.toThrow(/item: is required/);
    expect(prompts).toContainEqual({ name: 'guides_review' });
    const { messages } = await client.getPrompt({ name: 'guides_review' });
    expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: 'Review it' } }]);
    await expect(client.getPrompt({ name: 'shop_hello' })).rejects.toThrow(/Unknown prompt: shop_hello/);
    expect(service.calls.length).toBe(before);
    await close();
  });

  it('take a body of 99 KB, and none that is larger than limits.heldBody', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    const name = 'x'.repeat(99_000);
    const result = await client.callTool({ name: 'shop_add', arguments: { name } });
    expect(result).toMatchObject({ structuredContent: { created: { name } } });
    await expect(client.callTool({ name: 'shop_add', arguments: { name: 'x'.repeat(2_000_000) } })).rejects.toThrow();
    await close();
  });

  it('obey virtual servers, and are unknown where they are not', async () => {
    const session = await openSession(`${gateway.current.url}/team-a/reader`);
    const call = (name: string): Promise<Parameters<typeof refusal>[0]> =>
      session.post(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"${name}","arguments":{"id":"1"}}}`);
    expect((await call('shop_get')).body.toString()).toContain('Tea costs 1.5');
    for (const name of ['shop_hello', 'shop_nope']) {
      expect(refusal(await call(name))).toEqual({ status: 200, id: 7, code: -32602, reason: 'unknown_tool' });
    }
  });
});

describeGateway('a REST service that is alone', () => {
  let service: RestService;
  beforeAll(async () => {
    service = await startRestService();
  });
  afterAll(() => service.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'shop', url: service.url, rest: { tools: [get('text', '/text')], prompts: [offer] } }],
  }));

  it('serves clients of 2026-07-28, which have no other revision', async () => {
    const client = await connectModern(gateway.current.url, { pin: '2026-07-28' });
    expect(client.getServerCapabilities()).toMatchObject({ tools: {}, prompts: {} });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['shop_text']);
    expect((await client.callTool({ name: 'shop_text', arguments: {} })).isError).not.toBe(true);
    const { messages } = await client.getPrompt({ name: 'shop_offer', arguments: { item: 'tea' } });
    expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: 'Offer tea' } }]);
    await client.close();
  });
});

describeGateway('a REST service that is down', () => {
  let service: RestService;
  beforeAll(async () => {
    service = await startRestService();
    await service.stop();
  });
  const gateway = useGateway(() => ({
    servers: [{ name: 'shop', url: service.url, rest: { tools: [get('text', '/text')] } }],
  }));

  it('lists its tools, and its calls fail with a reason', async () => {
    const session = await openSession(gateway.current.url);
    const list = await session.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    expect(list.body.toString()).toContain('shop_text');
    const call = await session.post('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"shop_text"}}');
    expect(refusal(call)).toEqual({ status: 200, id: 7, code: -32603, reason: 'upstream_unreachable', server: 'shop' });
  });
});
