// Requests over HTTP/2 frame by frame: however a body is cut, and wherever a stream ends, each stream gets what is its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endStream, Frame, FrameClient } from './clients/http2-frames.ts';
import { callMessage, lateNameMessage, mcpHeaders, openSession, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, startScripted } from './upstreams/scripted.ts';

const done = '"text":"done"';

/** Says again what the call had for an argument. */
const echo: Answer = (request, reply) => {
  const { params } = JSON.parse(request.body.toString()) as { params: { arguments: { text?: string } } };
  const text = params.arguments.text ?? 'done';
  reply.head(200, { 'content-type': 'application/json' });
  reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{"content":[{"type":"text","text":"${text}"}]}}`);
};

describeGateway('over HTTP/2, frame by frame', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['a'], sessionId: 's-1' });
    two = await startScripted({ tools: ['b'], sessionId: 's-2' });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
  }));
  let session: Session;
  let client: FrameClient;
  let headers: Record<string, string>;
  beforeEach(async () => {
    one.answers = { 'tools/call': echo };
    two.answers = {};
    session = await openSession(gateway.current.url);
    one.forget();
    headers = { ...mcpHeaders, 'mcp-session-id': session.id, 'mcp-protocol-version': '2025-11-25' };
    client = await FrameClient.connect(gateway.current.url);
  });
  afterEach(() => {
    client.close();
  });

  const begin = (more: object = {}, options: object = {}): number =>
    client.post(gateway.current.url, { ...headers, ...more }, options);
  const data = (stream: number, bytes: Buffer | string, flags = 0): void => {
    client.send(Frame.Data, flags, stream, bytes);
  };
  const isIdle = async (): Promise<boolean> =>
    (await gateway.current.stats()).get('http.mcp.downstream_rq_active') === 0;
  const call = callMessage('"one_a"');

  describe('a call', () => {
    it('may come in frames of one byte, with empty ones between', async () => {
      const stream = begin();
      for (const byte of Buffer.from(call)) {
        data(stream, Buffer.of(byte));
        data(stream, '');
      }
      data(stream, '', endStream);
      expect(await client.text(stream)).toContain(done);
      expect(one.last('tools/call').body.toString()).toBe(call.replace('one_a', 'a'));
    });

    it.each([0, 1])('may have trailers behind its body, after %i empty frames', async (empty) => {
      const stream = begin();
      data(stream, call);
      for (let count = 0; count < empty; count++) data(stream, '');
      client.trailers(stream, { 'x-end': '1', 'x-mcp-servername': 'two' });
      expect(await client.text(stream)).toContain(done);
      expect(two.of('tools/call')).toEqual([]);
    });

    it('may have its headers in several frames', async () => {
      const stream = begin({ 'x-long': 'x'.repeat(10_000) }, { parts: 4 });
      data(stream, call, endStream);
      expect(await client.text(stream)).toContain(done);
    });

    it('without a body is refused, and so is one with empty frames alone', async () => {
      const bare = begin({}, { flags: endStream });
      const empty = begin();
      data(empty, '');
      data(empty, '', endStream);
      for (const stream of [bare, empty]) expect(await client.text(stream)).toContain('"reason":"parse_error"');
      expect(one.requests).toEqual([]);
    });

    it.each(['1', '100000'])('whose length is not %s, as it says, gets to no server', async (length) => {
      const stream = begin({ 'content-length': length });
      data(stream, call, endStream);
      await until('it is refused', () => client.answer(stream).reset !== undefined || client.answer(stream).ended);
      await until('nothing is held', isIdle);
      expect(one.of('tools/call')).toEqual([]);
      expect((await session.post(call)).text).toContain(done);
    });

    it('goes on while pings are answered, and behind a GOAWAY of its client', async () => {
      const stream = begin();
      data(stream, call.slice(0, 20));
      client.send(Frame.Ping, 0, 0, '12345678');
      client.goAway();
      data(stream, call.slice(20), endStream);
      expect(await client.text(stream)).toContain(done);
      await until('the ping was answered', () => client.pongs.includes('12345678'));
    });
  });

  describe('a stream that its client resets', () => {
    const late = lateNameMessage('"one_a"', JSON.stringify({ text: 'x'.repeat(100_000) }));
    afterEach(async () => {
      await until('nothing is held', isIdle);
      const after = begin();
      data(after, callMessage('"one_a"', '{"text":"after"}'), endStream);
      expect(await client.text(after)).toContain('"text":"after"');
    });

    it('in the middle of a body that is held reaches no server', async () => {
      const stream = begin();
      for (let at = 0; at < 90_000; at += 15_000) data(stream, late.slice(at, at + 15_000));
      client.reset(stream);
      await until('nothing is held', isIdle);
      expect(one.of('tools/call')).toEqual([]);
    });

    it('while servers are asked leaves the others theirs', async () => {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      two.answers['tools/list'] = async (request, reply) => {
        await released;
        reply.head(200, { 'content-type': 'application/json' });
        reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{"tools":[]}}`);
      };
      const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
      const [gone, stays] = [begin(), begin()];
      for (const stream of [gone, stays]) data(stream, list, endStream);
      await until('both are asked for', () => two.of('tools/list').length === 2);
      client.reset(gone);
      release();
      expect(await client.text(stays)).toContain('"name":"one_a"');
      expect(client.answer(gone).data.toString()).toBe('');
    });

    it('in the middle of its answer ends that of the server', async () => {
      one.answers['tools/call'] = async (request, reply) => {
        if (request.body.includes('after')) return echo(request, reply);
        reply.head(200, { 'content-type': 'text/event-stream' });
        for (let count = 0; count < 500; count++) {
          reply.write(`data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":${count}}}\n\n`);
          await sleep(20);
        }
      };
      const stream = begin();
      data(stream, call, endStream);
      await until('it has begun', () => client.answer(stream).data.length > 200);
      client.reset(stream);
    });
  });

  it('a list that its client does not read for a while comes whole, and others are not held up', async () => {
    const tools = Array.from({ length: 3_000 }, (_, index) => ({
      name: `t${index}`,
      description: 'x'.repeat(1_000),
      inputSchema: { type: 'object' },
    }));
    one.answers['tools/list'] = (request, reply) => {
      reply.head(200, { 'content-type': 'application/json' });
      reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":${JSON.stringify({ tools })}}`);
    };
    const closed = await FrameClient.connect(gateway.current.url, 0);
    const streams = Array.from({ length: 5 }, () => closed.post(gateway.current.url, headers));
    for (const stream of streams) {
      closed.send(Frame.Data, endStream, stream, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    }
    await until('they have been asked for', () => one.of('tools/list').length === streams.length);
    for (let count = 0; count < 5; count++) expect((await session.post(call)).text).toContain(done);
    for (const stream of streams) expect(closed.answer(stream).data.length).toBe(0);
    closed.open(0, 1 << 30);
    for (const stream of streams) closed.open(stream, 1 << 25);
    for (const stream of streams) {
      const { result } = JSON.parse(await closed.text(stream)) as { result: { tools: { name: string }[] } };
      expect(result.tools).toHaveLength(3_001);
    }
    closed.close();
  });

  it('a hundred streams whose parts come in turns get the answers to their own', async () => {
    const bodies = Array.from({ length: 100 }, (_, index) =>
      Buffer.from(lateNameMessage('"one_a"', JSON.stringify({ text: `${index}-`.repeat(200) }))),
    );
    const streams = bodies.map(() => begin());
    const size = 50;
    const longest = Math.max(...bodies.map(({ length }) => length));
    for (let at = 0; at < longest; at += size) {
      bodies.forEach((body, index) => {
        const stream = streams[index];
        if (stream === undefined || at >= body.length) return;
        data(stream, body.subarray(at, at + size), at + size >= body.length ? endStream : 0);
      });
    }
    for (const [index, stream] of streams.entries()) {
      expect(await client.text(stream)).toContain(`"text":"${`${index}-`.repeat(200)}"`);
    }
  });
});
