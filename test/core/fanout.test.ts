import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();
const MILLISECOND = 1_000_000n;
const NOW = 1_900_000_000_000_000_000n;

function open(width: number, timeout: number, calls: number): void {
  core.call('fanOutOpen', width, timeout);
  for (let i = 0; i < calls; i++) core.call('fanOutAdd');
}

/** Indices of the calls whose callouts can be sent now. */
function send(now = NOW): number[] {
  const sent: number[] = [];
  for (let call = core.call('fanOutSend', now); call >= 0; call = core.call('fanOutSend', now)) sent.push(call);
  return sent;
}

beforeEach(() => {
  open(2, 1000, 4);
});

test('as many calls run at once as the width allows, in order', () => {
  expect(send()).toEqual([0, 1]);
  expect(send()).toEqual([]);
  core.call('fanOutAnswer', 1, false);
  expect(send()).toEqual([2]);
  core.call('fanOutAnswer', 0, false);
  expect(send()).toEqual([3]);
});

test('a call that goes on keeps its place', () => {
  send();
  core.call('fanOutAnswer', 0, true);
  expect(send()).toEqual([0]);
});

test('each call has its time from its own first callout on', () => {
  send();
  core.call('fanOutAnswer', 0, false);
  const later = NOW + 400n * MILLISECOND;
  expect(send(later)).toEqual([2]);
  core.call('fanOutAnswer', 1, true);
  expect(send(later)).toEqual([1]);
  expect(core.call('fanOutRemaining', 1, later)).toBe(600);
  expect(core.call('fanOutRemaining', 2, later)).toBe(1000);
  expect(core.call('fanOutRemaining', 1, NOW + 999n * MILLISECOND)).toBe(1);
  expect(core.call('fanOutRemaining', 1, NOW + 1000n * MILLISECOND)).toBe(0);
  expect(core.call('fanOutRemaining', 1, NOW + 5000n * MILLISECOND)).toBe(0);
});

test('the time may be the longest that a configuration can name', () => {
  const days = 24 * 24 * 3600 * 1000;
  open(1, days, 1);
  send();
  expect(core.call('fanOutRemaining', 0, NOW)).toBe(days);
});

test('a call that fails makes room like one that ends', () => {
  send();
  core.call('fanOutFail', 0);
  expect(send()).toEqual([2]);
});

test('the first call that did not fail is the one that serves', () => {
  send();
  expect(core.call('fanOutFirstServed')).toBe(0);
  core.call('fanOutFail', 0);
  expect(core.call('fanOutFirstServed')).toBe(1);
  send();
  for (const call of [1, 2]) core.call('fanOutFail', call);
  send();
  core.call('fanOutFail', 3);
  expect(core.call('fanOutFirstServed')).toBe(-1);
});

test('without calls all is settled', () => {
  open(2, 1000, 0);
  expect(core.call('fanOutSettled')).toBe(1);
  expect(send()).toEqual([]);
});

test('whatever the answers and their order, every call gets its turn and the width is kept', () => {
  const step = fc.record({ pick: fc.nat(), kind: fc.constantFrom('more', 'end', 'fail') });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.nat(12),
      fc.array(step, { maxLength: 60 }),
      (width, calls, steps) => {
        open(width, 1000, calls);
        const running = new Set<number>();
        const begun = new Set<number>();
        let ended = 0;
        const sendAll = (): void => {
          for (const call of send()) {
            running.add(call);
            begun.add(call);
          }
          expect(running.size).toBe(Math.min(width, calls - ended));
        };
        sendAll();
        for (const { pick, kind } of steps) {
          const call = [...running][pick % running.size];
          if (call === undefined) break;
          running.delete(call);
          if (kind !== 'more') ended++;
          if (kind === 'fail') core.call('fanOutFail', call);
          else core.call('fanOutAnswer', call, kind === 'more');
          sendAll();
          expect(core.call('fanOutSettled') === 1).toBe(ended === calls);
        }
        expect(begun.size).toBe(Math.min(calls, ended + width));
      },
    ),
    { numRuns: 200 },
  );
});
