// Event streams that a server leaves open though the client has cancelled the call.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, openSession, resumeSession, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, expectSound, startGateway, useGateway } from './gateway.ts';
import { sharedKey } from './shared-key.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, startScripted } from './upstreams/scripted.ts';

type Reply = Parameters<Answer>[1];

const OPEN = 'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}\n\n';

function cancel(session: Session, id: string) {
  return session.post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`);
}

describeGateway('the event stream of a cancelled call', () => {
  let server: Scripted;
  let other: Scripted;
  let streams: Map<string, Reply>;
  /** What each stream begins with. */
  let beginning: string;
  beforeAll(async () => {
    server = await startScripted({ tools: ['work'], sessionId: 'session-of-one' });
    other = await startScripted({ tools: ['work'], sessionId: 'session-of-two' });
  });
  afterAll(() => Promise.all([server.stop(), other.stop()]));
  beforeEach(() => {
    server.forget();
    streams = new Map();
    beginning = OPEN;
    server.answers = {
      'tools/call': (request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write(beginning);
        streams.set(request.id, reply);
      },
    };
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: server.url },
      { name: 'two', url: other.url },
    ],
  }));

  const ended = (call: Promise<unknown>) =>
    call.then(
      () => 'ended',
      () => 'cut off',
    );
  const active = async () => (await gateway.current.stats()).get('http.mcp.downstream_rq_active');

  it.each(bothProtocols)('is ended, whichever workers have the two, over %s', async (http) => {
    const session = await openSession(gateway.current.url, { http });
    // Connections of their own: some share a worker with the notification, some do not.
    const calls = ['1', '2', '"3"', '"a\\u0062"'].map((id) => session.post(callMessage('"one_work"', '{}', id)));
    for (const call of calls) call.catch(() => undefined);
    await until('the server has all of them', () => streams.size === calls.length);
    for (const id of ['1', '2', '"3"', '"ab"']) expect((await cancel(session, id)).status).toBe(202);
    await Promise.all(calls.map(ended));
    await until('no request is open any more', async () => (await active()) === 0);
  });

  it('gets the answer that it owes, where its client could have it go on', async () => {
    beginning = `id: 1\n${OPEN}`;
    const session = await openSession(gateway.current.url);
    const parts: Buffer[] = [];
    const response = await fetch(gateway.current.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': session.id,
      },
      body: callMessage('"one_work"', '{}', '7'),
    });
    await until('the server has it', () => streams.size === 1);
    await cancel(session, '7');
    const alive = setInterval(() => streams.get('7')?.write(': alive\n\n'), 300);
    const reader = response.body?.getReader();
    try {
      for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
        parts.push(Buffer.from(read.value as Uint8Array));
      }
    } catch {
      // a stream that was cut off
    } finally {
      clearInterval(alive);
    }
    const text = Buffer.concat(parts).toString();
    const last = text.trimEnd().split('\n').at(-1) ?? '';
    expect(JSON.parse(last.slice('data: '.length))).toMatchObject({
      id: 7,
      error: { code: -32800, data: { reason: 'cancelled', server: 'one' } },
    });
    await until('no request is open any more', async () => (await active()) === 0);
    const counted = [...(await gateway.current.stats())].find(([name]) => /sluice_errors_total.*cancelled/.test(name));
    expect(counted?.[1]).toBeGreaterThan(0);
  });

  it('goes on where another call was cancelled, or the same id of another session, or of an earlier call', async () => {
    const session = await openSession(gateway.current.url);
    const stranger = await openSession(gateway.current.url);
    expect((await cancel(session, '4')).status).toBe(202);
    const kept = ['4', '5', '"6"'].map((id) => session.post(callMessage('"one_work"', '{}', id)));
    const left = session.post(callMessage('"one_work"', '{}', '6'));
    left.catch(() => undefined);
    await until('the server has all of them', () => streams.size === 4);
    for (const id of ['4', '5', '"6"']) await cancel(stranger, id);
    await cancel(session, '6');
    // What is ended shows that marks were looked at since.
    await ended(left);
    for (const id of ['4', '5', '"6"']) {
      streams.get(id)?.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[]}}\n\n`);
    }
    for (const answer of await Promise.all(kept)) {
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('"result":{"content":[]}');
    }
  });

  it('has a moment to end by itself', async () => {
    const session = await openSession(gateway.current.url);
    const call = session.post(callMessage('"one_work"', '{}', '8'));
    await until('the server has it', () => streams.size === 1);
    await cancel(session, '8');
    await until('the server has heard of it', () => server.of('notifications/cancelled').length === 1);
    streams.get('8')?.end('data: {"jsonrpc":"2.0","id":8,"error":{"code":-32800,"message":"cancelled"}}\n\n');
    expect((await call).text).toContain('"message":"cancelled"');
  });
});

describeGateway('the event stream of a call that is cancelled by another replica', () => {
  let server: Scripted;
  let gateways: Gateway[];
  let stream: Reply | undefined;
  beforeAll(async () => {
    server = await startScripted({ tools: ['work'], sessionId: 'session-of-one' });
    server.answers = {
      'tools/call': (_, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write(OPEN);
        stream = reply;
      },
    };
    const options = {
      servers: [{ name: 'one', url: server.url }],
      ...sharedKey,
    };
    gateways = [await startGateway(options), await startGateway(options)];
  });
  afterAll(async () => {
    for (const gateway of gateways) {
      await expectSound(gateway);
      await gateway.stop();
    }
    await server.stop();
  });

  it('is the server to end, which is told as always', async () => {
    const [first, second] = gateways as [Gateway, Gateway];
    const session = await openSession(first.url);
    const call = session.post(callMessage('"one_work"', '{}', '7'));
    await until('the server has the call', () => stream !== undefined);
    expect((await cancel(resumeSession(second.url, session.id), '7')).status).toBe(202);
    await until('the server has heard of it', () => server.of('notifications/cancelled').length > 0);
    const { headers, body } = server.last('notifications/cancelled');
    expect(headers['mcp-session-id']).toBe('session-of-one');
    expect(JSON.parse(body.toString())).toMatchObject({ params: { requestId: 7 } });
    stream?.end('data: {"jsonrpc":"2.0","id":7,"error":{"code":-32800,"message":"cancelled"}}\n\n');
    const { status, text } = await call;
    expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining('"code":-32800') as string });
  });
});
