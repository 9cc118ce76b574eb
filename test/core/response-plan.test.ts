import { expect, test } from 'vitest';
import { instance, NONE } from './core.ts';

const core = instance();

test('the text that replaces a response goes on once, however many parts the response has', () => {
  core.call('planReplacing', ...core.span('{"error":{}}'));
  expect(core.call('planReplaces')).toBe(1);
  expect(core.call('planBegun')).toBe(0);
  expect(['planNextPart', 'planNextPart', 'planNextPart'].map((part) => core.text(part))).toEqual([
    '{"error":{}}',
    '',
    '',
  ]);
  expect(core.call('planBegun')).toBe(1);
});

test('the text may become known with the response', () => {
  core.call('planReplacing', ...NONE);
  expect(core.bytes('planText')).toBeUndefined();
  core.call('planLearn', ...core.span('late'));
  expect(core.text('planNextPart')).toBe('late');
  expect(core.text('planNextPart')).toBe('');
});

test('a response that passes is not replaced', () => {
  core.call('planPassing');
  expect(core.call('planReplaces')).toBe(0);
  expect(core.bytes('planText')).toBeUndefined();
});
