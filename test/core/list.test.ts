import { expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();

test('a list keeps what was pushed, in order, however long it grows', () => {
  core.call('listOpen');
  for (let i = 0; i < 1000; i++) {
    expect(core.call('listCount')).toBe(i);
    core.call('listPush', BigInt(i) << 40n);
  }
  for (let i = 0; i < 1000; i++) expect(core.call('listAt', i)).toBe(i * 2 ** 40);
});
