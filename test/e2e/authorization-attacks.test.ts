// Ways around authorization, by name: each is refused, and nothing of it comes to a server that the caller may not use.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateKeyPairSync } from 'node:crypto';
import { message, toolNames } from './clients/answers.ts';
import { type RawAnswer, send } from './clients/raw.ts';
import {
  callMessage,
  initializeMessage,
  listMessage,
  mcpHeaders,
  openSession,
  post,
  resumeSession,
} from './clients/session.ts';
import { exchange } from './clients/wire.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { addFilterBefore, jwt, jwtAuthn, signed } from './token-filter.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const issuer = 'https://id.example.com';
const authorization = {
  default: 'deny',
  rules: [
    {
      name: 'ada',
      claims: [
        { path: 'iss', equals: issuer },
        { path: 'sub', equals: 'ada' },
      ],
      servers: ['open'],
    },
    {
      name: 'root',
      claims: [
        { path: 'iss', equals: issuer },
        { path: 'sub', equals: 'root' },
      ],
    },
    { name: 'no-drop', effect: 'deny', claims: [{ path: 'sub', equals: 'ada' }], tools: ['open_drop'] },
    { name: 'outside', effect: 'deny', tools: ['open_put'], arguments: [{ pointer: '/at/0/path', prefix: '/etc/' }] },
  ],
};
const visible = ['open_get', 'open_put'];

