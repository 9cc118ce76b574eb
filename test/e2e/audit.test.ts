// The record of who called what: one line for each request, written by the module itself.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callMessage, initializeMessage, listMessage, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { addFilterBefore, jwt, jwtAuthn } from './token-filter.ts';
import { until } from './until.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

type Line = Readonly<Record<string, unknown>>;

const authorization = {
  default: 'deny',
  rules: [
    { name: 'gets "all"', tools: ['*_get'] },
    { name: 'drops', effect: 'stepUp', tools: ['two_drop'], scopes: ['drop'] },
    { name: 'no-guests', effect: 'deny', tools: ['two_get'], claims: [{ path: 'guest', equals: true }] },
    { name: 'small', tools: ['one_put'], arguments: [{ pointer: '/amount', range: { max: 10 } }] },
  ],
};

describeGateway('the record of calls', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['get', 'put', 'drop'] });
    two = await startScripted({ tools: ['get', 'drop'] });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  const servers = (): { name: string; url: string; tools?: object }[] => [
    { name: 'one', url: one.url, tools: { deny: ['drop'] } },
    { name: 'two', url: two.url },
  ];
  const adjust = (bootstrap: Parameters<typeof addFilterBefore>[0]): void => {
    addFilterBefore(bootstrap, jwtAuthn());
  };
  const identity = { jwt: 'verified' };
  const gateway = useGateway(() => ({
    servers: servers(),
    plugin: { identity, authorization, log: 'error', audit: { arguments: true } },
    adjust,
  }));
  const plain = useGateway(() => ({
    servers: servers(),
    plugin: { identity, audit: { subject: 'plain', linesPerMinute: 3 } },
    workers: 1,
    adjust,
  }));

  const bearer = (claims: object): Record<string, string> => ({
    authorization: `Bearer ${jwt({ iss: 'https://id.example.com', sub: 'ada', ...claims })}`,
  });
  async function open(url: string, claims: object): Promise<Record<string, string>> {
    const opened = await post(url, initializeMessage(), { headers: bearer(claims) });
    return { ...bearer(claims), 'mcp-session-id': String(opened.headers['mcp-session-id']) };
  }
  const linesOf = (log: string): Line[] =>
    [...log.matchAll(/wasm log [^\n]*?: audit (\{.*\})/g)].map(([, text = '']) => JSON.parse(text) as Line);
  /** The lines of a method that a request adds: they are written when the stream is gone, which may be after its answer. */
  async function recorded(method: string, count: number, ask: () => Promise<unknown>): Promise<Line[]> {
    const lines = (): Line[] => linesOf(gateway.current.log()).filter((line) => line['method'] === method);
    const seen = lines().length;
    await ask();
    await until('the lines are there', () => lines().length >= seen + count);
    return lines().slice(seen);
  }
  const call = async (headers: Record<string, string>, name: string, args = '{}'): Promise<Line> => {
    const ask = (): Promise<unknown> => post(gateway.current.url, callMessage(JSON.stringify(name), args), { headers });
    const [line] = await recorded('tools/call', 1, ask);
    return line ?? {};
  };

  it('says who called what, by which rule, and how it ended', async () => {
    const headers = await open(gateway.current.url, {});
    const trace = 'a'.repeat(32);
    const traced = { ...headers, traceparent: `00-${trace}-${'b'.repeat(16)}-01` };
    const line = await call(traced, 'one_get', '{"city":"Bern","auth":{"Token":"geheim"}}');
    expect(line).toEqual({
      time: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      method: 'tools/call',
      subject: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      session: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      server: 'one',
      name: 'one_get',
      decision: 'allow',
      by: 'rule',
      rule: 'gets "all"',
      outcome: 'ok',
      trace,
      requestId: expect.stringMatching(/./) as string,
      arguments: '{"city":"Bern","auth":{"Token":"***"}}',
      ms: expect.any(Number) as number,
      requestBytes: expect.any(Number) as number,
      responseBytes: expect.any(Number) as number,
    });
    expect(Number(line['requestBytes'])).toBeGreaterThan(100);
    expect(Number(line['responseBytes'])).toBeGreaterThan(10);
    expect(gateway.current.log()).not.toContain('geheim');
  });

  it('names the same subject alike, and others not', async () => {
    const ada = await call(await open(gateway.current.url, {}), 'one_get');
    const again = await call(await open(gateway.current.url, { scope: 'x' }), 'two_get');
    const eve = await call(await open(gateway.current.url, { sub: 'eve' }), 'two_get');
    expect(again['subject']).toBe(ada['subject']);
    expect(eve['subject']).not.toBe(ada['subject']);
    expect(again['session']).not.toBe(ada['session']);
  });

  it.each<[string, string, object, object]>([
    [
      'a rule that denies',
      'two_get',
      { guest: true },
      { decision: 'deny', by: 'rule', rule: 'no-guests', outcome: 'unknown_tool' },
    ],
    ['a rule that steps up', 'two_drop', {}, { decision: 'stepUp', by: 'rule', rule: 'drops', outcome: 'forbidden' }],
    ['its scopes', 'two_drop', { scope: 'drop' }, { decision: 'allow', by: 'rule', rule: 'drops', outcome: 'ok' }],
    ['the rules of the server', 'one_drop', {}, { decision: 'deny', by: 'server rules', outcome: 'unknown_tool' }],
    ['no server', 'three_get', {}, { decision: 'deny', by: 'server', outcome: 'unknown_tool' }],
    [
      'a rule on arguments',
      'one_put',
      {},
      { decision: 'deny', by: 'rule', rule: 'small', outcome: 'forbidden_arguments' },
    ],
  ])('tells a decision by %s', async (_, name, claims, expected) => {
    expect(await call(await open(gateway.current.url, claims), name)).toMatchObject({ name, ...expected });
  });

  it('tells what is asked for without a name, and who is nobody', async () => {
    const headers = await open(gateway.current.url, {});
    const list = (more: Record<string, string>): Promise<unknown> =>
      post(gateway.current.url, listMessage(), { headers: more });
    const [line] = await recorded('tools/list', 1, () => list(headers));
    expect(line).toMatchObject({ decision: 'allow', outcome: 'ok' });
    expect(linesOf(gateway.current.log())).toContainEqual(
      expect.objectContaining({ method: 'initialize', decision: 'allow', outcome: 'ok', session: line?.['session'] }),
    );
    const [nobody] = await recorded('other', 1, () => list({}));
    expect(nobody).toMatchObject({ decision: 'deny', outcome: 'unauthenticated' });
    expect(nobody).not.toHaveProperty('subject');
  });

  it('lets no name forge a line', async () => {
    const headers = await open(gateway.current.url, {});
    const name = 'one_x"}\naudit {"decision":"allow"}\u001b[2J\u0085\u2028';
    const line = await call(headers, name);
    expect(line).toMatchObject({ name, decision: 'deny' });
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(gateway.current.log()).not.toMatch(/: audit .*[\u001b\u0085\u2028]/);
  });

  it('has a line for each message of a batch', async () => {
    const opened = await post(gateway.current.url, initializeMessage('2025-03-26'), { headers: bearer({}) });
    const headers = { ...bearer({}), 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    const body = `[${callMessage('"one_get"', '{}', '1')},${callMessage('"two_drop"', '{}', '2')}]`;
    const lines = await recorded('tools/call', 2, () => post(gateway.current.url, body, { headers }));
    expect(lines.map(({ name, decision, outcome }) => [name, decision, outcome])).toEqual([
      ['one_get', 'allow', 'ok'],
      ['two_drop', 'stepUp', 'forbidden'],
    ]);
  });

  it('counts its lines, and those that are too many for a minute', async () => {
    const { url } = plain.current;
    const headers = await open(url, {});
    // The minute may end in between.
    for (let i = 0; i < 8; i++) await post(url, listMessage(), { headers });
    const counted = async (result: string): Promise<number> =>
      (await plain.current.stats()).get(`wasmcustom.sluice_audit_total.result=${result}.end`) ?? 0;
    await until('all are counted', async () => (await counted('written')) + (await counted('dropped')) === 9);
    const lines = linesOf(plain.current.log());
    expect(lines.length).toBe(await counted('written'));
    expect(lines.length).toBeLessThanOrEqual(6);
    expect(plain.current.log()).toContain('audit: more lines than audit.linesPerMinute allows');
    expect(lines[0]).toMatchObject({ subject: 'ada', issuer: 'https://id.example.com', method: 'initialize' });
    expect(lines[0]).not.toHaveProperty('arguments');
  });
});
