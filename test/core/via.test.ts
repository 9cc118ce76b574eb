import { expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();

function hasPassed(via: string): boolean {
  const passed = core.call('viaHasPassed', ...core.span(via)) === 1;
  core.clear();
  return passed;
}

test.each([
  '1.1 sluice',
  '1.1 sluice, 1.1 nginx',
  '1.0 fred, 1.1 sluice',
  '1.0 fred,1.1 sluice,1.1 x',
  '1.1 sluice (comment)',
  '1.1 sluice2, 1.1 sluice',
])('%s has passed here', (via) => {
  expect(hasPassed(via)).toBe(true);
});

test.each([
  '',
  '1.1 nginx',
  '1.1 sluice2',
  '1.1 sluice-eu',
  '1.1 sluice.example.com',
  '1.1 my-sluice',
  '1.1 sluic',
  'sluice',
])('%j has not', (via) => {
  expect(hasPassed(via)).toBe(false);
});

test('our own entry is known again', () => {
  expect(hasPassed(core.text('viaOurs') ?? '')).toBe(true);
});
