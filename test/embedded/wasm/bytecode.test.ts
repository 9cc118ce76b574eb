import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { abiVersion, hasFunctionNames, readLayout } from '../../../proxy-wasm/bytecode.ts';
import { LoadError } from '../../../proxy-wasm/load-error.ts';
import { assemble, malloc, marker, memory } from './assemble.ts';

const imports = `
  (import "env" "proxy_log" (func (param i32 i32 i32) (result i32)))
  (import "a" "memory" (memory 1 3)) (import "b" "table" (table 2 funcref))
  (import "c" "global" (global (mut i64)))`;
const fields = `(func $inner) (func $typed (export "typed") (param i64 f64) (result f32 funcref) unreachable)
  (tag $own (param f32)) (global (export "global") f64 (f64.const 0)) (export "again" (func $typed)) (export "log" (func 0))`;
const whole = assemble(`(module ${imports} ${marker} ${malloc} ${fields})`, { names: true });

test('imports and exported functions have their types', () => {
  const layout = readLayout(whole);
  const log = { params: ['i32', 'i32', 'i32'], results: ['i32'] };
  expect(layout.imports).toEqual([
    { module: 'env', name: 'proxy_log', kind: 'function', type: log },
    { module: 'c', name: 'global', kind: 'global' },
    { module: 'a', name: 'memory', kind: 'memory', limits: { initial: 1, maximum: 3, shared: false } },
    { module: 'b', name: 'table', kind: 'table', element: 'funcref', limits: { initial: 2 } },
  ]);
  const typed = { params: ['i64', 'f64'], results: ['f32', 'funcref'] };
  expect(Object.fromEntries(layout.functions)).toEqual({
    proxy_abi_version_0_2_1: { params: [], results: [] },
    malloc: { params: ['i32'], results: ['i32'] },
    typed,
    again: typed,
    log,
  });
  expect(layout.exportsTag).toBe(false);
});

test('function names are found where there are some', () => {
  expect(hasFunctionNames(whole)).toBe(true);
  expect(hasFunctionNames(assemble(`(module ${memory} ${marker} ${malloc})`))).toBe(false);
});

describe('bytes of any kind are read or refused', () => {
  const readers = [abiVersion, hasFunctionNames, readLayout];
  const survives = (bytes: Uint8Array): void => {
    for (const read of readers) {
      try {
        read(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(LoadError);
        expect((error as LoadError).message).toBe('Failed to parse corrupted Wasm module');
      }
    }
  };
  const header = whole.subarray(0, 8);
  const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

  test('random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        survives(concat(header, bytes));
      }),
    );
  });

  test('a section with random content', () => {
    const section = fc.tuple(fc.constantFrom(0, 1, 2, 3, 7), fc.uint8Array({ maxLength: 120 }));
    fc.assert(
      fc.property(fc.array(section, { maxLength: 4 }), (sections) => {
        survives(
          concat(header, ...sections.map(([id, content]) => concat(Uint8Array.of(id, content.length), content))),
        );
      }),
    );
  });

  test('a module cut anywhere', () => {
    for (let length = 0; length < whole.length; length++) survives(whole.subarray(0, length));
  });

  test('a module with a byte changed anywhere', () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        survives(whole.with(at, byte));
      }),
      { numRuns: 2000 },
    );
  });
});
