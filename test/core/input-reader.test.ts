// What passes of an answer that may be a task, or ask for input: everything else, byte by byte, in whatever pieces it comes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();
const decoder = new TextDecoder('utf-8', { fatal: true });

interface Read {
  readonly going: string;
  readonly found: string | undefined;
  readonly isTask: boolean;
  readonly isTooLarge: boolean;
}

function read(form: 'document' | 'events', most: number, pieces: readonly Uint8Array[]): Read {
  core.call('inputReaderOpen', form === 'events', most, form === 'document');
  const going: Uint8Array[] = [];
  for (const piece of pieces) {
    going.push(core.bytes('inputReaderWrite', ...core.span(piece)) ?? new Uint8Array());
    core.clear();
  }
  going.push(core.bytes('inputReaderEnd') ?? new Uint8Array());
  return {
    going: decoder.decode(Buffer.concat(going)),
    found: core.text('inputReaderFound'),
    isTask: core.call('inputReaderIsTask') !== 0,
    isTooLarge: core.call('inputReaderIsTooLarge') !== 0,
  };
}

function inPieces(body: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(body);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, index) => bytes.subarray(places[index], to));
}

const other = fc.tuple(
  fc.constantFrom('_meta', 'x', 'taskId', 'status', 'requestState', 'inputRequests'),
  fc.jsonValue({ maxDepth: 2 }),
);
const type = fc.constantFrom('task', 'input_required', 'complete', 'tasks', 'TASK', 7, null, { resultType: 'task' });
const message = fc
  .tuple(fc.array(other, { maxLength: 3 }), fc.option(type), fc.array(other, { maxLength: 3 }), fc.boolean())
  .map(([before, of, behind, isFirst]) => {
    const typed: [string, unknown][] = of === null ? [] : [['resultType', of]];
    const result = Object.fromEntries([...before, ...typed, ...behind]);
    const members = isFirst ? { result, jsonrpc: '2.0', id: 7 } : { jsonrpc: '2.0', id: 7, result };
    return { text: JSON.stringify(members), type: of };
  });
const cuts = fc.array(fc.nat(), { maxLength: 6 });

test('a document is a task, asks for input, or goes on as it is', () => {
  const seen = { held: 0, passed: 0 };
  fc.assert(
    fc.property(message, cuts, fc.constantFrom('', '\n', ' \r\n'), ({ text, type: of }, places, end) => {
      const { going, found, isTask } = read('document', 1_000_000, inPieces(text + end, places));
      const isHeld = of === 'task' || of === 'input_required';
      seen[isHeld ? 'held' : 'passed']++;
      expect(isTask).toBe(of === 'task');
      expect(going).toBe(isHeld ? '' : text + end);
      expect(found?.trim()).toBe(isHeld ? text : undefined);
    }),
    { numRuns: 500 },
  );
  expect(Math.min(seen.held, seen.passed)).toBeGreaterThan(50);
});

test('so does each event of a stream, up to the one that is a task or asks for input', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), cuts, (messages, places) => {
      const events = messages.map(({ text }) => `: hi\nevent: message\ndata: ${text}\n\n`);
      const at = messages.findIndex(({ type: of }) => of === 'task' || of === 'input_required');
      const { going, found, isTask } = read('events', 1_000_000, inPieces(events.join(''), places));
      expect(going).toBe(events.slice(0, at < 0 ? undefined : at).join(''));
      expect(found).toBe(messages[at]?.text);
      expect(isTask).toBe(messages[at]?.type === 'task');
    }),
    { numRuns: 500 },
  );
});

test('what is larger than may be kept passes, or is told, and is never held', () => {
  const filler = 'x'.repeat(5000);
  const of = (resultType: string, isLast: boolean): string =>
    JSON.stringify({ id: 7, result: isLast ? { filler, resultType } : { resultType, filler } });
  fc.assert(
    fc.property(fc.boolean(), fc.constantFrom('task', 'complete'), cuts, (isLast, resultType, places) => {
      const text = of(resultType, isLast);
      const { going, found, isTooLarge } = read('document', 1024, inPieces(text, places));
      expect(found).toBe(undefined);
      if (isTooLarge) expect(going.length).toBeLessThan(text.length);
      else expect(going).toBe(text);
      if (resultType === 'complete') expect(isTooLarge).toBe(false);
    }),
  );
});

function task(text: string) {
  const id = core.text('taskRead', ...core.span(text));
  const found = { id, status: core.call('taskStatus'), interval: core.call('taskInterval'), ttl: core.call('taskTtl') };
  core.clear();
  return found;
}

test.each([
  [
    '{"taskId":"a","status":"working","pollIntervalMs":5000,"ttlMs":60000}',
    { id: 'a', status: 1, interval: 5000, ttl: 60_000 },
  ],
  ['{"taskId":"a","status":"input_required"}', { id: 'a', status: 2, interval: 1000, ttl: -1 }],
  ['{"status":"completed","taskId":"\\u0061","ttlMs":null}', { id: 'a', status: 3, interval: 1000, ttl: -1 }],
  ['{"taskId":"a","status":"failed","pollIntervalMs":0,"ttlMs":0}', { id: 'a', status: 4, interval: 200, ttl: 0 }],
  [
    '{"taskId":"a","status":"cancelled","pollIntervalMs":-1e9,"ttlMs":-5}',
    { id: 'a', status: 5, interval: 200, ttl: 0 },
  ],
  [
    '{"taskId":"a","status":"Working","pollIntervalMs":1e999,"ttlMs":1e999}',
    { id: 'a', status: 0, interval: 30_000, ttl: 86_400_000 },
  ],
  ['{"taskId":"a","status":7,"pollIntervalMs":"9","ttlMs":[]}', { id: 'a', status: 0, interval: 1000, ttl: -1 }],
  [`{"taskId":"${'x'.repeat(4096)}"}`, { id: 'x'.repeat(4096), status: 0, interval: 1000, ttl: -1 }],
  [`{"taskId":"${'x'.repeat(4097)}"}`, { id: undefined, status: 0, interval: 1000, ttl: -1 }],
  ['{"taskId":""}', { id: undefined, status: 0, interval: 1000, ttl: -1 }],
  ['{"taskId":7}', { id: undefined, status: 0, interval: 1000, ttl: -1 }],
  ['{}', { id: undefined, status: 0, interval: 1000, ttl: -1 }],
  ['[]', { id: undefined, status: 0, interval: 1000, ttl: -1 }],
  ['"x"', { id: undefined, status: 0, interval: 1000, ttl: -1 }],
])('%.60s is a task as far as it says so', (text, expected) => {
  expect(task(text)).toEqual(expected);
});

