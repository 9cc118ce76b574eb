// Servers that lose their sessions, each in its own way, and sessions that nobody needs any more.
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { callMessage, initializeMessage, listMessage, mcpHeaders, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, pieces, status } from './upstreams/scripted.ts';
import { served, startStateful, type Stateful } from './upstreams/stateful.ts';

const noSession = '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}';
/** What servers say instead of 404. */
const ways: Readonly<Record<string, Answer>> = {
  json400: status(400, 'application/json', noSession),
  text400: status(400, 'text/plain', 'Bad Request: No valid session ID provided'),
  text401: status(401, 'text/plain', 'Unauthorized: Session not found'),
  json404: status(404, 'application/json', noSession),
  empty410: status(410),
  text422: status(422, 'text/plain', 'Unexpected message, expect initialize request'),
};

const fifty = Array.from({ length: 50 }, (_, index) => String(index + 1));

describeGateway('a server that lost its sessions', () => {
  let servers: readonly Stateful[];
  beforeAll(async () => {
    servers = await Promise.all(Object.entries(ways).map(([name, lost]) => startStateful(name, { lost })));
  });
  afterAll(() => Promise.all(servers.map(({ server }) => server.stop())));
  const gateway = useGateway(() => ({
    servers: servers.map(({ name, server }) => ({ name, url: server.url })),
    plugin: { limits: { callTimeout: '500ms' } },
  }));
  const named = (name: string): Stateful => {
    const found = servers.find((server) => server.name === name);
    if (found === undefined) throw new Error(`no server says ${name}`);
    found.server.forget();
    return found;
  };
  const methods = ({ server }: Stateful): string[] =>
    server.requests.map(({ rpcMethod, method }) => rpcMethod ?? method).filter((method) => method !== 'ping');

  it.each(Object.keys(ways))('and says %s gets a new one, and the call once more', async (name) => {
    const session = await openSession(gateway.current.url);
    const lost = named(name);
    lost.loseAll();
    expect(message(await session.post(callMessage(`"${name}_echo"`)))).toHaveProperty('result');
    expect(methods(lost)).toEqual(['tools/call', 'initialize', 'notifications/initialized', 'tools/call']);
    lost.server.forget();
    expect(message(await session.post(callMessage(`"${name}_echo"`)))).toHaveProperty('result');
    expect(methods(lost)).toEqual(['tools/call']);
    await session.end();
    expect(lost.sessions.size).toBe(0);
  });

  it.each(Object.keys(ways))('and says %s gets a new one for a list', async (name) => {
    const session = await openSession(gateway.current.url);
    const lost = named(name);
    lost.loseAll();
    expect(toolNames(await session.post(listMessage()))).toHaveLength(servers.length);
    expect(methods(lost)).toEqual(['tools/list', 'initialize', 'notifications/initialized', 'tools/list']);
    await session.end();
    expect(lost.sessions.size).toBe(0);
  });

  it.each(['json400', 'json404'])('opens one session for many calls at once: %s', async (name) => {
    const session = await openSession(gateway.current.url);
    const lost = named(name);
    lost.loseAll();
    const answers = await Promise.all(fifty.map((id) => session.post(callMessage(`"${name}_echo"`, '{}', id))));
    expect(answers.map((answer) => [message(answer).id, 'result' in message(answer)])).toEqual(
      fifty.map((id) => [Number(id), true]),
    );
    expect(lost.server.of('initialize')).toHaveLength(1);
    await session.end();
    expect(lost.sessions.size).toBe(0);
  });

  it('is not called again where it has said what the tool did', async () => {
    const session = await openSession(gateway.current.url);
    const failing = named('json400');
    const did = '{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}';
    failing.serve(status(400, 'application/json', did));
    const answer = await session.post(callMessage('"json400_echo"'));
    failing.serve(served);
    expect([answer.status, answer.text]).toEqual([400, did]);
    expect(methods(failing)).toEqual(['tools/call']);
    await session.end();
  });

  it('is not called again where its session is alive: what it says is about the call', async () => {
    const session = await openSession(gateway.current.url);
    const failing = named('text400');
    failing.serve(status(400, 'application/json', noSession));
    for (const body of [callMessage('"text400_echo"'), callMessage('"text400_echo"', large)]) {
      const answer = await session.post(body);
      expect([answer.status, answer.text]).toEqual([400, noSession]);
    }
    failing.serve(served);
    expect(methods(failing)).toEqual(['tools/call', 'tools/call']);
    await session.end();
  });

  it('answers as at first where a new session changes nothing, which is then ended and not tried again', async () => {
    const session = await openSession(gateway.current.url);
    const failing = named('json404');
    const before = new Set(failing.sessions);
    failing.serve(status(404, 'application/json', '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}'));
    const first = await session.post(callMessage('"json404_echo"'));
    expect([first.status, message(first).error?.message]).toEqual([404, 'no']);
    await until('what was opened is ended', () => failing.server.of('DELETE').length === 1);
    expect(failing.sessions).toEqual(before);
    expect(failing.server.of('tools/call')).toHaveLength(2);
    failing.server.forget();
    const second = await session.post(callMessage('"json404_echo"'));
    expect(second.text).toBe(first.text);
    expect(methods(failing)).toEqual(['tools/call']);
    failing.serve(served);
    // The session that there was is the one that there is.
    expect(message(await session.post(callMessage('"json404_echo"')))).toHaveProperty('result');
    expect(failing.sessions).toEqual(before);
    await session.end();
  });

  it('gives the first answer where no new session can be had', async () => {
    const session = await openSession(gateway.current.url);
    const lost = named('text401');
    lost.loseAll();
    const { initialize } = lost.server.answers;
    if (initialize === undefined) throw new Error('the server opens no sessions');
    lost.server.answers = { ...lost.server.answers, initialize: status(500) };
    const answer = await session.post(callMessage('"text401_echo"'));
    lost.server.answers = { ...lost.server.answers, initialize };
    expect(refusal(answer)).toMatchObject({ reason: 'upstream_unauthorized', server: 'text401' });
    expect(lost.server.of('tools/call')).toHaveLength(1);
    await session.end();
  });

  it('may take longer than its timeout for the call once more, as for any other', async () => {
    const session = await openSession(gateway.current.url);
    const slow = named('json400');
    const parts = [': working\n\n', ': working\n\n', 'data: {"jsonrpc":"2.0","id":ID,"result":{"content":[]}}\n\n'];
    slow.serve(pieces('text/event-stream', parts, 400));
    slow.loseAll();
    const answer = await session.post(callMessage('"json400_echo"'));
    slow.serve(served);
    expect(answer.text).toBe(parts.join('').replace('ID', '1'));
    await session.end();
  });

  it.each(Object.keys(ways))('and says %s to a large call gets a new one, and the client is told', async (name) => {
    const session = await openSession(gateway.current.url);
    const lost = named(name);
    lost.loseAll();
    const body = callMessage(`"${name}_echo"`, large);
    const told = { status: 200, id: 1, code: -32603, reason: 'upstream_session_lost', server: name };
    expect(refusal(await session.post(body))).toEqual(told);
    expect(lost.server.of('tools/call')).toHaveLength(1);
    expect(message(await session.post(body))).toHaveProperty('result');
    await session.end();
    expect(lost.sessions.size).toBe(0);
  });
});

