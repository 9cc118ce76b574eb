// Calls that are sent on before their end has come: what passes, at what price, and what is cut off.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bootstrap } from '../../envoy/render/bootstrap.ts';
import { connectionManager } from './adjust.ts';
import { message, refusal } from './clients/answers.ts';
import type { RawAnswer } from './clients/raw.ts';
import { lateNameMessage, openSession } from './clients/session.ts';
import { type Framing, type Upload, framings, upload } from './clients/upload.ts';
import { describeGateway, engine } from './engine.ts';
import { type Gateway, useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const parseError = { status: 400, id: 'big', code: -32700, reason: 'parse_error' };
const invalidRequest = { status: 400, id: 'big', code: -32600, reason: 'invalid_request' };
const tooLarge = { status: 200, id: 'big', code: -32600, reason: 'body_too_large' };

const megabyte = 1 << 20;
const opening = (tool: string): string =>
  `{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"name":"${tool}","arguments":{"text":"`;
const closing = '"}}}';

/** What may follow a megabyte of arguments, and the row that it is refused with. */
const contradictions: readonly (readonly [string, string | Buffer, object])[] = [
  ['a second name', '"},"name":"rm"}}', parseError],
  ['a second name written with escapes', '"},"n\\u0061me":"rm"}}', parseError],
  ['a second method', '"}},"method":"ping"}', parseError],
  ['a second id', '"}},"id":2}', parseError],
  ['a second params', '"}},"params":{"name":"rm"}}', parseError],
  ['a name in other letters', '"},"Name":"rm"}}', parseError],
  ['a method with a NUL behind it', '"}},"method\\u0000":"ping"}', parseError],
  ['a letter behind the document', `${closing}x`, parseError],
  ['another document', `${closing}{"jsonrpc":"2.0","id":2,"method":"ping"}`, parseError],
  ['its end one brace too early', '"}}', parseError],
  ['its end in the middle of the text', 'xyz', parseError],
  ['its end in the middle of a character', Buffer.from([0x78, 0xe6, 0x97]), parseError],
  ['text that is not UTF-8', Buffer.from(`\xc3\x28${closing}`, 'latin1'), parseError],
  ['a line break in the text', `\n${closing}`, parseError],
  ['the claim of another era', '"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}', invalidRequest],
  ['a result', '"}},"result":{}}', invalidRequest],
  ['white space without end', `${closing}${' '.repeat(20 << 10)}`, invalidRequest],
];

describeGateway('a large call', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'] });
    two = await startScripted({ tools: ['echo'], http2: true });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  const servers = (): { name: string; url: string }[] => [
    { name: 'one', url: one.url },
    { name: 'two', url: two.url },
  ];
  const adjust = (bootstrap: Bootstrap): void => {
    const cluster = bootstrap.static_resources.clusters.find(({ name }) => name === 'two');
    const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
    // Toward a server, too, HTTP/2 buffers by its window: without one Envoy takes 16 MiB before it tells the client to
    // wait, whatever its filters do.
    const http2 = { initial_stream_window_size: megabyte, initial_connection_window_size: megabyte };
    Object.assign(cluster ?? {}, {
      typed_extension_protocol_options: {
        [options]: {
          '@type': `type.googleapis.com/${options}`,
          explicit_http_config: { http2_protocol_options: http2 },
        },
      },
    });
    Object.assign(bootstrap, { stats_flush_on_admin: true }); // memory as it is, not as it was some seconds ago
  };
  const gateway = useGateway(() => ({ servers: servers(), adjust }));
  const narrow = useGateway(() => ({
    servers: servers(),
    adjust,
    plugin: { limits: { requestBody: '1536Ki' } },
  }));
  /** What Envoy leaves out over HTTP/1.1 unless it is told to keep them. */
  const withTrailers = useGateway(() => ({
    servers: servers(),
    adjust: (bootstrap) => {
      adjust(bootstrap);
      keepTrailers(bootstrap);
    },
  }));
  const upstream = { one: () => one, two: () => two };

  async function begin(
    { url }: Gateway,
    framing: Framing,
    size: number,
    more: { trailers?: Record<string, string>; headers?: Record<string, string> } = {},
  ): Promise<Upload> {
    const { id } = await openSession(url);
    one.forget();
    two.forget();
    const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25', ...more.headers };
    return upload(url, { framing, size, ...more, headers });
  }

  async function sendWhole(body: Buffer, framing: Framing, pieces: Iterable<Buffer> = [body]): Promise<RawAnswer> {
    const sent = await begin(gateway.current, framing, body.length);
    for (const piece of pieces) await sent.write(piece);
    sent.end();
    return sent.answer;
  }

  /** A call that this server has begun to get. */
  async function released(
    through: Gateway,
    server: keyof typeof upstream,
    framing: Framing,
    rest = 0,
    more: Parameters<typeof begin>[3] = {},
  ): Promise<Upload> {
    const head = Buffer.from(opening(`${server}_echo`) + 'x'.repeat(megabyte));
    const sent = await begin(through, framing, head.length + rest, more);
    void sent.write(head); // an HTTP/2 stream may have to wait for its window
    await until('the call is sent on', () => (upstream[server]().arrivals[0]?.size ?? 0) > 0);
    return sent;
  }

  /** The server got a part of one request, and will never get more. */
  async function expectCut(server: Scripted): Promise<void> {
    await until('the server sees it cut off', () => server.arrivals.every(({ state }) => state !== 'arriving'));
    expect(server.arrivals.map(({ state }) => state)).toEqual(['cut']);
    expect(server.requests).toEqual([]);
  }

  describe.each(framings)('over %s', (framing) => {
    it('whose name comes too late is told so, however much arrives at once', async () => {
      const late = Buffer.from(lateNameMessage('"one_echo"', JSON.stringify('x'.repeat(megabyte))));
      for (let round = 0; round < 5; round++) {
        const sent = await begin(gateway.current, framing, 20 << 20);
        void sent.write(late.subarray(0, -20));
        void sent.write(late.subarray(100, -20));
        expect(refusal(await sent.answer)).toEqual({ ...tooLarge, id: 1 });
        sent.leave();
      }
    });

    describe.each(['one', 'two'] as const)('to server %s', (name) => {
      const server = upstream[name];

      // Envoy's own buffers, whatever the size of the body: it reads up to 2 MiB ahead of a slow server, keeps 2 MiB for a
      // retry until it gives that up, and has as much again between its two codecs. An HTTP/2 client may fill its window
      // of 2 MiB on top. The bound leaves one more for the rest of the process.
      it('of 20 MB passes byte for byte, and Envoy does not hold it', async () => {
        const text = Buffer.alloc(20 << 20, 'a line of an argument, "quoted" ä 日本\\\n'.replaceAll(/["\n\\]/g, '\\n'));
        const whole = (tool: string): Buffer =>
          Buffer.concat([Buffer.from(opening(tool)), wholeCharacters(text), Buffer.from(closing)]);
        const body = whole(`${name}_echo`);
        await sendWhole(body, framing, inPieces(body, 64 << 10)); // what a first call makes lasts
        const before = await allocated(gateway.current);
        const watch = watchMemory(gateway.current);
        const answer = await sendWhole(body, framing, inPieces(body, 64 << 10));
        const most = await watch.stop();
        expect([answer.status, message(answer).id]).toEqual([200, 'big']);
        expect(sha256(server().last('tools/call').body)).toBe(sha256(whole('echo')));
        // The embedded engine shares its memory with this test, which holds the body several times.
        if (engine?.name === 'envoy') expect(most - before).toBeLessThan((framing === 'HTTP/2' ? 5 : 4) * 2 * megabyte);
      });

      it.each([65_535, 65_536, 65_537, 70_000, megabyte])('of %d bytes passes, however it is cut', async (size) => {
        const whole = (tool: string): Buffer => {
          const text = 'y'.repeat(size - opening(`${name}_echo`).length - closing.length);
          return Buffer.from(opening(tool) + text + closing);
        };
        const body = whole(`${name}_echo`);
        expect(body).toHaveLength(size);
        const cuts = [[body], inPieces(body, 65_536), inPieces(body, 997), growing(body), ending(body)];
        for (const pieces of cuts) {
          const answer = await sendWhole(body, framing, pieces);
          expect(answer.status, answer.text).toBe(200);
          expect(server().last('tools/call').body.equals(whole('echo'))).toBe(true);
          expect(server().arrivals).toHaveLength(1);
        }
      });

      it.each(contradictions)('is never complete where it ends with %s', async (_, end, row) => {
        const sent = await released(gateway.current, name, framing, Buffer.byteLength(end));
        await sent.write(Buffer.from(end));
        sent.end();
        expect(refusal(await sent.answer)).toEqual(row);
        await expectCut(server());
      });

      it.each([
        ['an id that is no integer', ',"id":1.5}'],
        ['no id at all', '}'],
      ])('is never complete with %s', async (_, end) => {
        const head = `${opening(`${name}_echo`).replace('"id":"big",', '')}${'x'.repeat(megabyte)}"}}`;
        const sent = await begin(gateway.current, framing, head.length + end.length);
        void sent.write(Buffer.from(head));
        await until('the call is sent on', () => (server().arrivals[0]?.size ?? 0) > 0);
        await sent.write(Buffer.from(end));
        sent.end();
        expect(refusal(await sent.answer)).toMatchObject({ status: 400, code: -32600, reason: 'invalid_request' });
        await expectCut(server());
      });

      it('may end with white space', async () => {
        const end = `${closing}\r\n\t ${' '.repeat(2_000)}`;
        const sent = await released(gateway.current, name, framing, end.length);
        for (const piece of inPieces(Buffer.from(end), 500)) await sent.write(piece);
        sent.end();
        expect((await sent.answer).status).toBe(200);
        expect(server().last('tools/call').body.toString().slice(-end.length)).toBe(end);
      });

      it('is cut off where it grows beyond the largest request', async () => {
        const sent = await released(narrow.current, name, framing, megabyte);
        await sent.write(Buffer.alloc(600 << 10, 'x'));
        expect(refusal(await sent.answer)).toEqual(tooLarge);
        sent.leave();
        await expectCut(server());
      });

      it('whose client leaves is not complete either, and not held', async () => {
        const sent = await released(gateway.current, name, framing, megabyte);
        sent.leave();
        await expectCut(server());
        await until(
          'no request is held',
          async () => (await gateway.current.stats()).get('http.mcp.downstream_rq_active') === 0,
        );
      });
    });

    it('that names its tool too late is refused, and no server hears of it', async () => {
      const body = Buffer.from(lateNameMessage('"one_echo"', JSON.stringify('x'.repeat(megabyte))));
      const row = { status: 200, code: -32600, reason: 'body_too_large' };
      expect(refusal(await sendWhole(body, framing))).toMatchObject(row);
      expect([...one.arrivals, ...two.arrivals]).toEqual([]);
    });
  });

  // Of HTTP/1.1 Envoy reads up to 2 MiB at once, and answers 413 where that and what it holds are more.
  describe.each([
    ...framings.map((framing) => ({ framing, ends: 'without trailers', more: {} })),
    { framing: 'HTTP/1.1 in chunks', ends: 'with trailers', more: { trailers: { 'x-end': '1' } } },
    { framing: 'HTTP/2', ends: 'with trailers', more: { trailers: { 'x-end': '1' } } },
    ...(['HTTP/1.1 in chunks', 'HTTP/2'] as const).map((framing) => ({
      framing,
      ends: 'with trailers that it announces',
      more: { trailers: { 'x-end': '1' }, headers: { trailer: 'x-end' } },
    })),
  ] as const)('over $framing $ends', ({ framing, more }) => {
    it.each([1.9, 2, 2.05, 2.5, 4, 16])('of %d MiB passes, whatever comes at once', async (mebibytes) => {
      const size = Math.round(mebibytes * megabyte);
      const text = 'z'.repeat(size - opening('one_echo').length - closing.length);
      const body = Buffer.from(opening('one_echo') + text + closing);
      const expected = sha256(Buffer.from(opening('echo') + text + closing));
      for (const first of [0, 100, 60_000, 70_000, megabyte]) {
        const sent = await begin(gateway.current, framing, size, more);
        await sent.write(body.subarray(0, first));
        if (first > 0) await sleep(30); // it comes by itself, and what follows in a burst
        void sent.write(body.subarray(first));
        sent.end();
        const answer = await sent.answer;
        expect([answer.status, message(answer).id], answer.text.slice(0, 300)).toEqual([200, 'big']);
        expect(sha256(one.last('tools/call').body)).toBe(expected);
        expect(one.arrivals).toHaveLength(1);
      }
    });
  });

  describe('with trailers', () => {
    const trailers = { 'x-end': '1' };
    const announced = { trailers, headers: { trailer: 'x-end' } };

    it.each(['HTTP/1.1 in chunks', 'HTTP/2'] as const)(
      'that are announced is read whole where it may be held, over %s',
      async (framing) => {
        const body = (tool: string): Buffer => Buffer.from(opening(tool) + 'x'.repeat(900 << 10) + closing);
        const sent = await begin(gateway.current, framing, 0, announced);
        for (const piece of inPieces(body('one_echo'), 10_000)) await sent.write(piece);
        expect(one.arrivals).toEqual([]);
        sent.end();
        expect((await sent.answer).status).toBe(200);
        expect(one.last('tools/call').body.equals(body('echo'))).toBe(true);
      },
    );

    it.each(['one', 'two'] as const)('is cut off where something follows its document: to %s', async (name) => {
      const sent = await released(gateway.current, name, 'HTTP/2', 0, { trailers });
      await sent.write(Buffer.from(`${closing}{}`));
      sent.end();
      expect(refusal(await sent.answer)).toEqual(parseError);
      await expectCut(upstream[name]());
    });

    it.each(['one', 'two'] as const)('that come behind chunks have to be announced: to %s', async (name) => {
      const sent = await released(withTrailers.current, name, 'HTTP/1.1 in chunks', 0, { trailers });
      await sent.write(Buffer.from(closing));
      sent.end();
      const answer = await sent.answer;
      expect(refusal(answer)).toEqual(invalidRequest);
      expect(message(answer).error?.message).toContain('announce them in the Trailer header');
      await expectCut(upstream[name]());
    });

    // Of a small one nothing has gone on, and the host lets nobody put it back behind its last chunk.
    it.each([undefined, 'x-end'])(
      'is answered whole where it is small and in chunks (announced: %s)',
      async (trailer) => {
        const body = (tool: string): Buffer => Buffer.from(opening(tool) + closing);
        const headers = trailer === undefined ? {} : { trailer };
        const sent = await begin(withTrailers.current, 'HTTP/1.1 in chunks', 0, { trailers, headers });
        for (const piece of inPieces(body('one_echo'), 20)) await sent.write(piece);
        sent.end();
        const answer = await sent.answer;
        expect([answer.status, message(answer).id], answer.text).toEqual([200, 'big']);
        expect(one.last('tools/call').body.equals(body('echo'))).toBe(true);
      },
    );

    it.each(['HTTP/1.1 in chunks', 'HTTP/2'] as const)(
      'and half a document is refused for that, over %s',
      async (http) => {
        const sent = await released(gateway.current, 'one', http, 0, { trailers });
        sent.end();
        expect(refusal(await sent.answer)).toEqual(parseError);
        await expectCut(one);
      },
    );

    // Envoy leaves them out unless http_protocol_options has enable_trailers.
    it('that are not announced is served over HTTP/1.1, where Envoy drops them', async () => {
      const sent = await released(gateway.current, 'one', 'HTTP/1.1 in chunks', 0, { trailers });
      await sent.write(Buffer.from(closing));
      sent.end();
      expect((await sent.answer).status).toBe(200);
      expect(one.last('tools/call').trailers).toEqual({});
    });
  });
});

function keepTrailers(bootstrap: Bootstrap): void {
  const manager = connectionManager(bootstrap) as { http_protocol_options?: object };
  manager.http_protocol_options = { ...manager.http_protocol_options, enable_trailers: true };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Without the rest of a character at its end. */
function wholeCharacters(text: Buffer): Buffer {
  let end = text.length;
  while ((text[end - 1] ?? 0) >= 0x80) end--;
  return text.subarray(0, end);
}

function* inPieces(body: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

/** A byte, two, three, and so on. */
function* growing(body: Buffer): Generator<Buffer> {
  for (let at = 0, size = 1; at < body.length; at += size++) yield body.subarray(at, at + size);
}

/** At once, but for its last bytes, which come one by one. */
function* ending(body: Buffer): Generator<Buffer> {
  yield body.subarray(0, -20);
  yield* inPieces(body.subarray(-20), 1);
}

const allocated = async (gateway: Gateway): Promise<number> =>
  (await gateway.stats()).get('server.memory_allocated') ?? NaN;

/** The most that is allocated from now until it is stopped. */
function watchMemory(gateway: Gateway): { stop: () => Promise<number> } {
  const watch = { ended: false, most: 0 };
  const watching = (async () => {
    do watch.most = Math.max(watch.most, await allocated(gateway));
    while (!watch.ended);
    return watch.most;
  })();
  return {
    stop: () => {
      watch.ended = true;
      return watching;
    },
  };
}
