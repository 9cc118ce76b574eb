// Results, what is written, and when it may be called: measured on Envoy 1.40.0.
import { describe, expect, test } from 'vitest';
import type { FunctionType } from '../../../proxy-wasm/abi.ts';
import { hostImport, importType, wasiFunctions } from '../../../proxy-wasm/signatures.ts';
import type { VmOptions } from '../../../envoy/embedded/wasm/vm.ts';
import { assemble, makeVm, marker, memory, plugin } from './assemble.ts';

const OUT = 1024;
const END = 2 * 65_536;
/** At 64: the vectors "ab\n" and "cd". */
const vectors = '(data (i32.const 64) "\\00\\02\\00\\00\\03\\00\\00\\00\\03\\02\\00\\00\\02\\00\\00\\00")';
const texts = '(data (i32.const 512) "ab\\ncd")';
const untouched = `(data (i32.const ${OUT}) "${'\\ee'.repeat(64)}")`;
const nothing = 'ee'.repeat(16);

describe.each([
  ['args_get', [OUT, OUT], 0, nothing],
  ['args_sizes_get', [OUT, OUT + 8], 0, '00000000eeeeeeee00000000eeeeeeee'],
  ['args_sizes_get', [END - 3, OUT], 21, nothing],
  ['clock_res_get', [0, OUT], 0, '0100000000000000eeeeeeeeeeeeeeee'],
  ['clock_res_get', [1, OUT], 0, '0100000000000000eeeeeeeeeeeeeeee'],
  ['clock_res_get', [2, OUT], 58, nothing],
  ['clock_res_get', [0, END - 7], 21, nothing],
  ['clock_time_get', [0, 0, OUT], 0, '40420f0000000000eeeeeeeeeeeeeeee'],
  ['clock_time_get', [2, 0, OUT], 58, nothing],
  ['clock_time_get', [0, 0, END - 7], 21, nothing],
  ['environ_sizes_get', [OUT, OUT + 4], 0, '020000000b000000eeeeeeeeeeeeeeee'],
  ['environ_sizes_get', [END - 3, OUT], 21, nothing],
  ['environ_get', [OUT, OUT + 8], 0, '080400000c040000413d310042423d78'],
  ['environ_get', [END - 3, OUT], 21, nothing],
  ['fd_advise', [9, 0, 0, 9], 0, nothing],
  ['fd_allocate', [1, 0, 0], 0, nothing],
  ['fd_allocate', [0, 0, 0], 8, nothing],
  ['fd_datasync', [2], 0, nothing],
  ['fd_datasync', [3], 8, nothing],
  ['fd_fdstat_get', [1, OUT], 0, '00000000000000004000000000000000'],
  ['fd_fdstat_get', [2, END - 3], 0, nothing],
  ['fd_fdstat_get', [0, OUT], 8, nothing],
  ['fd_fdstat_set_flags', [1, 4], 52, nothing],
  ['fd_fdstat_set_rights', [1, 0, 0], 0, nothing],
  ['fd_fdstat_set_rights', [0, 0, 0], 8, nothing],
  ['fd_filestat_get', [1, OUT], 8, nothing],
  ['fd_filestat_set_size', [2, 0], 0, nothing],
  ['fd_filestat_set_size', [0, 0], 8, nothing],
  ['fd_filestat_set_times', [1, 0, 0, 0], 0, nothing],
  ['fd_filestat_set_times', [0, 0, 0, 0], 8, nothing],
  ['fd_pread', [1, 64, 1, 0, OUT], 52, nothing],
  ['fd_prestat_dir_name', [3, OUT, 4], 52, nothing],
  ['fd_prestat_get', [3, OUT], 8, nothing],
  ['fd_read', [0, 64, 1, OUT], 52, nothing],
  ['fd_readdir', [1, 0, 0, 0, OUT], 20, '00000000eeeeeeeeeeeeeeeeeeeeeeee'],
  ['fd_readdir', [1, 0, 0, 0, END - 3], 21, nothing],
  ['fd_renumber', [1, 2], 58, nothing],
  ['fd_renumber', [1, 3], 8, nothing],
  ['fd_renumber', [0, 1], 8, nothing],
  ['fd_sync', [1], 0, nothing],
  ['fd_sync', [0], 8, nothing],
  ['fd_tell', [2, OUT], 0, '0000000000000000eeeeeeeeeeeeeeee'],
  ['fd_tell', [2, END - 7], 21, nothing],
  ['fd_tell', [0, OUT], 8, nothing],
  ['path_open', [3, 0, 0, 0, 0, 0, 0, 0, OUT], 44, nothing],
  ['path_filestat_get', [3, 0, 0, 0, OUT], 58, nothing],
  ['path_readlink', [3, 0, 0, 0, 0, OUT], 58, nothing],
  ['poll_oneoff', [64, OUT + 8, 1, OUT], 0, '00000000eeeeeeeeeeeeeeeeeeeeeeee'],
  ['poll_oneoff', [64, OUT, 1, END - 3], 21, nothing],
  ['random_get', [OUT, 4], 0, '07070707eeeeeeeeeeeeeeeeeeeeeeee'],
  ['random_get', [OUT, 65_536], 0, '07'.repeat(16)],
  ['random_get', [OUT, 65_537], 28, nothing],
  ['random_get', [END - 8, 9], 21, nothing],
  ['sched_yield', [], 0, nothing],
  ['sock_send', [3, 0, 0, 0, OUT], 58, nothing],
] as const)('%s(%j)', (name, args, result, written) => {
  test.each(['wasi_unstable', 'wasi_snapshot_preview1'])(`of %s is ${result}`, (module) => {
    const { vm } = load(name, args, module);
    expect(vm.call('proxy_on_done', 1, 1)).toBe(result);
    expect(Buffer.from(vm.bytes(OUT, 16) ?? []).toString('hex')).toBe(written);
  });
});

