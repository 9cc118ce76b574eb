import { describe, expect, test } from 'vitest';
import { HostAssertion } from '../../../proxy-wasm/host-assertion.ts';
import { LoadError } from '../../../proxy-wasm/load-error.ts';
import { WasmResult } from '../../../proxy-wasm/result.ts';
import { assemble, makeVm, malloc, marker, memory, plugin } from './assemble.ts';

const done = '(import "env" "proxy_done" (func $done (result i32)))';
/** proxy_on_tick makes the host call. */
const ticking = '(func (export "proxy_on_tick") (param i32) (drop (call $done)))';
const startFailed = ['Failed to create new Wasm instance', 'Wasm VM failed Failed to initialize Wasm code'];

describe('a VM begins with', () => {
  const logs = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))';
  const say = (name: string, level: number, type = ''): string => {
    const result = type.includes('result') ? '(i32.const 0)' : '';
    return `(func (export "${name}") ${type} (drop (call $log (i32.const ${level}) (i32.const 0) (i32.const 0))) ${result})`;
  };
  const main = say('main', 2, '(param i32 i32) (result i32)');
  const mainVoid = say('__main_void', 3, '(result i32)');

  test.each([
    ['_initialize and main', say('_initialize', 1) + main + mainVoid + say('_start', 4), [1, 2]],
    ['_initialize and __main_void', say('_initialize', 1) + mainVoid, [1, 3]],
    ['_initialize', say('_initialize', 1), [1]],
    ['_start', say('_start', 4) + main + mainVoid, [4]],
    ['nothing', main, []],
  ])('%s', (_, fields, expected) => {
    const levels: number[] = [];
    const functions = { proxy_log: (_vm: unknown, level: number): number => levels.push(level) && 0 };
    const { vm } = makeVm(plugin(fields, logs), { functions });
    vm.initialize();
    expect(levels).toEqual(expected);
  });

  test('nothing behind a trap', () => {
    const { vm, reported } = makeVm(plugin('(func (export "_initialize") unreachable)' + main, logs));
    vm.initialize();
    expect(reported).toEqual(['error Function: _initialize failed: Uncaught RuntimeError: unreachable']);
  });
});

// The texts were read from the log of Envoy 1.40.0.
describe('a trap is told as Envoy tells it', () => {
  test.each([
    ['unreachable', 'unreachable', 'RuntimeError: unreachable'],
    ['a division by zero', '(drop (i32.div_s (i32.const 1) (i32.const 0)))', 'RuntimeError: divide by zero'],
    ['an access out of bounds', '(drop (i32.load (i32.const -1)))', 'RuntimeError: memory access out of bounds'],
    ['endless recursion', '(call $self)', 'RangeError: Maximum call stack size exceeded'],
    ['an exception', '(throw $t)', '#<Exception>'],
  ])('%s', (_, body, text) => {
    const { vm, reported } = makeVm(
      plugin(`(tag $t) (func $self (export "proxy_on_tick") (param i32) ${callable(body)})`),
    );
    expect(vm.call('proxy_on_tick', 1, 1)).toBeUndefined();
    expect(vm.failed).toBe(`Function: proxy_on_tick failed: Uncaught ${text}`);
    expect(reported).toEqual([`error ${String(vm.failed)}`]);
  });

  function callable(body: string): string {
    return body === '(call $self)' ? '(call $self (i32.const 0))' : body;
  }

  test('with a backtrace where functions have names', () => {
    const fields = `(func $inner unreachable) (func $outer (call $inner))
      (func $init (export "_initialize") (call $outer))`;
    const { vm } = makeVm(plugin(fields, '', { names: true }));
    vm.initialize();
    const [message, title, ...frames] = String(vm.failed).split('\n');
    expect(message).toBe('Function: _initialize failed: Uncaught RuntimeError: unreachable');
    expect(title).toBe('Proxy-Wasm plugin in-VM backtrace:');
    expect(frames.map((frame) => frame.replace(/0x[0-9a-f]+/, '0x'))).toEqual([
      '  0:  0x - inner',
      '  1:  0x - outer',
      '  2:  0x - init',
    ]);
  });

  test('and nothing is called any more', () => {
    const { vm } = makeVm(plugin(`${ticking} (func (export "proxy_on_log") (param i32) unreachable)`, done), {
      functions: { proxy_done: () => expect.unreachable() },
    });
    vm.call('proxy_on_log', 1, 1);
    expect(vm.call('proxy_on_tick', 1, 1)).toBeUndefined();
    expect(vm.failed).toContain('proxy_on_log');
  });

  test('a trap inside a call from a host call ends only the inner one', () => {
    const results: number[] = [];
    const bad = `(func (export "malloc") (param i32) (result i32) unreachable)`;
    const { vm } = makeVm(assemble(`(module ${done} ${memory} ${marker} ${bad} ${ticking})`), {
      functions: {
        proxy_done: (inner) => {
          results.push(inner.give(Uint8Array.of(1), 0, 4));
          return WasmResult.Ok;
        },
      },
    });
    vm.call('proxy_on_tick', 1, 1);
    expect(results).toEqual([WasmResult.InvalidMemoryAccess]);
    expect(vm.failed).toBe('Function: malloc failed: Uncaught RuntimeError: unreachable');
  });
});