test('whatever a server says, a task is asked for neither without pause nor never again', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (pollIntervalMs, ttlMs) => {
      const { interval, ttl } = task(JSON.stringify({ taskId: 'a', status: 'working', pollIntervalMs, ttlMs }));
      expect(interval).toBeGreaterThanOrEqual(200);
      expect(interval).toBeLessThanOrEqual(30_000);
      expect(ttl).toBeGreaterThanOrEqual(-1);
      expect(ttl).toBeLessThanOrEqual(86_400_000);
    }),
  );
});

describe('of a server with sessions, for a client of 2026-07-28', () => {
  const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
  const page = fc.record({
    mode: fc.constantFrom('url', 'url', 'form'),
    url: fc.oneof(fc.webUrl(), fc.constant(7)),
    message: fc.string(),
  });
  const given = fc.oneof(
    fc.constantFrom(...levels, 'odd').map((level) => ({ method: 'notifications/message', params: { level, data: 1 } })),
    fc.constantFrom('notifications/progress', 'notifications/messages').map((method) => ({ method, params: {} })),
    fc.array(page, { maxLength: 2 }).map((elicitations) => ({
      id: 7,
      error: { code: -32042, message: 'x', data: { elicitations } },
    })),
    fc.constantFrom(-32041, 7).map((code) => ({ id: 7, error: { code, message: '-32042' } })),
    fc.jsonValue({ maxDepth: 2 }).map((value) => ({
      id: 7,
      // As it is read again: JSON.stringify makes 0 of -0.
      result: { resultType: 'input_required', value: JSON.parse(JSON.stringify(value)) as unknown },
    })),
  );
  interface Elicitation {
    readonly mode: string;
    readonly url: unknown;
    readonly message: string;
  }
  interface Given {
    readonly id?: number;
    readonly params?: { readonly level?: string };
    readonly error?: { readonly code: number; readonly data?: { readonly elicitations: readonly Elicitation[] } };
  }

  /** What the client gets of a message; undefined: nothing. */
  function expected(message: Given, loggedFrom: number, opensUrls: boolean): unknown {
    const { params, error } = message;
    const level = params?.level;
    const severity = level === undefined || level === 'odd' ? 8 : levels.indexOf(level);
    if (level !== undefined && severity < loggedFrom) return undefined;
    if (error?.code !== -32042) return message;
    const pages = error.data?.elicitations ?? [];
    const isAsked = pages.length > 0 && pages.every(({ mode, url }) => mode === 'url' && typeof url === 'string');
    if (!opensUrls || !isAsked) return { ...message, error: { ...error, code: -32603 } };
    const inputRequests = Object.fromEntries(
      pages.map((params, i) => [String(i + 1), { method: 'elicitation/create', params }]),
    );
    return { id: 7, result: { resultType: 'input_required', inputRequests } };
  }

  function readOf(isStream: boolean, loggedFrom: number, opensUrls: boolean, parts: readonly Uint8Array[]): string {
    core.call('inputReaderOpenOfSessions', isStream, loggedFrom, opensUrls);
    const going = parts.map((part) => {
      const bytes = core.bytes('inputReaderWrite', ...core.span(part)) ?? new Uint8Array();
      core.clear();
      return bytes;
    });
    return decoder.decode(Buffer.concat([...going, core.bytes('inputReaderEnd') ?? new Uint8Array()]));
  }

  test('each event is what the client may have of it, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(given, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 9 }),
        fc.boolean(),
        cuts,
        (messages, loggedFrom, opensUrls, places) => {
          const text = messages.map((each) => `: hi\nid: 3\ndata: ${JSON.stringify(each)}\n\n`).join('');
          const going = readOf(true, loggedFrom, opensUrls, inPieces(text, places));
          const data = [...going.matchAll(/^data: (.*)$/gm)].map(([, line = '']) => JSON.parse(line) as unknown);
          expect(data).toEqual(
            messages.flatMap((each) => {
              const left = expected(each, loggedFrom, opensUrls);
              return left === undefined ? [] : [left];
            }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('so is a document', () => {
    fc.assert(
      fc.property(given, fc.boolean(), cuts, fc.constantFrom('', '\n', ' \r\n'), (message, opensUrls, places, end) => {
        const going = readOf(false, 0, opensUrls, inPieces(JSON.stringify(message) + end, places));
        expect(JSON.parse(going)).toEqual(expected(message, 0, opensUrls));
      }),
      { numRuns: 500 },
    );
  });

  test('what is no JSON goes on as it came', () => {
    fc.assert(
      fc.property(given, fc.nat(), cuts, (message, cut, places) => {
        const text = JSON.stringify(message);
        const event = `data: ${text.slice(0, 1 + (cut % (text.length - 1)))}\n\n`;
        expect(readOf(true, 9, true, inPieces(event, places))).toBe(event);
      }),
      { numRuns: 500 },
    );
  });
});