describe.each([
  ['fd_write', []],
  ['fd_pwrite', [0]],
] as const)('%s', (name, offset) => {
  test.each([
    ['one newline at the end goes', 1, 1, ['1 info ab'], 3],
    ['lines stay together', 1, 2, ['1 info ab\ncd'], 5],
    ['standard error is an error', 2, 1, ['1 error ab'], 3],
    ['nothing is not logged', 1, 0, [], 0],
  ])('%s', (_, fd, count, lines, length) => {
    const { vm, logged } = load(name, [fd, 64, count, ...offset, OUT]);
    expect(vm.call('proxy_on_done', 1, 1)).toBe(0);
    expect(logged).toEqual(lines);
    expect(vm.memory.readU32(OUT)).toBe(length);
  });

  test.each([
    ['standard input', [0, 64, 1, ...offset, OUT], 8, 0],
    ['a file', [3, 64, 1, ...offset, OUT], 8, 0],
    ['vectors out of bounds', [1, END - 2, 1, ...offset, OUT], 21, 0],
    ['vectors without an end', [1, 64, -1, ...offset, OUT], 21, 0],
    ['no place for the length, which is told after the line', [1, 64, 1, ...offset, END - 3], 21, 1],
  ])('%s', (_, args, result, lines) => {
    const { vm, logged } = load(name, args);
    expect(vm.call('proxy_on_done', 1, 1)).toBe(result);
    expect(logged).toHaveLength(lines);
  });

  test('a line is bounded', () => {
    const all = Array.from({ length: 129 }, () => '\\00\\00\\00\\00\\00\\00\\02\\00').join('');
    const { vm, logged } = load(name, [1, 4096, 129, ...offset, OUT], undefined, `(data (i32.const 4096) "${all}")`);
    expect(vm.call('proxy_on_done', 1, 1)).toBe(21);
    expect(logged).toEqual([]);
  });
});

test('what is not UTF-8 is logged with replacements', () => {
  const { vm, logged } = load('fd_write', [1, 64, 1, OUT], undefined, '(data (i32.const 512) "\\ff\\c3\\a9")');
  vm.call('proxy_on_done', 1, 1);
  expect(logged).toEqual(['1 info \ufffdé']);
});

test('the monotonic clock goes on', () => {
  const { vm } = load('clock_time_get', [1, 0, OUT]);
  const read = (): bigint => {
    vm.call('proxy_on_done', 1, 1);
    return Buffer.from(vm.bytes(OUT, 8) ?? []).readBigUInt64LE();
  };
  const first = read();
  expect(read() >= first && first > 0n).toBe(true);
});

