// A pair whose filters are in two VMs: whatever does not need a stream is served, whole, and the rest says why not.
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from '../clients/answers.ts';
import { bothProtocols, send } from '../clients/raw.ts';
import { type Session, callMessage, listMessage, openSession } from '../clients/session.ts';
import { upload } from '../clients/upload.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { until } from '../until.ts';
import { type Scripted, events, reset, startScripted, status } from '../upstreams/scripted.ts';
import { type TaskServer, startTaskServer } from '../upstreams/tasks.ts';
import { apart } from './filters.ts';

const hostMode = { status: 500, id: 1, code: -32603, reason: 'host_mode' };

describeGateway('a pair in two VMs', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'], sessionId: 's-1' });
    two = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  afterEach(() => {
    one.answers = {};
    one.forget();
    two.forget();
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    plugin: { limits: { callTimeout: '1s' } },
    adjust: apart,
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    let session: Session;
    beforeAll(async () => {
      session = await openSession(gateway.current.url, { http });
    });

    it('lists and pings', async () => {
      expect(toolNames(await session.post(listMessage()))).toEqual(['one_echo', 'two_echo']);
      expect(message(await session.post('{"jsonrpc":"2.0","id":2,"method":"ping"}')).result).toEqual({});
    });

    it.each(['', '\n', '\r\n', '\n\n', '\r\r', '\r\n\r\n'])(
      'ends an event of which its server ends so much: %j',
      async (end) => {
        const answer = 'data: {"jsonrpc":"2.0","id":ID,"result":{"content":[]}}';
        one.answers = { 'tools/call': events(`: hi\n\n${answer}${end}`) };
        const { status: code, text } = await session.post(callMessage('"one_echo"'));
        const complete = /(?:\n\n|\r\r|\r\n\r\n)$/;
        const sent = `: hi\n\n${answer.replace('ID', '1')}${end}`;
        expect({ code, text }).toEqual({ code: 200, text: complete.test(sent) ? sent : `${sent}\n\n` });
      },
    );

    it.each([0, 1, 1000, 60_000, 70_000, 300_000, 700_000])(
      'takes the prefix out of a call with %i bytes of arguments, and nothing else',
      async (size) => {
        const args = `{"text":"${'é'.repeat(size / 2)}","n":1e400}`;
        const answer = await session.post(callMessage('"one_echo"', args), { withoutLength: size % 3 === 0 });
        expect(message(answer).result).toEqual({ content: [{ type: 'text', text: 'done' }] });
        expect(answer.headers['content-type']).toBe('application/json');
        const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
        expect(digest(one.last('tools/call').body.toString())).toBe(digest(callMessage('"echo"', args)));
        expect(one.last('tools/call').headers['mcp-session-id']).toBe('s-1');
        expect(two.requests).toEqual([]);
      },
    );

    it('takes a body that ends in trailers', async () => {
      const answer = await session.post(callMessage('"two_echo"'), { withoutLength: true, trailers: { 'x-end': '1' } });
      expect(answer.status).toBe(200);
      expect(two.last('tools/call').body.toString()).toBe(callMessage('"echo"'));
    });

    it('hands an event stream on whole', async () => {
      const note = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}';
      one.answers = { 'tools/call': events(`data: ${note}\n\n`, 'data: {"jsonrpc":"2.0","id":ID,"result":{}}\n\n') };
      const answer = await session.post(callMessage('"one_echo"'));
      expect(answer.headers['content-type']).toBe('text/event-stream');
      expect(answer.text).toBe(`data: ${note}\n\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n`);
    });

    it('says of one that stays open that it has to stream', async () => {
      one.answers = {
        'tools/call': (request, reply) => {
          reply.head(200, { 'content-type': 'text/event-stream' });
          reply.write(`data: {"jsonrpc":"2.0","id":${request.id},"result":{}}\n\n`);
        },
      };
      const answer = await session.post(callMessage('"one_echo"'));
      expect(refusal(answer)).toEqual(hostMode);
      expect(message(answer).error?.message).toContain('two VMs');
    });

    it('opens a session again that the server has lost, and calls again', async () => {
      let lost = true;
      one.answers = {
        'tools/call': (request, reply) => {
          if (lost) return status(404)(request, reply);
          reply.head(200, { 'content-type': 'application/json' });
          reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{}}`);
        },
        initialize: (request, reply) => {
          lost = false;
          reply.head(200, { 'content-type': 'application/json', 'mcp-session-id': 's-2' });
          reply.end(
            `{"jsonrpc":"2.0","id":${request.id},"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}`,
          );
        },
      };
      const answer = await session.post(callMessage('"one_echo"'));
      expect(message(answer).result).toEqual({});
      expect(one.of('tools/call').map(({ headers }) => headers['mcp-session-id'])).toEqual(['s-1', 's-2']);
      await session.end();
      session = await openSession(gateway.current.url, { http });
    });

    it('joins a server that was down when the session began, with a body that has to wait for that', async () => {
      await two.stop();
      const other = await openSession(gateway.current.url, { http });
      await two.start();
      const args = `{"text":"${'x'.repeat(200_000)}"}`;
      expect((await other.post(callMessage('"two_echo"', args))).status).toBe(200);
      expect(two.last('tools/call').body.toString()).toBe(callMessage('"echo"', args));
    });

    it('tells what a server that fails did', async () => {
      one.answers = { 'tools/call': status(500, 'text/plain', 'oops') };
      expect(refusal(await session.post(callMessage('"one_echo"')))).toMatchObject({ reason: 'upstream_status' });
      one.answers = { 'tools/call': status(422, 'application/json', '{"own":"words"}') };
      expect(await session.post(callMessage('"one_echo"'))).toMatchObject({ status: 422, text: '{"own":"words"}' });
      one.answers = { 'tools/call': status(401, undefined, '', { 'www-authenticate': 'Bearer' }) };
      expect(refusal(await session.post(callMessage('"one_echo"')))).toMatchObject({ reason: 'upstream_unauthorized' });
      one.answers = { 'tools/call': reset };
      expect(refusal(await session.post(callMessage('"one_echo"')))).toMatchObject({ reason: 'upstream_unreachable' });
    });

    it('refuses as ever', async () => {
      expect(refusal(await session.post(callMessage('"one_none"'.replace('one', 'three'))))).toMatchObject({
        reason: 'unknown_tool',
      });
      expect(refusal(await session.post('{"jsonrpc":'))).toMatchObject({ reason: 'parse_error' });
      expect((await send(gateway.current.url, { http, method: 'GET' })).status).toBe(405);
    });

    it('ends a session', async () => {
      const other = await openSession(gateway.current.url, { http });
      expect((await other.end()).status).toBe(200);
      expect(one.last('DELETE').headers['mcp-session-id']).toBe('s-1');
    });

    it('says of a body larger than it may hold that it has to stream', async () => {
      const framing = http === 'HTTP/2' ? 'HTTP/2' : 'HTTP/1.1 in chunks';
      const headers = { 'mcp-session-id': session.id, 'mcp-protocol-version': '2025-11-25' };
      const text = callMessage('"one_echo"', `{"text":"${'x'.repeat(1_200_000)}"}`);
      const sent = upload(gateway.current.url, { framing, headers, size: text.length });
      for (let at = 0; at < text.length; at += 100_000) await sent.write(Buffer.from(text.slice(at, at + 100_000)));
      sent.end();
      expect(refusal(await sent.answer)).toEqual(hostMode);
      expect(one.of('tools/call')).toEqual([]);
    });
  });

  it('says once for each worker what it costs, and counts what it did', async () => {
    const said = gateway.current.log().split('the filters of the pair are in two VMs').length - 1;
    expect(said).toBeGreaterThan(0);
    expect(said).toBeLessThanOrEqual(2);
    await until('all calls are counted', async () =>
      /sluice_forwards_total\{way="callout"\} [1-9]/.test(await gateway.current.prometheus()),
    );
    expect(await gateway.current.prometheus()).not.toContain('way="route"');
  });
});

describeGateway('a pair in two VMs, and a server that makes tasks of calls', () => {
  let server: TaskServer;
  beforeAll(async () => {
    server = await startTaskServer('tasking');
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({ servers: [{ name: server.name, url: server.url }], adjust: apart }));

  it('answers with what the task comes to', async () => {
    const session = await openSession(gateway.current.url);
    const answer = await session.post(callMessage('"tasking_slow_compute"', '{"seconds":0.3}'));
    expect(message(answer).result).toEqual({ content: [{ type: 'text', text: 'computed by tasking' }] });
    const failed = await session.post(callMessage('"tasking_protocol_error_job"'));
    expect(message(failed).error).toMatchObject({ code: -32603, message: 'it broke' });
  });

  it('cancels the task of a call that is cancelled', async () => {
    const session = await openSession(gateway.current.url);
    const called = session.post(callMessage('"tasking_slow_compute"', '{"seconds":60}', '9'));
    await until('it is asked for', () => server.messages.at(-1)?.message.method === 'tasks/get');
    await session.post('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}');
    expect(message(await called).error).toMatchObject({ code: -32800, data: { reason: 'cancelled' } });
    await until('the server knows', () => server.messages.at(-1)?.message.method === 'tasks/cancel');
  });
});
