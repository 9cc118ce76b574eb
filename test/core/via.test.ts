import { expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();

function hasPassed(via: string, own = '1.1 sluice-eu'): boolean {
  const passed = core.call('viaHasPassed', ...core.span(via), ...core.span(own)) === 1;
  core.clear();
  return passed;
}

/** @param likeness 0 where the gateway has a name of its own */
function entryOf(name: string, likeness: bigint): string {
  const entry = core.text('viaOwn', ...core.span(name), likeness) ?? '';
  core.clear();
  return entry;
}

test.each([
  '1.1 sluice-eu',
  '1.1 sluice-eu, 1.1 nginx',
  '1.0 fred, 1.1 sluice-eu',
  '1.0 fred,1.1 sluice-eu,1.1 x',
  '1.0 fred,\t1.1 sluice-eu\t,1.1 x',
  '1.1 sluice-eu (comment)',
  '1.1 sluice-eu2, 1.1 sluice-eu',
])('%s has passed here', (via) => {
  expect(hasPassed(via)).toBe(true);
});

test.each([
  '',
  '1.1 nginx',
  '1.1 sluice',
  '1.1 sluice-e',
  '1.1 sluice-eu2',
  '1.1 sluice-eu-west',
  '1.1 sluice-eu.example.com',
  '1.1 my-sluice-eu',
  '11.1 sluice-eu',
  'sluice-eu',
])('%j has not', (via) => {
  expect(hasPassed(via)).toBe(false);
});

test('a gateway that has a name knows its own entry again, and no other one', () => {
  const entry = entryOf('eu', 0n);
  expect(entry).toBe('1.1 sluice-eu');
  expect(hasPassed(`1.0 fred, ${entry}`, entry)).toBe(true);
  expect(hasPassed(entry, entryOf('us', 0n))).toBe(false);
});

test('gateways of the default name are told apart by what they serve', () => {
  const entry = entryOf('sluice', 0xab_cdn);
  expect(entry).toMatch(/^1\.1 sluice-[0-9a-f]{16}$/);
  expect(hasPassed(entry, entryOf('sluice', 0xab_cdn))).toBe(true);
  expect(hasPassed(entry, entryOf('sluice', 0xab_cen))).toBe(false);
});
