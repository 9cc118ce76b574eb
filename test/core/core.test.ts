import { expect, test } from 'vitest';
import { imports, instance } from './core.ts';

test('the core needs no host', () => {
  expect(imports).toEqual([]);
});

test('bytes survive the growth of the memory', () => {
  const core = instance();
  const small = core.put(Uint8Array.of(1, 2, 3));
  const before = core.memory.length;
  const large = core.put(new Uint8Array(before).fill(7));
  expect(core.memory.length).toBeGreaterThan(before);
  expect(core.get(small, 3)).toEqual(Uint8Array.of(1, 2, 3));
  expect(core.get(large + before - 1, 1)).toEqual(Uint8Array.of(7));
});

test('what is cleared is used again', () => {
  const core = instance();
  const use = (): number => {
    core.allocate(100_000);
    core.clear();
    return core.memory.length;
  };
  const once = use();
  for (let i = 0; i < 100; i++) use();
  expect(use()).toBe(once);
});

test('a write past either end of a room shows', () => {
  const core = instance();
  for (const offset of [-1, 10]) {
    const room = core.room(10);
    expect(() => room.bytes()).not.toThrow();
    core.memory[room.pointer + offset] = 0;
    expect(() => room.bytes()).toThrow('written outside');
  }
});

test('a function that is not exported is named', () => {
  expect(() => instance().call('nothing')).toThrow('exports no function nothing');
});
