// How REST services are told who asks: by the gateway, or by the caller's own credential.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { refusal } from './clients/answers.ts';
import { callMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type RestService, startRestService } from './upstreams/rest.ts';

const securitySchemes = [
  { id: 'bearer', type: 'http', scheme: 'bearer', defaultCredential: { env: 'SHOP_TOKEN' } },
  { id: 'basic', type: 'http', scheme: 'basic', defaultCredential: { env: 'SHOP_USER' } },
  { id: 'header', type: 'apiKey', in: 'header', name: 'X-Key', defaultCredential: { env: 'SHOP_TOKEN' } },
  { id: 'query', type: 'apiKey', in: 'query', name: 'key', defaultCredential: { env: 'SHOP_TOKEN' } },
  { id: 'callers', type: 'http', scheme: 'bearer' },
];
const tool = (name: string, security?: object, more: object = {}): object => ({
  name,
  args: [],
  requestTemplate: { url: '/items/1?v=1', method: 'GET', ...(security !== undefined && { security }) },
  ...more,
});

describeGateway('the credentials of a REST service', () => {
  let service: RestService;
  beforeAll(async () => {
    service = await startRestService();
  });
  afterAll(() => service.stop());
  const tools = [
    tool('none'),
    ...['bearer', 'basic', 'header', 'query'].map((id) => tool(id, { id })),
    tool('own', { id: 'bearer', credential: { env: 'SHOP_OTHER' } }),
    tool('caller', { id: 'header' }, { security: { id: 'callers', passthrough: true } }),
  ];
  const passed = { type: 'passthrough', headers: ['cookie'] };
  const gateway = useGateway(() => ({
    servers: [
      { name: 'shop', url: service.url, rest: { securitySchemes, tools } },
      { name: 'open', url: service.url, rest: { passthroughAuthHeader: true, tools: [tool('none')] } },
      { name: 'session', url: service.url, credentials: passed, rest: { tools: [tool('none')] } },
    ],
    env: { SHOP_TOKEN: 's p&e', SHOP_USER: 'me:secret', SHOP_OTHER: 'other' },
  }));
  const own = { authorization: 'Bearer of-the-caller', cookie: 'who=me' };

  async function sentBy(name: string, headers: Record<string, string> = own): Promise<Record<string, unknown>> {
    const session = await openSession(gateway.current.url);
    const answer = await session.post(callMessage(JSON.stringify(name)), { headers });
    expect(answer.body.toString()).toContain('Tea');
    const last = service.last();
    const { authorization, cookie, 'x-key': key } = last.headers;
    return JSON.parse(JSON.stringify({ path: last.path, authorization, cookie, key })) as Record<string, unknown>;
  }

  const path = '/items/1?v=1';
  it.each([
    ['shop_none', { path }],
    ['shop_bearer', { path, authorization: 'Bearer s p&e' }],
    ['shop_basic', { path, authorization: `Basic ${Buffer.from('me:secret').toString('base64')}` }],
    ['shop_header', { path, key: 's p&e' }],
    ['shop_query', { path: `${path}&key=s+p%26e` }],
    ['shop_own', { path, authorization: 'Bearer other' }],
    ['shop_caller', { path, key: 'of-the-caller' }],
    ['open_none', { path, authorization: own.authorization }],
    ['session_none', { path, cookie: own.cookie }],
  ])('%s', async (name, expected) => {
    expect(await sentBy(name)).toEqual(expected);
  });

  it.each([
    ['has none', {}, /authorization is missing/],
    ['has one of another kind', { authorization: 'Basic bWU6eA==' }, /authorization does not begin with Bearer/],
  ])('a caller whose own is asked for %s', async (_, headers, said) => {
    const session = await openSession(gateway.current.url);
    const before = service.calls.length;
    const answer = await session.post(callMessage('"shop_caller"'), { headers });
    expect(refusal(answer)).toEqual({
      status: 200,
      id: 1,
      code: -32603,
      reason: 'upstream_unauthorized',
      server: 'shop',
    });
    expect(answer.body.toString()).toMatch(said);
    expect(service.calls.length).toBe(before);
  });
});
