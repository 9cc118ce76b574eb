// What requests make a worker hold and send has a limit, and past it a refusal: never a trap, which would end the VM with
// every request that waits in it.
import { describe, expect, test } from 'vitest';
import {
  answerAll,
  ask,
  callOf,
  type Gateway,
  INITIALIZE,
  LIST,
  listOf,
  openSession,
  reasonOf,
  startHost,
  startPair,
} from './gateway.ts';
import type { Headers } from './pairs.ts';
import type { Stream } from './stream.ts';

const MIB = 1 << 20;
const modes = [
  { mode: 'hold', start: (plugin: object): Gateway => startHost(plugin) },
  { mode: 'pair', start: (plugin: object): Gateway => startPair(plugin) },
  { mode: 'pair, in two VMs', start: (plugin: object): Gateway => startPair(plugin, { apart: true }) },
];
const servers = ['one', 'two', 'three'].map((name) => ({ name, cluster: name }));

/** @param size of its clientInfo */
function initialize(size: number): string {
  const opening = '{"name":"';
  const clientInfo = `${opening}${'x'.repeat(size - opening.length - 2)}"}`;
  return `{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-06-18","clientInfo":${clientInfo}}}`;
}

function postTo(path: string, headers: Headers = []): Headers {
  return [[':authority', 'mcp.example.com'], [':method', 'POST'], [':path', path], ...headers];
}

/** It serves everything, as if nothing had been. */
function expectServed(gateway: Gateway, tool: string): void {
  const headers = openSession(gateway);
  const listed = ask(gateway, { headers, body: LIST });
  answerAll(gateway);
  expect(listed.reply?.body.toString()).toContain(tool);
  const called = ask(gateway, { headers, body: callOf(tool) });
  answerAll(gateway);
  expect(called.forwarded?.ended ?? called.reply?.status).toBeTruthy();
  for (const stream of [listed, called]) stream.close();
}

describe.each(modes)('in host mode $mode', ({ start }) => {
  test('a clientInfo that is larger than limits.clientInfo is refused, and no server hears of it', () => {
    const gateway = start({ servers });
    const before = gateway.pages;
    for (let i = 0; i < 12; i++) {
      const refused = ask(gateway, { body: initialize(900_000) });
      expect([reasonOf(refused), refused.reply?.status]).toEqual(['body_too_large', 200]);
      expect(refused.reply?.body.toString()).toContain('900000 bytes, more than limits.clientInfo');
      expect(gateway.pending).toEqual([]);
      refused.close();
    }
    expectServed(gateway, 'two_get');
    expect(gateway.pages - before).toBeLessThan(200);
  });

  test.each([
    [64 << 10, undefined],
    [(64 << 10) + 1, 'body_too_large'],
  ])('a clientInfo of %d bytes', (size, reason) => {
    const gateway = start({ servers });
    const stream = ask(gateway, { body: initialize(size) });
    const sent = gateway.pending.map(({ body }) => body.includes('x'.repeat(size - 11)));
    expect(sent).toEqual(reason === undefined ? [true, true, true] : []);
    answerAll(gateway);
    expect(reasonOf(stream)).toBe(reason);
  });

  test('what each server is sent counts, and is given back with its answer', () => {
    const gateway = start({ servers, limits: { bufferedBytes: '2Mi' } });
    const streams = Array.from({ length: 40 }, () => ask(gateway, { body: initialize(60_000) }));
    const refused = streams.filter((stream) => stream.over);
    // Three messages, what they are made of, and the body.
    expect(refused.length).toBeGreaterThan(40 - (2 * MIB) / (3 * 60_000));
    expect(new Set(refused.map(reasonOf))).toEqual(new Set(['overloaded']));
    expect(gateway.pending.length).toBeGreaterThan(3);
    answerAll(gateway);
    for (const stream of streams) expect(stream.over).toBe(true);
    for (const stream of streams) stream.close();
    for (let i = 0; i < 40; i++) {
      const stream = ask(gateway, { body: initialize(60_000) });
      answerAll(gateway);
      expect(reasonOf(stream)).toBeUndefined();
      stream.close();
    }
  });

  describe('what is under way for clients that have left counts', () => {
    const leaveMany = (gateway: Gateway): number => {
      let sent = 0;
      for (; sent < 40; sent++) {
        const stream = ask(gateway, { body: initialize(60_000) });
        if (stream.over) break;
        stream.close();
      }
      return sent;
    };

    test('until servers have answered', () => {
      const gateway = start({ servers, limits: { bufferedBytes: '2Mi' } });
      const most = leaveMany(gateway);
      expect(most).toBeLessThan(13); // three messages each
      expect(most).toBeGreaterThan(5);
      answerAll(gateway);
      expect(leaveMany(gateway)).toBe(most);
    });

    test('until their configuration is gone, under which nobody hears of answers any more', () => {
      const gateway = start({ servers, limits: { bufferedBytes: '2Mi' } });
      const most = leaveMany(gateway);
      const pages = gateway.pages;
      for (let i = 0; i < 5; i++) {
        expect(gateway.configure()).toBe(true);
        expect(leaveMany(gateway)).toBe(most);
      }
      expect(gateway.pages).toBeLessThan(pages + 20);
      answerAll(gateway);
      expectServed(gateway, 'one_get');
    });
  });

  test('a worker needs at most three times limits.bufferedBytes, and 64 MiB', () => {
    const gateway = start({ servers, limits: { bufferedBytes: '32Mi', heldBody: '4Mi' } });
    const headers = openSession(gateway);
    const name = callOf('one_get', 3 * MIB)
      .replace('"name":"one_get",', '')
      .replace('}}}', '},"name":"one_get"}}');
    const bodies = Array.from({ length: 30 }, () => {
      const stream = gateway.open();
      stream.requestHeaders(postTo('/mcp', headers), false);
      for (let at = 0; at < 3 * MIB && !stream.over; at += 300_000)
        stream.requestBody(Buffer.from(name.slice(at, at + 300_000)), false);
      return stream;
    });
    const openings = Array.from({ length: 60 }, () => ask(gateway, { body: initialize(60_000) }));
    for (const stream of bodies.slice(5)) stream.close();
    const lists = Array.from({ length: 60 }, () => ask(gateway, { headers, body: LIST }));
    answerAll(gateway, (callout) => listOf(callout, 3 * MIB));
    expect(new Set([...bodies, ...openings, ...lists].map(reasonOf))).toContain('overloaded');
    expect(gateway.pages).toBeLessThan((3 * 32 * MIB + 64 * MIB) / 65_536);
    for (const stream of [...bodies.slice(0, 5), ...openings, ...lists]) stream.close();
    expectServed(gateway, 'three_get');
  });
});

