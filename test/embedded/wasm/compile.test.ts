// Every text here was read from the log of Envoy 1.40.0.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { compileModule } from '../../../proxy-wasm/compile.ts';
import { LoadError } from '../../../proxy-wasm/load-error.ts';
import { assemble, makeVm, malloc, marker, memory, plugin } from './assemble.ts';

const loading = 'Wasm VM failed Failed to load Wasm code';
const initializing = 'Wasm VM failed Failed to initialize Wasm code';
const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const valid = plugin('');

const corrupted = 'Failed to parse corrupted Wasm module';
const unmarked = 'Missing or unknown Proxy-Wasm ABI version';
const uncompiled = 'Failed to load Wasm bytecode';

test.each<[string, Uint8Array, string]>([
  ['nothing', new Uint8Array(0), unmarked],
  ['less than a header', Uint8Array.from([0, 0x61]), unmarked],
  ['only a header', Uint8Array.from(header), unmarked],
  ['a component', Uint8Array.from([0, 0x61, 0x73, 0x6d, 0xd, 0, 1, 0]), unmarked],
  ['text', Buffer.from('(module)'), corrupted],
  ['a section longer than the file', Uint8Array.from([...header, 1, 5, 0]), corrupted],
  ['a section without a length', Uint8Array.from([...header, 1]), corrupted],
  ['a number too long', Uint8Array.from([...header, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0]), corrupted],
  ['a number too large', Uint8Array.from([...header, 1, 0xff, 0xff, 0xff, 0xff, 0x7f]), corrupted],
  ['a cut file', valid.slice(0, -3), corrupted],
  ['a custom section without a name', Uint8Array.from([...valid, 0, 1, 9]), corrupted],
  ['a cut name section', Uint8Array.from([...valid, 0, 6, 4, 0x6e, 0x61, 0x6d, 0x65, 1]), corrupted],
  ['an export cut in its name', Uint8Array.from([...header, 7, 5, 1, 9, 0x61, 0, 0]), corrupted],
  ['no marker', assemble(`(module ${memory} ${malloc})`), unmarked],
  ['a marker that is no function', globalMarker(), unmarked],
  ['ABI 0.3.0', assemble(`(module ${memory} ${malloc} (func (export "proxy_abi_version_0_3_0")))`), unmarked],
  ['a type that does not exist', Uint8Array.from([...header, 1, 3, 1, 0x11, 0, ...valid.slice(8)]), uncompiled],
  ['an unknown section', Uint8Array.from([...valid, 99, 0]), uncompiled],
])('%s is not loaded', (_, bytes, message) => {
  const error = refusal(bytes);
  expect(error.message).toBe(message);
  expect(error.log).toEqual([`Wasm VM failed ${message}`, loading]);
});

function globalMarker(): Uint8Array {
  return assemble(`(module ${memory} ${malloc} (global (export "proxy_abi_version_0_2_1") i32 (i32.const 0)))`);
}