describe('what the host throws is no trap', () => {
  test.each([new HostAssertion('an assertion'), new TypeError('a bug'), new RangeError('another')])('%s', (error) => {
    const throws = (): never => {
      throw error;
    };
    const { vm, reported } = makeVm(plugin(ticking, done), { functions: { proxy_done: throws } });
    expect(() => vm.call('proxy_on_tick', 3, 3)).toThrow(error);
    expect([vm.failed, vm.currentContextId, reported]).toEqual([undefined, 0, []]);
  });
});

describe('the start section', () => {
  test('may run', () => {
    const fields = `(global $g (mut i32) (i32.const 0)) (func $s (global.set $g (i32.const 5))) (start $s)
      (func (export "proxy_on_done") (param i32) (result i32) (global.get $g))`;
    expect(makeVm(plugin(fields)).vm.call('proxy_on_done', 1, 1)).toBe(5);
  });

  test.each([
    ['a trap', '(func $s unreachable) (start $s)'],
    ['data out of bounds', '(data (i32.const 131072) "x")'],
  ])('%s', (_, fields) => {
    expect(() => makeVm(plugin(fields))).toThrow(expect.objectContaining({ log: startFailed }) as LoadError);
  });

  test.each([
    ['pthread_equal', '(func $f (param i32 i32) (result i32))', '(drop (call $f (i32.const 1) (i32.const 1)))'],
    ['emscripten_notify_memory_growth', '(func $f (param i32))', '(call $f (i32.const 1))'],
  ])('%s is fine', (name, type, call) => {
    const { vm } = makeVm(plugin(`(func $s ${call}) (start $s)`, `(import "env" "${name}" ${type})`));
    expect(vm.failed).toBeUndefined();
  });
});

describe('contexts', () => {
  test('host calls act for the context that was called, until another one is effective', () => {
    const seen: number[][] = [];
    const note = (vm: { contextId: number; currentContextId: number }): void => {
      seen.push([vm.contextId, vm.currentContextId]);
    };
    const { vm } = makeVm(plugin(ticking, done), {
      functions: {
        proxy_done: (inner) => {
          note(inner);
          if (inner.currentContextId === 9) return 0;
          inner.setEffective(5);
          note(inner);
          inner.call('proxy_on_tick', 9, 9);
          note(inner);
          return 0;
        },
      },
    });
    vm.call('proxy_on_tick', 3, 3);
    note(vm);
    expect(seen).toEqual([[3, 3], [5, 3], [9, 9], [5, 3], [0, 0]]); // prettier-ignore
  });

  test('malloc is called for the VM itself', () => {
    const text = `(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      ${done} ${memory} ${marker} (data (i32.const 64) "\\00\\02\\00\\00\\02\\00\\00\\00") (data (i32.const 512) "hi")
      (func (export "malloc") (param i32) (result i32)
        (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 128))) (i32.const 4096))
      ${ticking})`;
    const functions = { proxy_done: (inner: { give: (bytes: Uint8Array, a: number, b: number) => number }) => inner.give(Uint8Array.of(7), 0, 4) }; // prettier-ignore
    const { vm, logged } = makeVm(assemble(text), { functions });
    vm.call('proxy_on_tick', 3, 3);
    expect(logged).toEqual(['0 info hi']);
    expect(vm.memory.readU32(0)).toBe(4096);
  });
});