/** So large that it is sent on before it has come whole, whatever its parts. */
const large = JSON.stringify({ text: 'x'.repeat(600_000) });

describeGateway('sessions with servers', () => {
  let late: Stateful;
  let silent: Stateful;
  beforeAll(async () => {
    late = await startStateful('late');
    silent = await startStateful('silent', { closesSilently: true });
  });
  afterAll(() => Promise.all([late, silent].map(({ server }) => server.stop())));
  const gateway = useGateway(() => ({
    servers: [late, silent].map(({ name, server }) => ({ name, url: server.url })),
  }));

  it('begin once, however many calls need one that has not begun', async () => {
    await late.server.stop();
    const session = await openSession(gateway.current.url);
    await late.server.start();
    late.server.forget();
    const answers = await Promise.all(fifty.map((id) => session.post(callMessage('"late_echo"', '{}', id))));
    expect(answers.filter((answer) => 'result' in message(answer))).toHaveLength(fifty.length);
    expect(late.server.of('initialize')).toHaveLength(1);
    await session.end();
  });

  it('end where the client went away before its own began', async () => {
    late.server.forget();
    const before = new Set(late.sessions);
    let answer: () => void = () => undefined;
    late.delay(new Promise((resolve) => (answer = resolve)));
    const body = initializeMessage();
    const headers = { ...mcpHeaders, 'content-length': body.length };
    const client = request(gateway.current.url, { method: 'POST', headers, agent: false });
    client.on('error', () => undefined);
    client.end(body);
    await until('the server is asked', () => late.server.of('initialize').length === 1);
    client.destroy();
    await until('the gateway has noticed', async () => {
      return (await gateway.current.stats()).get('http.mcp.downstream_rq_active') === 0;
    });
    answer();
    late.delay(undefined);
    await until('what began is ended', () => late.server.of('DELETE').length === 1);
    expect(late.sessions).toEqual(before);
  });

  describe('where a server ends its connections without a word', () => {
    it('begin all the same, and its tools are listed and called', async () => {
      for (let round = 0; round < 20; round++) {
        const session = await openSession(gateway.current.url);
        expect(toolNames(await session.post(listMessage()))).toContain('silent_echo');
        expect(message(await session.post(callMessage('"silent_echo"')))).toHaveProperty('result');
        await session.end();
      }
    });
  });
});