describeGateway('who wants more than the rules allow', () => {
  let open: Scripted;
  let secret: Scripted;
  beforeAll(async () => {
    open = await startScripted({ tools: ['get', 'put', 'drop'], sessionId: 'session-of-open' });
    secret = await startScripted({ tools: ['get', 'drop'], sessionId: 'session-of-secret' });
  });
  afterAll(() => Promise.all([open.stop(), secret.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'open', url: open.url },
      { name: 'secret', url: secret.url },
    ],
    plugin: {
      identity: { jwt: 'verified' },
      authorization,
      virtualServers: [
        { name: 'team/get', tools: ['*_get'] },
        { name: 'team/search', tools: ['*'], toolSearch: { enabled: true } },
        {
          name: 'team/renamed',
          tools: ['*'],
          overrides: [
            { tool: 'open_put', name: 'put' },
            { tool: 'secret_get', name: 'get' },
            { tool: 'open_drop', name: 'open_get2' },
          ],
        },
      ],
    },
    adjust: (bootstrap) => {
      addFilterBefore(bootstrap, jwtAuthn());
    },
  }));
  const as = (sub: string, iss = issuer, more: object = {}): { authorization: string } => ({
    authorization: `Bearer ${jwt({ iss, sub, ...more })}`,
  });
  const ada = { headers: as('ada') };
  const url = (path = ''): string => `${gateway.current.url}${path}`;
  beforeEach(() => {
    open.forget();
    secret.forget();
  });

  /** How a message fared; the names of the tools that servers were asked for. */
  function outcomeOf(answer: RawAnswer): [outcome: string, called: string[]] {
    const text = answer.text === '' ? '{}' : answer.text;
    const { error, result } = message({ ...answer, text });
    const reason = error?.data?.['reason'];
    const outcome =
      typeof reason === 'string' ? reason : result?.['isError'] === true ? 'refused' : String(answer.status);
    const called = [...open.of('tools/call'), ...secret.of('tools/call')].map(({ body }) => {
      const { params } = JSON.parse(body.toString()) as { params: { name: string } };
      return params.name;
    });
    return [outcome, called];
  }

  it('sees what the rules allow, and no other server is asked for anything', async () => {
    const session = await openSession(url(), ada);
    expect(toolNames(await session.post(listMessage()))).toEqual(visible);
    expect(secret.requests).toEqual([]);
  });

  describe('in the session of another subject', () => {
    it.each([
      ['another subject', as('eve')],
      ['the same subject of another issuer', as('ada', 'https://other.example.com')],
      ['issuer and subject cut elsewhere', as('.comada', 'https://id.example')],
      ['the subject in other letters', as('Root')],
      ['the subject with a blank', as('root ')],
      ['nobody', {}],
    ])('as %s', async (_, headers) => {
      const { id } = await openSession(url(), { headers: as('root') });
      open.forget();
      secret.forget();
      const stolen = resumeSession(url(), id, { headers });
      const expected = Object.keys(headers).length === 0 ? 'unauthenticated' : 'session_unknown';
      for (const body of [listMessage(), callMessage('"secret_get"'), callMessage('"open_get"')]) {
        expect(outcomeOf(await stolen.post(body))).toEqual([expected, []]);
      }
      expect(outcomeOf(await stolen.end())[0]).toBe(expected);
      expect([...open.requests, ...secret.requests]).toEqual([]);
    });

    it('with the session id of a server', async () => {
      for (const id of ['session-of-secret', 'session-of-open']) {
        const answer = await resumeSession(url(), id, ada).post(callMessage('"open_get"'));
        expect(outcomeOf(answer)).toEqual(['session_unknown', []]);
      }
    });
  });

  const root = { iss: issuer, sub: 'root' };
  it.each([
    ['no signature', jwt(root).replace(/[^.]*$/, '')],
    ['another key', signed(root, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
  ])('with a token of %s', async (_, token) => {
    const headers = { authorization: `Bearer ${token}` };
    expect((await post(url(), initializeMessage(), { headers })).status).toBe(401);
    expect([...open.requests, ...secret.requests]).toEqual([]);
  });

  it('with a trusted header that nobody configured', async () => {
    const headers = { 'x-user': 'root', 'x-forwarded-user': 'root', ...as('ada') };
    const session = await openSession(url(), { headers });
    expect(outcomeOf(await session.post(callMessage('"secret_get"')))).toEqual(['unknown_tool', []]);
    expect(secret.requests).toEqual([]);
  });

  it('with headers that routes trust', async () => {
    const session = await openSession(url(), ada);
    const forged = {
      'x-mcp-servername': 'secret',
      'x-mcp-toolname': 'get',
      'x-mcp-method': 'tools/call',
      'x-mcp-cluster': 'secret',
      'x-mcp-promptname': 'get',
      'x-mcp-resourceuri': 'x:y',
      'x-sluice-endpoint': new URL(secret.url).host,
      'x-envoy-original-dst-host': new URL(secret.url).host,
      'x-envoy-original-path': '/mcp',
    };
    expect(outcomeOf(await session.post(callMessage('"open_get"'), { headers: forged }))).toEqual(['200', ['get']]);
    expect(open.last('tools/call').headers).toMatchObject({ 'x-mcp-servername': 'open', 'x-mcp-toolname': 'get' });
    const hidden = await session.post(callMessage('"secret_get"'), { headers: forged });
    expect(outcomeOf(hidden)[0]).toBe('unknown_tool');
    for (const method of ['GET', 'DELETE', 'PUT', 'PATCH']) {
      await send(url(), { method, headers: { ...mcpHeaders, ...as('ada'), ...forged, 'mcp-session-id': session.id } });
    }
    // A request that is not for the gateway goes nowhere by such a header.
    for (const path of ['', '/other', '/mcpx']) {
      const answer = await send(`${new URL(url()).origin}${path}`, {
        method: 'POST',
        headers: { ...mcpHeaders, ...forged },
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }
    expect(secret.requests).toEqual([]);
  });

  it('by another method in a header or in the query', async () => {
    const session = await openSession(url(), ada);
    const overrides = {
      'x-http-method-override': 'DELETE',
      'x-http-method': 'DELETE',
      'x-method-override': 'DELETE',
      'x-original-url': '/secret',
      'x-rewrite-url': '/secret',
    };
    const query = '?_method=DELETE&x-mcp-servername=secret&name=secret_get';
    const there = resumeSession(url(query), session.id, ada);
    expect(outcomeOf(await there.post(callMessage('"open_get"'), { headers: overrides }))).toEqual(['200', ['get']]);
    expect(Object.keys(open.last('tools/call').headers).filter((name) => name in overrides)).toEqual([]);
    expect(toolNames(await session.post(listMessage()))).toEqual(visible);
  });

  describe('through another virtual server', () => {
    it.each([
      ['one that narrows less', 'team/search', 'session'],
      ['one that is not there', 'team/none', 'unknown_virtual_server'],
      ['two of them', 'team/get, team/search', 'unknown_virtual_server'],
      ['none', '', 'unknown_virtual_server'],
      ['one in other letters', 'Team/Get', 'unknown_virtual_server'],
    ])('%s in the header', async (_, header, expected) => {
      const session = await openSession(url('/team/get'), ada);
      const answer = await session.post(callMessage('"open_put"'), { headers: { 'x-mcp-virtualserver': header } });
      const [outcome, called] = outcomeOf(answer);
      expect([outcome, called]).toEqual([expected === 'session' ? 'unknown_tool' : expected, []]);
    });

    it.each([
      '',
      '/',
      '/team/search',
      '/team/renamed',
      '/team/get/',
      '/team/get/../search',
      '/team/get%2f..%2fsearch',
      '//team/search',
      '/team/search;x',
    ])('at the path %j with the session of team/get', async (path) => {
      const { id } = await openSession(url('/team/get'), ada);
      const answer = await send(url(), {
        method: 'POST',
        path: `/mcp${path}`,
        headers: { ...mcpHeaders, ...as('ada'), 'mcp-session-id': id },
        body: callMessage('"open_put"'),
      });
      expect(open.of('tools/call')).toEqual([]);
      // Envoy refuses a path with an escaped slash by itself, without words.
      expect(answer.status >= 400 || answer.text.includes('"error"')).toBe(true);
    });
  });

  it.each([
    'open_drop',
    String.raw`open_dr\u006fp`,
    'secret_get',
    'SECRET_get',
    'Open_get',
    'open_Get',
    'OPEN_DROP',
    ' open_get',
    'open_get ',
    String.raw`open_get\u0000`,
    String.raw`open_get\u0000_drop`,
    String.raw`\u0000open_get`,
    'open_get/../drop',
    'open_*',
    'open_?et',
    '*',
    'open_open_get',
    'opensecret_get',
    'open_secret_get',
    'ｏpen_get',
    String.raw`open_ge\u0074\u200b`,
    'get',
    '',
  ])('by the name %j', async (name) => {
    const session = await openSession(url(), ada);
    const [outcome, called] = outcomeOf(await session.post(callMessage(`"${name}"`)));
    // A name behind the prefix of a server is the server's to know: it has none of these.
    if (outcome === '200') expect(called.every((each) => !['drop', 'put', 'get'].includes(each))).toBe(true);
    else expect([outcome, called]).toEqual([expect.stringMatching(/^(unknown_tool|parse_error|invalid_request)$/), []]);
    expect(secret.requests).toEqual([]);
  });

  describe('around a rule on arguments', () => {
    const inside = '{"at":[{"path":"/home/x"}]}';
    it.each<[string, string]>([
      ['the member twice', '{"at":[{"path":"/home/x","path":"/etc/x"}]}'],
      ['the member twice, the good one last', '{"at":[{"path":"/etc/x","path":"/home/x"}]}'],
      ['the member twice, once in escapes', String.raw`{"at":[{"path":"/home/x","p\u0061th":"/etc/x"}]}`],
      ['the list twice', '{"at":[{"path":"/home/x"}],"at":[{"path":"/etc/x"}]}'],
      ['a member in other letters', '{"at":[{"path":"/home/x","PATH":"/etc/x"}]}'],
      ['the list in other letters', '{"at":[{"path":"/home/x"}],"At":[{"path":"/etc/x"}]}'],
      ['a member behind a NUL', String.raw`{"at":[{"path":"/home/x","path\u0000":"/etc/x"}]}`],
      ['the value in escapes', String.raw`{"at":[{"path":"\u002fetc\/x"}]}`],
      ['the value in a list', '{"at":[{"path":["/etc/x"]}]}'],
      ['an object for a list', '{"at":{"0":{"path":"/etc/x"}}}'],
      ['the value as null', '{"at":[{"path":null}]}'],
    ])('%s', async (_, args) => {
      for (const [path, name, body] of [
        ['', 'open_put', callMessage('"open_put"', args)],
        ['/team/renamed', 'put', callMessage('"put"', args)],
        ['/team/search', 'call_tool', callMessage('"call_tool"', `{"name":"open_put","arguments":${args}}`)],
        ['/team/search', 'call_tool late', callMessage('"call_tool"', `{"arguments":${args},"name":"open_put"}`)],
      ] as const) {
        const session = await openSession(url(path), ada);
        const [outcome, called] = outcomeOf(await session.post(body));
        expect([name, outcome, called]).toEqual([name, expect.stringMatching(/^(refused|parse_error)$/), []]);
      }
    });

    it('what is inside passes, by each way', async () => {
      for (const [path, body] of [
        ['', callMessage('"open_put"', inside)],
        ['/team/renamed', callMessage('"put"', inside)],
        ['/team/search', callMessage('"call_tool"', `{"name":"open_put","arguments":${inside}}`)],
      ] as const) {
        open.forget();
        const session = await openSession(url(path), ada);
        expect(outcomeOf(await session.post(body))).toEqual(['200', ['put']]);
      }
    });
  });

  it.each<[string, string, string]>([
    ['a hidden tool through call_tool', '/team/search', callMessage('"call_tool"', '{"name":"open_drop"}')],
    ['a hidden server through call_tool', '/team/search', callMessage('"call_tool"', '{"name":"secret_get"}')],
    [
      'call_tool in call_tool',
      '/team/search',
      callMessage('"call_tool"', '{"name":"call_tool","arguments":{"name":"secret_get"}}'),
    ],
    ['two names in call_tool', '/team/search', callMessage('"call_tool"', '{"name":"open_get","name":"secret_get"}')],
    [
      'a name in other letters in call_tool',
      '/team/search',
      callMessage('"call_tool"', '{"name":"open_get","NAME":"secret_get"}'),
    ],
    ['call_tool where there is no tool search', '', callMessage('"call_tool"', '{"name":"secret_get"}')],
    ['the new name of a hidden server', '/team/renamed', callMessage('"get"')],
    ['the new name of a hidden tool', '/team/renamed', callMessage('"open_get2"')],
    ['the old name of a hidden tool', '/team/renamed', callMessage('"open_drop"')],
    [
      'two names',
      '',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"open_get","name":"secret_get"}}',
    ],
    [
      'two params',
      '',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"open_get"},"params":{"name":"secret_get"}}',
    ],
    [
      'params in other letters',
      '',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"open_get"},"Params":{"name":"secret_get"}}',
    ],
    [
      'two methods',
      '',
      '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"secret_get"}}',
    ],
    ['a second document behind the first', '', `${callMessage('"open_get"')}${callMessage('"secret_get"')}`],
    [
      'a list of tools in params',
      '',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["open_get","secret_get"]}}',
    ],
    ['params as a list', '', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["secret_get"]}'],
    ['a method in other letters', '', '{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"secret_get"}}'],
    ['a prompt of the same name', '', '{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"secret_get"}}'],
    [
      'a resource of a hidden server',
      '',
      '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"x+secret://a"}}',
    ],
  ])('%s', async (_, path, body) => {
    const session = await openSession(url(path), ada);
    secret.forget();
    const answer = await session.post(body);
    expect(answer.text).toContain('error');
    expect([...open.of('tools/call'), ...secret.requests]).toEqual([]);
  });

  describe('by a second request within the first', () => {
    const smuggled = callMessage('"secret_get"', '{}', '2');
    const ends = 'content-type: application/json\r\nconnection: close\r\n';
    type Parts = (headers: string) => string;
    const second: Parts = (headers) =>
      `POST /mcp HTTP/1.1\r\n${headers}${ends}content-length: ${smuggled.length}\r\n\r\n${smuggled}`;
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    const first = callMessage('"open_get"');
    it.each<[string, Parts, number[], string[]]>([
      [
        'of a length and in chunks',
        (headers) =>
          `${headers}content-length: ${first.length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${second(headers)}`,
        [400],
        [],
      ],
      [
        'of two lengths',
        (headers) => `${headers}content-length: ${first.length}\r\ncontent-length: 0\r\n\r\n${first}${second(headers)}`,
        [400],
        [],
      ],
      [
        'in chunks of a coding that hides them',
        (headers) => `${headers}transfer-encoding: xchunked\r\n\r\n${chunk(first)}0\r\n\r\n${second(headers)}`,
        [501],
        [],
      ],
      [
        'behind its end, with the rights of a request of its own',
        (headers) => `${headers}content-length: ${first.length}\r\n\r\n${first}${second(headers)}`,
        [200, 200],
        ['get'],
      ],
      [
        'in its body',
        (headers) => {
          const body = `${first}\r\n${second(headers)}`;
          return `${headers}${ends}content-length: ${body.length}\r\n\r\n${body}`;
        },
        [400],
        [],
      ],
    ])('%s', async (_, bytes, statuses, expected) => {
      const { id } = await openSession(url(), ada);
      open.forget();
      const all = { host: 'localhost', ...mcpHeaders, ...as('ada'), 'mcp-session-id': id };
      const lines = Object.entries(all)
        .filter(([name]) => name !== 'content-type')
        .map(([name, value]) => `${name}: ${value}\r\n`);
      const answers = await exchange(new URL(url()).origin, [`POST /mcp HTTP/1.1\r\n${bytes(lines.join(''))}`]);
      expect(answers.map(({ status }) => status)).toEqual(statuses);
      if (statuses.length > 1) expect(answers[1]?.body).toContain('unknown_tool');
      const called = open.of('tools/call').map(({ body }) => JSON.parse(body.toString()) as { params: object });
      expect(called.map(({ params }) => params)).toMatchObject(expected.map((name) => ({ name })));
      expect(secret.requests).toEqual([]);
    });
  });

  it('as one message of a batch', async () => {
    const session = await openSession(url(), { ...ada, revision: '2025-03-26' });
    const answer = await session.post(
      `[${callMessage('"open_get"', '{}', '1')},${callMessage('"secret_get"', '{}', '2')}]`,
    );
    const answers = JSON.parse(answer.text) as { id: number; error?: { data: { reason: string } } }[];
    expect(answers.map(({ id, error }) => [id, error?.data.reason])).toEqual([
      [1, undefined],
      [2, 'unknown_tool'],
    ]);
    expect(secret.requests).toEqual([]);
  });

  it('has the words for a name that nobody has, whatever is hidden', async () => {
    const session = await openSession(url(), ada);
    const told = async (name: string): Promise<string> =>
      (await session.post(callMessage(`"${name}"`))).text.replaceAll(name, 'NAME');
    const nobodys = await told('nobody_get');
    for (const name of ['secret_get', 'open_drop', 'secret_none']) expect(await told(name)).toBe(nobodys);
  });
});
