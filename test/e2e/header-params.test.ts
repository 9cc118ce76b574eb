// A client with a session calls a server without: arguments that headers repeat there (`x-mcp-header`) get their headers from
// the gateway. The server holds the two against each other, and refuses a call whose headers say something else.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';

describeGateway('arguments that headers repeat, from a client with a session', () => {
  let server: ModernServer;
  beforeAll(async () => {
    server = await startModernServer('one');
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({ servers: [{ name: server.name, url: server.url }] }));

  const call = async (session: Awaited<ReturnType<typeof openSession>>, args: string) => {
    const params = `{"name":"one_test_mirrored_types","arguments":${args}}`;
    const { text } = await session.post(`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":${params}}`);
    const [, data = text] = /^data: (\{.*"id".*\})$/m.exec(text) ?? [];
    return JSON.parse(data) as { result?: { isError?: boolean; content: { text: string }[] }; error?: object };
  };
  const sent = () =>
    Object.fromEntries(
      Object.entries(server.requests.at(-1)?.headers ?? {}).filter(([name]) => name.startsWith('mcp-param-')),
    );

  it('are sent as the list of its tools says, which is asked for once', async () => {
    const session = await openSession(gateway.current.url);
    const lists = () => server.requests.filter(({ method }) => method === 'tools/list').length;
    const before = lists();
    const args = '{"text":"here","count":-7,"flag":false,"where":{"a/b":"deep"},"other":"not this"}';
    for (let time = 0; time < 5; time++) {
      const { result } = await call(session, args);
      expect(result?.content[0]?.text).toBe(args);
      expect(sent()).toEqual({
        'mcp-param-text': 'here',
        'mcp-param-count': '-7',
        'mcp-param-flag': 'false',
        'mcp-param-where.deep': 'deep',
      });
    }
    // Two workers may have asked at once, had the calls come at once.
    expect(lists()).toBe(before + 1);
  });

  it.each([
    ['text that is no ASCII', '{"text":"z\\u00fcrich"}', { 'mcp-param-text': '=?base64?esO8cmljaA==?=' }],
    ['text that looks encoded', '{"text":"=?base64?QQ==?="}', { 'mcp-param-text': '=?base64?PT9iYXNlNjQ/UVE9PT89?=' }],
    ['text that would end the header', '{"text":"a\\r\\nb: c"}', { 'mcp-param-text': '=?base64?YQ0KYjogYw==?=' }],
    ['empty text', '{"text":""}', { 'mcp-param-text': '' }],
    ['nothing', '{"text":null,"where":null}', {}],
    ['nothing at all', '{}', {}],
    ['an integer that a double cannot hold', '{"count":9007199254740993}', { 'mcp-param-count': '9007199254740993' }],
  ])('are encoded: %s', async (_, args, headers) => {
    const session = await openSession(gateway.current.url);
    await call(session, args);
    expect(sent()).toEqual(headers);
  });

  it('are no longer than a header can be', async () => {
    const session = await openSession(gateway.current.url);
    await call(session, '{}');
    const before = server.requests.length;
    const { result } = await call(session, `{"text":"${'x'.repeat(5_000)}"}`);
    expect(result?.isError).toBe(true);
    expect(result?.content[0]?.text).toContain('text has more than 4096 bytes');
    expect(server.requests.length).toBe(before);
  });
});
