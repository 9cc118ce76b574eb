// Servers that lose their sessions, each in its own way, and sessions that nobody needs any more.
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { aged } from './clients/aged-session.ts';
import {
  callMessage,
  initializeMessage,
  listMessage,
  mcpHeaders,
  openSession,
  resumeSession,
  type Session,
} from './clients/session.ts';
import { framings, upload } from './clients/upload.ts';
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

/** The one that has to begin its answers soon. */
const brief = 'empty410';

const fifty = Array.from({ length: 50 }, (_, index) => String(index + 1));

describeGateway('a server that lost its sessions', () => {
  let servers: readonly Stateful[];
  beforeAll(async () => {
    servers = await Promise.all(Object.entries(ways).map(([name, lost]) => startStateful(name, { lost })));
  });
  afterAll(() => Promise.all(servers.map(({ server }) => server.stop())));
  const gateway = useGateway(() => ({
    servers: servers.map(({ name, server }) => ({
      name,
      url: server.url,
      ...(name === brief && { callTimeout: '500ms' }),
    })),
    // A machine that is busy takes its time for fifty handshakes' worth of messages.
    plugin: { limits: { handshakeTimeout: '15s' } },
  }));
  const narrow = useGateway(() => ({
    servers: servers.map(({ name, server }) => ({ name, url: server.url })),
    plugin: { limits: { heldBody: '16Ki', bufferedBytes: '64Ki' } },
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
    expect(answers.map((answer) => message(answer)).filter((told) => !('result' in told))).toEqual([]);
    expect(answers.map((answer) => message(answer).id)).toEqual(fifty.map(Number));
    expect(lost.server.of('initialize')).toHaveLength(1);
    await session.end();
    expect(lost.sessions.size).toBe(0);
  });

  const did = '{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}';

  it.each([400, 404, 410, 422])('is not called again where it has said what the tool did: %i', async (code) => {
    const session = await openSession(gateway.current.url);
    const failing = named('json400');
    failing.serve(async (_, reply) => {
      reply.head(code, { 'content-type': 'application/json' });
      for (const part of [did.slice(0, 20), did.slice(20)]) {
        await sleep(20);
        reply.write(part);
      }
      reply.end();
    });
    const answer = await session.post(callMessage('"json400_echo"'));
    failing.serve(served);
    expect([answer.status, answer.text]).toEqual([code, did]);
    expect(methods(failing)).toEqual(['tools/call']);
    expect(message(await session.post(callMessage('"json400_echo"')))).toHaveProperty('result');
    await session.end();
  });

  it('is not called again where nobody can read what it has said, and its session is alive', async () => {
    const session = await openSession(gateway.current.url);
    const failing = named('json404');
    const coded = gzipSync(did);
    failing.serve((_, reply) => {
      reply.head(404, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      reply.end(coded);
    });
    const headers = { 'accept-encoding': 'gzip' };
    const answer = await session.post(callMessage('"json404_echo"'), { headers });
    failing.serve(served);
    expect([answer.status, answer.body]).toEqual([404, coded]);
    expect(methods(failing)).toEqual(['tools/call']);
    await session.end();
  });

  it('is not called again where it has said so in an event stream, or says a great deal', async () => {
    const session = await openSession(gateway.current.url);
    const failing = named('json404');
    const answers: readonly [string, string, object][] = [
      ['text/event-stream', `data: ${did}\n\n`, { reason: 'upstream_status' }],
      ['text/plain', 'No valid session. '.repeat(10_000), { reason: 'upstream_status' }],
    ];
    for (const [type, body, told] of answers) {
      failing.serve(status(404, type, body));
      expect(refusal(await session.post(callMessage('"json404_echo"')))).toMatchObject(told);
    }
    failing.serve(status(404, 'application/json', `{"error":"${'x'.repeat(100_000)}"}`));
    expect((await session.post(callMessage('"json404_echo"'))).body).toHaveLength(100_012);
    failing.serve(served);
    expect(methods(failing)).toEqual(['tools/call', 'tools/call', 'tools/call']);
    await session.end();
  });

  it('is not called again for an error under 200, whatever that says: its tool may have run', async () => {
    const session = await openSession(gateway.current.url);
    const failing = named('text400');
    const error = '{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Session not found"}}';
    failing.serve(status(200, 'application/json', error));
    const answer = await session.post(callMessage('"text400_echo"'));
    failing.serve(served);
    expect([answer.status, answer.text]).toEqual([200, error]);
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

  it('gives the first answer where there is no room for a new session', async () => {
    const session = await openSession(narrow.current.url);
    const lost = named('json404');
    lost.loseAll();
    const answer = await session.post(callMessage('"json404_echo"'));
    expect([answer.status, answer.text]).toEqual([404, noSession]);
    expect(methods(lost)).toEqual(['tools/call']);
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
    const slow = named(brief);
    const parts = [': working\n\n', ': working\n\n', 'data: {"jsonrpc":"2.0","id":ID,"result":{"content":[]}}\n\n'];
    slow.serve(pieces('text/event-stream', parts, 400));
    slow.loseAll();
    const answer = await session.post(callMessage(`"${brief}_echo"`));
    slow.serve(served);
    expect(answer.text).toBe(parts.join('').replace('ID', '1'));
    await session.end();
  });

  it('opens one session for many large calls at once', async () => {
    const session = await openSession(gateway.current.url);
    const lost = named('text400');
    lost.loseAll();
    const ids = fifty.slice(0, 10);
    const calls = ids.map((id) => session.post(callMessage('"text400_echo"', large, id)));
    for (const answer of await Promise.all(calls)) {
      // Those that found the new session were run, and no other.
      if ('error' in message(answer)) expect(refusal(answer)).toMatchObject({ reason: 'upstream_session_lost' });
    }
    expect(lost.server.of('initialize')).toHaveLength(1);
    await session.end();
    expect(lost.sessions.size).toBe(0);
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
/** So large that it cannot be repeated, and not too large to be held meanwhile. */
const held = JSON.stringify({ text: 'x'.repeat(300_000) });

describeGateway('sessions with servers', () => {
  let late: Stateful;
  let silent: Stateful;
  let early: Stateful;
  const key = randomBytes(32);
  beforeAll(async () => {
    late = await startStateful('late');
    early = await startStateful('early', { early: true });
    silent = await startStateful('silent', { closesSilently: true });
  });
  afterAll(() => Promise.all([late, silent, early].map(({ server }) => server.stop())));
  const gateway = useGateway(() => ({
    servers: [late, silent, early].map(({ name, server }) => ({ name, url: server.url })),
    plugin: { sessions: { keys: [{ id: 1, env: 'KEY' }] } },
    env: { KEY: key.toString('base64url') },
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

  it.each(framings)('are renewed though the server answers before it has read the call, over %s', async (framing) => {
    const { id } = await openSession(gateway.current.url);
    early.loseAll();
    const body = Buffer.from(callMessage('"early_echo"', large));
    const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
    const sent = upload(gateway.current.url, { framing, size: body.length, headers });
    void sent.write(body.subarray(0, 100_000));
    await until('the server has answered', () => early.server.of('initialize').length > 0);
    void sent.write(body.subarray(100_000));
    sent.end();
    expect(refusal(await sent.answer)).toMatchObject({ id: 1, reason: 'upstream_session_lost' });
    sent.leave();
    const session = resumeSession(gateway.current.url, id);
    expect(message(await session.post(body))).toHaveProperty('result');
    await session.end();
    early.server.forget();
  });

  describe('that have not been used for a minute', () => {
    const old = async (): Promise<Session> => {
      const { id } = await openSession(gateway.current.url);
      late.server.forget();
      return resumeSession(gateway.current.url, aged(id, key, 90));
    };
    const steps = (): string[] => late.server.requests.map(({ rpcMethod, method }) => rpcMethod ?? method);

    it('are asked whether they are alive before a large call goes on, and no more after that', async () => {
      const session = await old();
      const body = callMessage('"late_echo"', held);
      expect(message(await session.post(body))).toHaveProperty('result');
      expect(steps()).toEqual(['ping', 'tools/call']);
      const [, call] = late.server.requests;
      expect(call?.body.toString()).toBe(body.replace('late_', ''));
      for (let round = 0; round < 8; round++) expect(message(await session.post(body))).toHaveProperty('result');
      expect(late.server.of('ping')).toHaveLength(1);
      await session.end();
    });

    it('are renewed before a large call goes on, which is run once', async () => {
      const session = await old();
      late.loseAll();
      expect(message(await session.post(callMessage('"late_echo"', held)))).toHaveProperty('result');
      expect(steps()).toEqual(['ping', 'initialize', 'notifications/initialized', 'tools/call']);
      await session.end();
    });

    it('take a small call as it is: that can be repeated', async () => {
      const session = await old();
      expect(message(await session.post(callMessage('"late_echo"')))).toHaveProperty('result');
      expect(steps()).toEqual(['tools/call']);
      await session.end();
    });
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