describe('the queue behind a call', () => {
  test('runs first in, first out, when the call has returned', () => {
    const order: string[] = [];
    const { vm } = makeVm(plugin(ticking, done), {
      functions: {
        proxy_done: (inner) => {
          inner.afterCall(() => order.push('first'));
          inner.afterCall(() => order.push('second'));
          order.push('call');
          return 0;
        },
      },
    });
    vm.deferring(() => {
      vm.invoke('proxy_on_tick', 1, 1);
      order.push('result');
    });
    expect(order).toEqual(['call', 'result', 'first', 'second']);
  });

  test('an action that calls runs what that call queues', () => {
    const order: string[] = [];
    let depth = 0;
    const { vm } = makeVm(plugin(ticking, done), {
      functions: {
        proxy_done: (inner) => {
          const name = `action ${depth++}`;
          inner.afterCall(() => {
            order.push(name);
            if (depth < 3) inner.call('proxy_on_tick', 1, 1);
          });
          return 0;
        },
      },
    });
    vm.call('proxy_on_tick', 1, 1);
    expect(order).toEqual(['action 0', 'action 1', 'action 2']);
  });

  test('runs behind a trap too', () => {
    let ran = false;
    const fields = `(func (export "proxy_on_tick") (param i32) (drop (call $done)) unreachable)`;
    const { vm } = makeVm(plugin(fields, done), {
      functions: {
        proxy_done: (inner) => {
          inner.afterCall(() => (ran = true));
          return 0;
        },
      },
    });
    vm.call('proxy_on_tick', 1, 1);
    expect([ran, vm.failed !== undefined]).toEqual([true, true]);
  });
});

describe('numbers', () => {
  test('i32 arrive and return without a sign', () => {
    const fields = `(func (export "proxy_on_done") (param i32) (result i32) (drop (call $tick (i32.const -1))) (i32.const -2))`;
    const imports = '(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))';
    let period = 0;
    const functions = {
      proxy_set_tick_period_milliseconds: (_: unknown, value: number): number => ((period = value), 0),
    };
    const { vm } = makeVm(plugin(fields, imports), { functions });
    expect(vm.call('proxy_on_done', 1, 1)).toBe(0xfffffffe);
    expect(period).toBe(0xffffffff);
  });

  test('increments have a sign, records have none', () => {
    const fields = `(func (export "proxy_on_tick") (param i32)
      (drop (call $add (i32.const 1) (i64.const -1))) (drop (call $set (i32.const 1) (i64.const -1))))`;
    const imports = `(import "env" "proxy_increment_metric" (func $add (param i32 i64) (result i32)))
      (import "env" "proxy_record_metric" (func $set (param i32 i64) (result i32)))`;
    const seen: bigint[] = [];
    const note = (_vm: unknown, _id: number, value: bigint): number => (seen.push(value), 0);
    const { vm } = makeVm(plugin(fields, imports), {
      functions: { proxy_increment_metric: note, proxy_record_metric: note },
    });
    vm.call('proxy_on_tick', 1, 1);
    expect(seen).toEqual([-1n, 2n ** 64n - 1n]);
  });

  test('a host call that nobody implements says so', () => {
    const fields = '(func (export "proxy_on_done") (param i32) (result i32) (call $done))';
    expect(makeVm(plugin(fields, done)).vm.call('proxy_on_done', 1, 1)).toBe(WasmResult.Unimplemented);
  });

  test('what is not exported is not called', () => {
    const { vm } = makeVm(plugin('(func (export "other") unreachable)'));
    expect([vm.has('proxy_on_tick'), vm.call('proxy_on_tick', 1, 1), vm.has('other'), vm.call('other', 1)]).toEqual([
      false,
      undefined,
      false,
      undefined,
    ]);
  });
});

