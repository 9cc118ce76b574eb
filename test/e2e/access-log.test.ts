// What the module leaves in the access log of the shipped configuration.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { send } from './clients/raw.ts';
import { callMessage, listMessage, openSession, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

interface Line {
  readonly request: string;
  readonly status: number;
  readonly mcp_method: string | null;
  readonly mcp_server: string | null;
  readonly mcp_tool: string | null;
  readonly mcp_virtualserver: string | null;
  readonly mcp_session: string | null;
  readonly mcp_outcome: string | null;
}

describeGateway('the access log', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: upstream.url }],
    plugin: { virtualServers: [{ name: 'team/all', tools: ['*'] }] },
  }));

  const hostile = 'one_"}\n{"mcp_outcome":"ok"}\r\u0000\u2028\u001b[31m';
  /** As in the address that a client of HTTP+SSE is given. */
  const address = 'the-sealed-text-of-an-address';
  let id = '';
  let lines: Record<string, Line> = {};

  // Envoy writes its access log every ten seconds: everything first, then one wait.
  beforeAll(async () => {
    const { url } = gateway.current;
    const session = await openSession(url);
    id = session.id;
    const requests: Record<string, () => Promise<unknown>> = {
      call: () => session.post(callMessage('"one_t"')),
      narrowed: () => session.post(listMessage(), { headers: { 'x-mcp-virtualserver': 'team/all' } }),
      refused: () => session.post(callMessage('"two_t"')),
      hostile: () => session.post(callMessage(JSON.stringify(hostile))),
      long: () => session.post(callMessage(JSON.stringify(`one_${'ü'.repeat(5000)}`))),
      end: () => session.end(),
      forged: () => resumeSession(url, 'forged').post(listMessage()),
      other: () => openSession(url),
      unread: () => post(url, '{"jsonrpc":'),
      elsewhere: () => send(`${gateway.current.origin}/other?sessionId=${address}`, { method: 'GET' }),
      addressed: () => post(`${url}?sessionId=${address}`, listMessage()),
    };
    for (const request of Object.values(requests)) await request();
    const names = ['open', ...Object.keys(requests)];
    const written = (): string[] =>
      gateway.current
        .log()
        .split('\n')
        .filter((line) => line.startsWith('{'));
    await until('the log is written', () => Promise.resolve(written().length >= names.length));
    expect(written()).toHaveLength(names.length);
    lines = Object.fromEntries(names.map((name, index) => [name, JSON.parse(written()[index] ?? '') as Line]));
  });

  it('says what was asked, of whom, in which session, and how it ended', () => {
    expect(lines['open']).toMatchObject({
      mcp_method: 'initialize',
      mcp_server: null,
      mcp_tool: null,
      mcp_outcome: 'ok',
    });
    expect(lines['open']?.mcp_session).toMatch(/^[0-9a-f]{16}$/);
    const session = { mcp_session: lines['open']?.mcp_session };
    const call = { mcp_method: 'tools/call', mcp_server: 'one', mcp_tool: 'one_t', mcp_outcome: 'ok' };
    expect(lines['call']).toMatchObject({ ...call, ...session });
    expect(lines['call']?.mcp_virtualserver).toBeNull();
    expect(lines['narrowed']).toMatchObject({ mcp_virtualserver: 'team/all', mcp_outcome: 'ok', ...session });
    expect(lines['refused']).toMatchObject({
      mcp_server: null,
      mcp_tool: 'two_t',
      mcp_outcome: 'unknown_tool',
      ...session,
    });
    expect(lines['end']).toMatchObject({ mcp_method: 'DELETE', mcp_outcome: 'ok', ...session });
    expect(lines['forged']).toMatchObject({
      mcp_method: 'tools/list',
      mcp_session: null,
      mcp_outcome: 'session_unknown',
    });
    expect(lines['other']?.mcp_session).not.toBe(lines['open']?.mcp_session);
  });

  it('shows nothing that opens a session', () => {
    const log = gateway.current.log();
    expect(id.length).toBeGreaterThan(40);
    for (let at = 0; at + 20 <= id.length; at += 10) expect(log).not.toContain(id.slice(at, at + 20));
    expect(lines['elsewhere']?.request).toBe('GET /other HTTP/1.1');
    expect(lines['addressed']?.request).toBe('POST /mcp HTTP/1.1');
    expect(log).not.toContain(address);
  });

  it('cannot be forged by the name of a tool (log injection, CWE-117)', () => {
    expect(lines['hostile']).toMatchObject({ mcp_tool: hostile, mcp_outcome: 'ok' });
    expect(lines['long']?.mcp_tool).toBe(`one_${'ü'.repeat(62)}`);
  });

  it('has nothing to say of a message that was not read, or that is not for the gateway', () => {
    const nothing = { mcp_method: null, mcp_server: null, mcp_tool: null, mcp_session: null };
    expect(lines['unread']).toMatchObject({ ...nothing, mcp_outcome: 'parse_error', status: 400 });
    expect(lines['elsewhere']).toMatchObject({ ...nothing, mcp_outcome: null });
  });
});
