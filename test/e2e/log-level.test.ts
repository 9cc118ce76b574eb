// The log level that a client has set, at servers that join its session later.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, result, startScripted, status } from './upstreams/scripted.ts';

const SET_LEVEL = 'logging/setLevel';
const params = '{"level": "debug","_meta":{"x":1.0}}';
const setLevel = `{"jsonrpc":"2.0","id":1,"method":"${SET_LEVEL}","params":${params}}`;

describeGateway('logging/setLevel', () => {
  let there: Scripted;
  let late: readonly Scripted[];
  let silent: Scripted;
  beforeAll(async () => {
    const logs = { capabilities: { tools: {}, logging: {} } };
    const options = {
      initialized: logs,
      tools: ['echo'],
      sessionId: 'session',
      answers: { [SET_LEVEL]: result('{}') },
    };
    there = await startScripted(options);
    late = await Promise.all(
      ['one', 'two'].map((name) => startScripted({ ...options, sessionId: `session-of-${name}` })),
    );
    silent = await startScripted({ tools: ['echo'], sessionId: 'session-of-silent' });
  });
  afterAll(() => Promise.all([there, ...late, silent].map((server) => server.stop())));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'there', url: there.url },
      ...late.map(({ url }, index) => ({ name: `late${index}`, url })),
      { name: 'silent', url: silent.url },
    ],
  }));

  it.each(bothProtocols)('reaches a server of the session that joins after it, over %s', async (http) => {
    const index = bothProtocols.indexOf(http);
    const server = late[index];
    if (server === undefined) throw new Error('there are not so many servers');
    await Promise.all([server.stop(), silent.stop()]);
    const session = await openSession(gateway.current.url, { http });
    await Promise.all([server.start(), silent.start()]);
    for (const one of [server, silent]) one.forget();
    expect((await session.post(setLevel)).text).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
    expect(server.of(SET_LEVEL)).toEqual([]);
    // Each on a connection of its own, so on any worker.
    for (let i = 0; i < 3; i++) {
      for (const name of [`late${index}`, 'silent']) {
        expect((await session.post(callMessage(`"${name}_echo"`))).status).toBe(200);
      }
    }
    expect(server.requests.map(({ rpcMethod }) => rpcMethod)).toEqual([
      'initialize',
      'notifications/initialized',
      SET_LEVEL,
      ...['tools/call', 'tools/call', 'tools/call'],
    ]);
    expect(server.last(SET_LEVEL).body.toString()).toContain(`"params":${params}`);
    expect(server.last(SET_LEVEL).headers['mcp-session-id']).toMatch(/^session-of-/);
    expect(silent.of(SET_LEVEL)).toEqual([]);
  });

  it('reaches a server whose session is renewed, which is used whatever it says to that', async () => {
    const [, server] = late as [Scripted, Scripted];
    const session = await openSession(gateway.current.url);
    await session.post(setLevel);
    server.forget();
    let isLost = true;
    server.answers = {
      [SET_LEVEL]: status(500),
      'tools/call': (request, reply) => {
        const answer = isLost ? status(404) : result('{"content":[]}');
        isLost = false;
        return answer(request, reply);
      },
    };
    expect((await session.post(callMessage('"late1_echo"'))).text).toContain('"result"');
    expect(server.of(SET_LEVEL).length).toBe(1);
    server.answers = {};
  });
});