describe('memory', () => {
  const size = 2 * 65_536;

  test.each([
    [0, 0, true],
    [size, 0, true],
    [size - 1, 1, true],
    [size - 1, 2, false],
    [0xffffffff, 0, false],
    [0xffffffff, 0xffffffff, false],
  ])('bytes at %i, %i of them: in bounds %s', (pointer, length, inside) => {
    const { vm } = makeVm(plugin(''));
    expect(vm.bytes(pointer, length)?.length).toBe(inside ? length : undefined);
    expect(vm.text(pointer, length)?.length).toBe(inside ? length : undefined);
  });

  test('writes go up to the end', () => {
    const { vm } = makeVm(plugin(''));
    expect([vm.writeU32(size - 4, 1), vm.writeU32(size - 3, 1)]).toEqual([true, false]);
    expect([vm.writeU64(size - 8, 1n), vm.writeU64(size - 7, 1n)]).toEqual([true, false]);
  });

  test('what was read stays as it was', () => {
    const { vm } = makeVm(plugin(''));
    const before = vm.bytes(0, 4);
    vm.writeU32(0, 0xffffffff);
    expect(before).toEqual(Uint8Array.of(0, 0, 0, 0));
  });

  test('text is latin1, or UTF-8 for people', () => {
    const { vm } = makeVm(plugin('(data (i32.const 0) "\\c3\\a9\\ff")'));
    expect([vm.text(0, 3), vm.text(0, 2, 'utf8')]).toEqual(['Ã©ÿ', 'é']);
  });

  test('nothing is given without malloc', () => {
    const { vm } = makeVm(
      assemble(`(module ${memory} ${marker} (func (export "malloc") (param i32) (result i32) unreachable))`),
    );
    vm.writeU32(0, 5);
    expect(vm.give(new Uint8Array(0), 0, 4)).toBe(WasmResult.Ok);
    expect([vm.memory.readU32(0), vm.memory.readU32(4)]).toEqual([0, 0]);
  });

  test.each([
    ['malloc has nothing', '(i32.const 0)', 0],
    ['malloc gives what is not there', '(i32.const 131071)', 0],
    ['there is no place for the address', '(i32.const 4096)', size - 3],
  ])('%s: InvalidMemoryAccess', (_, result, out) => {
    const bad = `(func (export "malloc") (param i32) (result i32) ${result})`;
    const { vm } = makeVm(assemble(`(module ${memory} ${marker} ${bad})`));
    expect(vm.give(Uint8Array.of(1, 2), out, 4)).toBe(WasmResult.InvalidMemoryAccess);
  });

  test('malloc may grow it', () => {
    const grow = `(func (export "malloc") (param i32) (result i32) (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))`;
    const { vm } = makeVm(assemble(`(module ${memory} ${marker} ${grow})`));
    expect(vm.give(Uint8Array.of(1, 2), 0, 4)).toBe(WasmResult.Ok);
    expect(vm.bytes(size, 2)).toEqual(Uint8Array.of(1, 2));
    expect(vm.memory.readU32(0)).toBe(size);
  });

  test('ends at 1 GiB', () => {
    const fields = '(func (export "proxy_on_done") (param i32) (result i32) (memory.grow (i32.const 16383)))';
    expect(makeVm(plugin(fields)).vm.call('proxy_on_done', 1, 1)).toBe(0xffffffff);
    const large = `(module (memory (export "memory") 16385) ${marker} ${malloc})`;
    expect(() => makeVm(assemble(large))).toThrow(expect.objectContaining({ log: startFailed }) as LoadError);
  });

  test('an imported one is used', () => {
    const text = `(module (import "x" "y" (memory 1 2)) ${marker} ${malloc} (data (i32.const 0) "hey"))`;
    expect(makeVm(assemble(text)).vm.text(0, 3)).toBe('hey');
  });
});

describe('capabilities', () => {
  const imports = `${done} (import "wasi_unstable" "random_get" (func $random (param i32 i32) (result i32)))`;
  const fields = `(func (export "proxy_on_done") (param i32) (result i32) (call $done))
    (func (export "proxy_validate_configuration") (param i32 i32) (result i32) (call $random (i32.const 0) (i32.const 0)))
    (func (export "proxy_on_tick") (param f32)) (func (export "envoy_on_stats_update") (param i32 i32))`;
  const callbacks = ['proxy_on_done', 'proxy_validate_configuration'];

  test('what is not allowed refuses and tells, or is not called', () => {
    const { vm, reported } = makeVm(plugin(fields, imports), {}, callbacks);
    expect(vm.call('proxy_on_done', 1, 1)).toBe(WasmResult.InternalFailure);
    expect(vm.call('proxy_validate_configuration', 1, 1, 0)).toBe(76);
    expect(reported).toEqual([
      'error Attempted call to restricted proxy-wasm capability: proxy_done',
      'error Attempted call to restricted WASI capability: random_get',
    ]);
    expect([vm.has('proxy_on_tick'), vm.has('envoy_on_stats_update')]).toEqual([false, true]);
  });

  test('what is allowed works', () => {
    const functions = { proxy_done: (): number => WasmResult.NotFound };
    const { vm, reported } = makeVm(plugin(fields, imports), { functions }, [...callbacks, 'proxy_done', 'random_get']);
    expect(vm.call('proxy_on_done', 1, 1)).toBe(WasmResult.NotFound);
    expect(vm.call('proxy_validate_configuration', 1, 1, 0)).toBe(0);
    expect(reported).toEqual([]);
  });

  test('an empty list allows everything', () => {
    const { vm } = makeVm(plugin(ticking, done), {}, []);
    expect(vm.has('proxy_on_tick')).toBe(true);
  });
});