test.each([
  ['(import "env" "abort" (func (param i32 i32 i32 i32)))', 'missing import: env.abort'],
  ['(import "env" "__proto__" (func))', 'missing import: env.__proto__'],
  ['(import "env" "toString" (func))', 'missing import: env.toString'],
  ['(import "env" "g" (global i32))', 'missing import: env.g'],
  ['(import "env" "proxy_log" (global i32))', 'missing import: env.proxy_log'],
  ['(import "env" "fd_write" (func))', 'missing import: env.fd_write'],
  ['(import "wasi_snapshot_preview2" "fd_write" (func))', 'missing import: wasi_snapshot_preview2.fd_write'],
  ['(import "env" "proxy_clear_route_cache" (func (result i32)))', 'missing import: env.proxy_clear_route_cache'],
  [
    '(import "env" "proxy_log" (func (param i64) (result i32))) (import "env" "nope" (func))',
    'import type mismatch: env.proxy_log, want: i64 -> i32, but host exports: i32 i32 i32 -> i32',
  ],
  [
    '(import "env" "proxy_log" (func (param externref funcref f64)))',
    'import type mismatch: env.proxy_log, want: externref funcref f64 -> void, but host exports: i32 i32 i32 -> i32',
  ],
  [
    '(import "env" "proxy_log" (func (result i32 i64)))',
    'import type mismatch: env.proxy_log, want: void -> i32 i64, but host exports: i32 i32 i32 -> i32',
  ],
  [
    '(import "wasi_unstable" "proc_exit" (func (param i32) (result i32)))',
    'import type mismatch: wasi_unstable.proc_exit, want: i32 -> i32, but host exports: i32 -> void',
  ],
  [
    '(import "wasi_snapshot_preview1" "sched_yield" (func))',
    'import type mismatch: wasi_snapshot_preview1.sched_yield, want: void -> void, but host exports: void -> i32',
  ],
])('%s is not linked', (imports, why) => {
  const error = refusal(plugin('', imports));
  expect(error.message).toBe(`Failed to load Wasm module due to a${why.startsWith('import') ? 'n' : ''} ${why}`);
  expect(error.log).toEqual([error.message, initializing]);
});

test.each([
  ['0_1_0', 'proxy_clear_route_cache', ''],
  ['0_1_0', 'proxy_continue_request', ''],
  ['0_1_0', 'proxy_continue_response', ''],
  ['0_1_0', 'proxy_get_configuration', '(param i32 i32)'],
  ['0_2_0', 'proxy_continue_stream', '(param i32)'],
  ['0_2_0', 'proxy_close_stream', '(param i32)'],
  ['0_2_1', 'proxy_continue_stream', '(param i32)'],
  ['0_2_1', 'proxy_close_stream', '(param i32)'],
  ['0_2_1', 'proxy_get_log_level', '(param i32)'],
])('ABI %s has %s, and not every other has', (version, name, params) => {
  const refused = ['0_1_0', '0_2_0', '0_2_1'].filter((other) => {
    const text = `(module (import "env" "${name}" (func ${params} (result i32))) ${memory} ${malloc}`;
    return !loads(assemble(`${text} (func (export "proxy_abi_version_${other}")))`));
  });
  expect(refused).not.toContain(version);
  expect(refused).not.toHaveLength(0);
});

const missingMalloc = 'Wasm VM failed Wasm module is missing malloc function.';

test.each<[string, string[]]>([
  [
    `${malloc} (func (export "_initialize") (param i32))`,
    ['Bad function signature for: _initialize, want: void -> void, but the module exports: i32 -> void'],
  ],
  [
    `${malloc} (func (export "_initialize")) (func (export "main"))`,
    ['Bad function signature for: main, want: i32 i32 -> i32, but the module exports: void -> void'],
  ],
  [
    `${malloc} (func (export "proxy_on_tick")) (func (export "proxy_on_log") (param f32 f64 i64) (result i64) (i64.const 0))`,
    [
      'Bad function signature for: proxy_on_tick, want: i32 -> void, but the module exports: void -> void',
      'Bad function signature for: proxy_on_log, want: i32 -> void, but the module exports: f32 f64 i64 -> i64',
    ],
  ],
  [
    `${malloc} (func (export "envoy_on_resolve_dns"))`,
    [
      'Bad function signature for: envoy_on_resolve_dns, want: i32 i32 i32 -> void, but the module exports: void -> void',
    ],
  ],
  [
    `${malloc} (func (export "proxy_on_request_headers") (param i32 i32) (result i32) (i32.const 0))`,
    [
      'Bad function signature for: proxy_on_request_headers, ' +
        'want: i32 i32 i32 -> i32, but the module exports: i32 i32 -> i32',
    ],
  ],
  [
    '(func (export "malloc") (param i64) (result i32) (i32.const 0))',
    ['Bad function signature for: malloc, want: i32 -> i32, but the module exports: i64 -> i32', missingMalloc],
  ],
  ['', [missingMalloc]],
])('exports %s are refused', (exports, log) => {
  const error = refusal(assemble(`(module ${memory} ${marker} ${exports})`));
  expect(error.message).toBe(log[0]?.replace('Wasm VM failed ', ''));
  expect(error.log).toEqual([...log, initializing]);
});