test('the generator of the system is the default', () => {
  const { vm } = load('random_get', [OUT, 32], undefined, '', {});
  vm.call('proxy_on_done', 1, 1);
  expect(vm.bytes(OUT, 32)).not.toEqual(new Uint8Array(32).fill(0xee));
});

test.each([
  ['fd_close', [1]],
  ['fd_seek', [1, 0, 0, OUT]],
  ['proc_exit', [3]],
] as const)('%s is told and the module goes on', (name, args) => {
  const { vm, reported } = load(name, args);
  expect(vm.call('proxy_on_done', 1, 1)).toBe(0);
  expect(reported).toEqual([`trace wasi_unstable ${name}`]);
});

describe('restricted phases', () => {
  const env = [
    'proxy_log',
    'proxy_done',
    'proxy_get_current_time_nanoseconds',
    'pthread_equal',
    'emscripten_notify_memory_growth',
  ];
  const found = [
    ...env.map((name) => ['env', name]),
    ...Object.keys(wasiFunctions).map((name) => ['wasi_unstable', name]),
  ];
  const allowedNames = (trapsIn: (module: string, name: string) => string | undefined): string[] =>
    found.flatMap(([module = '', name = '']) => (trapsIn(module, name) === undefined ? [name] : []));

  test('while the module starts', () => {
    const allowed = allowedNames((module, name) => {
      const { vm } = makeVm(plugin(`(func (export "_initialize") ${call(module, name)})`, declare(module, name)));
      vm.initialize();
      return vm.failed;
    });
    const refused = found.map(([, name]) => name).filter((name) => !allowed.includes(String(name)));
    expect(refused).toEqual([
      'proxy_done',
      'proxy_get_current_time_nanoseconds',
      'pthread_equal',
      'fd_close',
      'fd_read',
      'fd_seek',
      'path_open',
      'proc_exit',
      'sched_yield',
    ]);
  });

  test('while the host wants memory', () => {
    const allowed = allowedNames((module, name) => {
      const malloc = `(func (export "malloc") (param i32) (result i32) ${call(module, name)} (i32.const 4096))`;
      const { vm } = makeVm(assemble(`(module ${declare(module, name)} ${memory} ${marker} ${malloc})`));
      vm.give(Uint8Array.of(1), 0, 4);
      return vm.failed;
    });
    expect(allowed).toEqual(['proxy_log', 'clock_time_get', 'fd_write', 'poll_oneoff']);
  });

  test('the trap has a name', () => {
    const fields = `(func (export "_initialize") ${call('env', 'proxy_done')})`;
    const { vm } = makeVm(plugin(fields, declare('env', 'proxy_done')));
    vm.initialize();
    expect(vm.failed).toBe('Function: _initialize failed: Uncaught Error: restricted_callback');
  });

  function call(module: string, name: string): string {
    const { params, results } = typeOf(module, name);
    const made = `(call $f ${params.map((type) => `(${type}.const 0)`).join(' ')})`;
    return results.length > 0 ? `(drop ${made})` : made;
  }
});

function load(
  name: keyof typeof wasiFunctions,
  args: readonly number[],
  module = 'wasi_snapshot_preview1',
  fields = '',
  options: Partial<VmOptions> = { random: (bytes) => bytes.fill(7) },
): ReturnType<typeof makeVm> {
  const { params, results } = typeOf(module, name);
  const made = `(call $f ${params.map((type, index) => `(${type}.const ${args[index] ?? 0})`).join(' ')})`;
  const body = results.length > 0 ? made : `${made} (i32.const 0)`;
  const callback = `(func (export "proxy_on_done") (param i32) (result i32) ${body})`;
  const bytes = plugin(`${vectors} ${texts} ${untouched} ${fields} ${callback}`, declare(module, name));
  return makeVm(bytes, { environment: { A: '1', BB: 'x y' }, now: () => 1, ...options });
}

function declare(module: string, name: string): string {
  const { params, results } = typeOf(module, name);
  return `(import "${module}" "${name}" (func $f (param ${params.join(' ')}) (result ${results.join(' ')})))`;
}

function typeOf(module: string, name: string): FunctionType {
  const found = hostImport(module, name, '0.2.1');
  if (!found) throw new Error(`the host has no ${module}.${name}`);
  return importType(found);
}
