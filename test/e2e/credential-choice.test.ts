// One of several credentials for a server: by a claim of the caller's token, a trusted header, and the virtual server.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { send, type RawAnswer } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, mcpHeaders, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { addFilterBefore, jwt, jwtAuthn } from './token-filter.ts';
import { type RestService, startRestService } from './upstreams/rest.ts';
import { type Answer, type Scripted, startScripted, result } from './upstreams/scripted.ts';

const modern = '2026-07-28';
const env = {
  BLUE: 'Bearer blue',
  RED: 'Bearer red',
  READER: 'key-reader',
  OTHERS: 'key-others',
  GOLD: 'key-gold',
  BASIC: 'key-basic',
};

/** Tools that are named after the credential that asks for them. */
const ownTools: Answer = (request, reply) => {
  const name = String(request.headers['authorization']).replace('Bearer ', '');
  return result(JSON.stringify({ tools: [{ name, inputSchema: { type: 'object' } }] }))(request, reply);
};

describeGateway('one of several credentials', () => {
  let teams: Scripted;
  let views: Scripted;
  let shop: RestService;
  beforeAll(async () => {
    teams = await startScripted({ sessionId: 'session-of-teams', answers: { 'tools/list': ownTools } });
    views = await startScripted({ tools: ['look'] });
    shop = await startRestService();
  });
  afterAll(() => Promise.all([teams.stop(), views.stop(), shop.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      {
        name: 'teams',
        url: teams.url,
        protocol: '2025-11-25',
        listCache: { ttl: '1h', scope: 'credential' },
        credentials: {
          type: 'choice',
          header: 'authorization',
          claim: 'org.teams',
          options: [
            { values: ['blue', 'navy'], env: 'BLUE' },
            { values: ['red'], env: 'RED' },
          ],
        },
      },
      {
        name: 'views',
        url: views.url,
        credentials: {
          type: 'choice',
          header: 'x-key',
          options: [{ virtualServers: ['team/reader'], env: 'READER' }],
          otherwise: { env: 'OTHERS' },
        },
      },
      {
        name: 'shop',
        url: shop.url,
        credentials: {
          type: 'choice',
          header: 'x-plan-key',
          trustedHeader: 'x-plan',
          options: [{ values: ['gold'], env: 'GOLD' }],
          otherwise: { env: 'BASIC' },
        },
        rest: { tools: [{ name: 'item', args: [], requestTemplate: { url: '/items/1', method: 'GET' } }] },
      },
    ],
    plugin: {
      identity: { jwt: 'verified' },
      virtualServers: [{ name: 'team/reader', tools: ['*'] }],
    },
    env,
    adjust: (bootstrap) => {
      addFilterBefore(bootstrap, jwtAuthn());
    },
  }));

  type Headers = Record<string, string>;
  const caller = (sub: string, teamsOf: unknown): Headers => ({
    authorization: `Bearer ${jwt({ iss: 'https://id.example', sub, org: { teams: teamsOf } })}`,
  });
  const ada = caller('ada', ['cooks', 'blue']);
  const bob = caller('bob', 'red');
  const eve = caller('eve', ['green']);

  async function opened(headers: Headers, path = ''): Promise<(body: string, more?: Headers) => Promise<RawAnswer>> {
    const url = gateway.current.url + path;
    const answer = await post(url, initializeMessage(), { headers });
    const id = answer.headers['mcp-session-id'];
    if (typeof id !== 'string') throw new Error(answer.text);
    const own = { ...headers, 'mcp-session-id': id };
    return (body, more = {}) =>
      body === '' ? send(url, { method: 'DELETE', headers: own }) : post(url, body, { headers: { ...own, ...more } });
  }
  const sent = (server: Scripted, header: string): unknown[] => [
    ...new Set(server.requests.map(({ headers }) => headers[header])),
  ];

  it('is sent with every message of a session, and never another', async () => {
    for (const [who, credential] of [
      [ada, 'blue'],
      [bob, 'red'],
    ] as const) {
      teams.forget();
      const say = await opened(who);
      const list = await say(listMessage());
      expect(toolNames(list)).toContain(`teams_${credential}`);
      expect((await say(callMessage(`"teams_${credential}"`))).text).toContain('"done"');
      await say('');
      expect(sent(teams, 'authorization')).toEqual([`Bearer ${credential}`]);
      const said = teams.requests.map(({ rpcMethod, method }) => rpcMethod ?? method);
      expect(said).toEqual(expect.arrayContaining(['initialize', 'notifications/initialized', 'tools/call', 'DELETE']));
    }
    // A list that is kept is for those with the same credential, whoever they are.
    teams.forget();
    const others = await opened(caller('dan', 'navy'));
    expect(toolNames(await others(listMessage()))).toContain('teams_blue');
    expect(teams.of('tools/list')).toEqual([]);
  });

  it('is refused to who has none, and to nobody else', async () => {
    teams.forget();
    const say = await opened(eve);
    const names = toolNames(await say(listMessage()));
    expect(names).toEqual(['views_look', 'shop_item']);
    const answer = await say(callMessage('"teams_blue"'));
    const row = { status: 200, id: 1, code: -31012, reason: 'credential_missing', server: 'teams' };
    expect(refusal(answer)).toEqual(row);
    expect(message(answer).error?.message).toContain('none of its options is for this claim org.teams');
    expect(teams.requests).toEqual([]);
    expect((await say(callMessage('"views_look"'))).text).toContain('"done"');
  });

  it('follows the token of each request: a session of its own begins for another credential, and all end', async () => {
    teams.forget();
    const say = await opened(caller('ann', 'blue'));
    const moved = caller('ann', 'red');
    expect((await say(callMessage('"teams_red"'), moved)).text).toContain('"done"');
    expect(teams.last('tools/call').headers['authorization']).toBe('Bearer red');
    expect(teams.of('initialize').map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer blue',
      'Bearer red',
    ]);
    await say('');
    expect(new Set(teams.of('DELETE').map(({ headers }) => headers['authorization']))).toEqual(
      new Set(['Bearer blue', 'Bearer red']),
    );
  });

  it.each([
    ['the path', '/team/reader', {}, 'key-reader'],
    ['the header', '', { 'x-mcp-virtualserver': 'team/reader' }, 'key-reader'],
    ['neither', '', {}, 'key-others'],
  ])('goes by the virtual server: %s', async (_, path, more, expected) => {
    views.forget();
    const say = await opened({ ...ada, ...more }, path);
    await say(listMessage(), more);
    await say(callMessage('"views_look"'), more);
    expect(views.of('tools/call').length).toBe(1);
    expect(sent(views, 'x-key')).toEqual([expected]);
  });

  it('goes by a trusted header, which the service does not see', async () => {
    const say = await opened(ada);
    for (const [more, expected] of [
      [{ 'x-plan': 'gold' }, 'key-gold'],
      [{ 'x-plan': 'Gold' }, 'key-basic'],
      [{}, 'key-basic'],
      [{ 'x-plan-key': 'of the client' }, 'key-basic'],
    ] as const) {
      expect((await say(callMessage('"shop_item"'), more)).text).toContain('Tea');
      const { 'x-plan-key': key, 'x-plan': plan } = shop.last().headers;
      expect([key, plan]).toEqual([expected, undefined]);
    }
  });

  it('keeps the sessions apart that requests without one share', async () => {
    teams.forget();
    const call = (headers: Headers, name: string): Promise<RawAnswer> => {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': modern,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
      };
      const stateless = { 'mcp-protocol-version': modern, 'mcp-method': 'tools/call', 'mcp-name': name };
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name, arguments: {}, _meta },
      });
      return post(gateway.current.url, body, { headers: { ...mcpHeaders, ...stateless, ...headers } });
    };
    const pat = caller('pat', 'blue');
    const moved = caller('pat', 'red');
    for (const [headers, name] of [
      [pat, 'teams_blue'],
      [moved, 'teams_red'],
      [pat, 'teams_blue'],
      [moved, 'teams_red'],
    ] as const) {
      expect((await call(headers, name)).text).toContain('"done"');
    }
    const credentials = (method: string): unknown[] => teams.of(method).map(({ headers }) => headers['authorization']);
    expect(credentials('initialize')).toEqual(['Bearer blue', 'Bearer red']);
    expect(credentials('tools/call')).toEqual(['Bearer blue', 'Bearer red', 'Bearer blue', 'Bearer red']);
  });

  it('shows no value anywhere that an operator looks', async () => {
    const seen = gateway.current.log() + (await gateway.current.configuration());
    for (const value of Object.values(env)) expect(seen).not.toContain(value);
  });
});