test.each([
  ['imports of its own memory', '(import "x" "y" (memory 1 2))', `${marker} ${malloc}`],
  ['imports of tables', '(import "env" "t" (table 1 funcref)) (import "env" "u" (table 1 externref))', loadable()],
  [
    'proxy_on_memory_allocate for malloc',
    '',
    `${memory} ${marker} ${malloc.replace('malloc', 'proxy_on_memory_allocate')}`,
  ],
  ['a bad proxy_on_memory_allocate beside malloc', '', `${loadable()} (func (export "proxy_on_memory_allocate"))`],
  ['any main where nothing is initialized', '', `${loadable()} (func (export "main"))`],
  [
    'any _start beside _initialize',
    '',
    `${loadable()} (func (export "_initialize")) (func (export "_start") (param i32))`,
  ],
  ['a marker of any type', '', `${memory} ${malloc} (func (export "proxy_abi_version_0_2_0") (param i32))`],
  ['references in exports', '', `${loadable()} (func (export "other") (param externref funcref))`],
  ['a memory of at most 4 GiB', '', `(memory (export "memory") 1 65536) ${marker} ${malloc}`],
  ['no memory', '', `${marker} ${malloc}`],
  ['an exception tag of its own', '', `${loadable()} (tag $t (param i32))`],
  ['v128 in a function of its own', '', `${loadable()} (func (param v128))`],
  ['Envoy’s own import', '(import "env" "envoy_resolve_dns" (func (param i32 i32 i32) (result i32)))', loadable()],
])('%s: loaded', (_, imports, fields) => {
  const { vm } = makeVm(assemble(`(module ${imports} ${fields})`));
  vm.initialize();
  expect(vm.failed).toBeUndefined();
});

function loadable(): string {
  return `${memory} ${marker} ${malloc}`;
}

test('the first marker counts', () => {
  const both = '(func (export "proxy_abi_version_0_1_0")) (func (export "proxy_abi_version_0_2_1"))';
  expect(compileModule(assemble(`(module ${memory} ${malloc} ${both})`)).abi).toBe('0.1.0');
});

test('headers callbacks of ABI 0.1.0 have two parameters', () => {
  const first = '(func (export "proxy_abi_version_0_1_0")) (func (export "proxy_on_foreign_function"))';
  const callback = '(func (export "proxy_on_request_headers") (param i32 i32) (result i32) (local.get 1))';
  const { vm } = makeVm(assemble(`(module ${memory} ${malloc} ${first} ${callback})`));
  expect(vm.call('proxy_on_request_headers', 2, 2, 7, 1)).toBe(7);
  expect(vm.has('proxy_on_foreign_function')).toBe(false);
});

test('what V8 says about a module is kept as the cause', () => {
  expect(String(refusal(Uint8Array.from([...valid, 99, 0])).cause)).toContain('CompileError');
});

test('the shipped plugin is loaded and starts', async () => {
  const bytes = await readFile(new URL('../../../build/plugin.wasm', import.meta.url));
  const { vm } = makeVm(bytes);
  vm.initialize();
  expect(vm.failed).toBeUndefined();
  expect(vm.compiled.abi).toBe('0.2.1');
  expect(vm.has('proxy_on_request_headers')).toBe(true);
});

function refusal(bytes: Uint8Array): LoadError {
  try {
    compileModule(bytes);
  } catch (error) {
    if (error instanceof LoadError) return error;
    throw error;
  }
  throw new Error('it was loaded');
}

function loads(bytes: Uint8Array): boolean {
  try {
    return Boolean(compileModule(bytes));
  } catch (error) {
    if (error instanceof LoadError) return false;
    throw error;
  }
}
