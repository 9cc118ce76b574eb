// Sessions that requests without one share: whose they are, and what becomes of them where there is no room.
import { beforeEach, expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();
const NOW = 1_900_000_000;
const SERVER = 7n;
/** Longer than a session has to lie idle before it gives way, and shorter. */
const LONG = 301;
const SHORT = 299;

const idOf = (number: number): Uint8Array => {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, number);
  return id;
};
const put = (caller: number, session: string, now = NOW, server = SERVER): string => {
  const kept = core.call('poolPut', core.put(idOf(caller)), server, ...core.span(session), now);
  return ['not kept', 'kept', 'displaces'][kept] ?? '';
};
const get = (caller: number, now = NOW, server = SERVER): string | undefined =>
  core.text('poolGet', core.put(idOf(caller)), server, now);
const isFull = (caller: number, now = NOW): boolean =>
  core.call('poolIsFull', core.put(idOf(caller)), SERVER, now) === 1;

/** Another caller whose session has the same place. */
function rivalOf(caller: number): number {
  put(caller, 'of the caller');
  for (let rival = caller + 1; rival < caller + 50_000; rival++) {
    if (isFull(rival)) return rival;
    core.clear();
  }
  throw new Error('no two callers share a place');
}

let ring = 0;
beforeEach(() => {
  core.clear();
  core.call('useSlots', ++ring);
});

test('a session is found by its caller and server, and by nobody else', () => {
  expect(get(1)).toBeUndefined();
  expect(put(1, 's-1')).toBe('kept');
  expect(get(1)).toBe('s-1');
  expect(get(2)).toBeUndefined();
  expect(get(1, NOW, 8n)).toBeUndefined();
});

test('a new session takes the place of the same caller', () => {
  put(1, 's-1');
  expect(put(1, 's-2')).toBe('kept');
  expect(get(1)).toBe('s-2');
});

test('one that was used a moment ago keeps its place', () => {
  const rival = rivalOf(1);
  expect(isFull(1)).toBe(false);
  expect(isFull(rival, NOW + SHORT)).toBe(true);
  expect(put(rival, 'of the rival', NOW + SHORT)).toBe('not kept');
  expect(get(rival, NOW + SHORT)).toBeUndefined();
  expect(get(1, NOW + SHORT)).toBe('of the caller');
});

test('one that lay idle gives way, and is told', () => {
  const rival = rivalOf(1);
  expect(isFull(rival, NOW + LONG)).toBe(false);
  expect(put(rival, 'of the rival', NOW + LONG)).toBe('displaces');
  expect(core.text('poolDisplaced')).toBe('of the caller');
  expect(get(rival, NOW + LONG)).toBe('of the rival');
  expect(get(1, NOW + LONG)).toBeUndefined();
});

test('each use keeps it', () => {
  const rival = rivalOf(1);
  expect(get(1, NOW + 200)).toBe('of the caller');
  expect(put(rival, 'of the rival', NOW + LONG)).toBe('not kept');
});

test('a clock that was set back keeps no place taken', () => {
  const rival = rivalOf(1);
  expect(put(rival, 'of the rival', NOW - 1)).toBe('displaces');
});