test('where memory cannot grow any more, requests are refused, and the others go on', () => {
  const gateway = startHost({ servers, limits: { bufferedBytes: '1Gi', heldBody: '512Mi', listBytes: '512Mi' } });
  const session = openSession(gateway);
  const seen = new Set<string | undefined>();
  const streams: Stream[] = [];
  const chunk = Buffer.alloc(24 * MIB, ' ');
  // Pages of the smallest tools that there are, then bodies.
  for (let i = 0; i < 5; i++) {
    const list = ask(gateway, { headers: session, body: LIST });
    streams.push(list);
    for (const callout of [...gateway.pending].slice(0, 2)) gateway.answer(callout, manyTools(callout));
  }
  for (let i = 0; i < 6; i++) {
    const stream = gateway.open();
    stream.requestHeaders(postTo('/mcp', session), false);
    for (let part = 0; part < 8 && !stream.over; part++) stream.requestBody(chunk, false);
    streams.push(stream);
  }
  for (const stream of streams) if (stream.over) seen.add(stream.reply?.body.toString());
  expect([...seen].join()).toContain('the memory of a worker');
  for (const stream of streams) stream.close();
  answerAll(gateway);
  expectServed(gateway, 'three_get');
}, 120_000);

test('an initialize that is refused half way leaves its late answers to nobody', () => {
  const gateway = startHost({ servers, limits: { bufferedBytes: '100Ki' } });
  const stream = ask(gateway, { body: initialize(30_000) });
  expect(reasonOf(stream)).toBe('overloaded');
  expect(gateway.pending.length).toBeLessThan(3);
  answerAll(gateway);
  stream.close();
  const small = ask(gateway, { body: INITIALIZE });
  answerAll(gateway);
  expect(small.reply?.status).toBe(200);
});

function manyTools(callout: Parameters<typeof listOf>[0]): ReturnType<typeof listOf> {
  const answer = listOf(callout, 0);
  const id = /"id":("[^"]*")/.exec(callout.body.toString())?.[1];
  const tools = Buffer.alloc(24 * MIB, '{"name":"abcde"},')
    .toString()
    .replace(/,[^,]*$/, '');
  return answer && { ...answer, body: Buffer.from(`{"jsonrpc":"2.0","id":${id ?? ''},"result":{"tools":[${tools}]}}`) };
}
