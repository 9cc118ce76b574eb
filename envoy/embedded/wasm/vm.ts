import { HostAssertion } from '../filter.ts';
import type { CompiledModule } from './compile.ts';
import { LoadError } from './load-error.ts';
import { Result } from './result.ts';
import { hostFunctions, runtimeFunctions, wasiFunctions as wasiSignatures } from './signatures.ts';
import { wasiFunctions } from './wasi.ts';
import { type Export, type Import, type Memory, WebAssembly } from './webassembly.ts';

/** A function that a module imports, by its numbers; i64 are bigints. */
export type HostFunction = (...parameters: never[]) => number;

/** Bits of what the host is doing with the module: some imports are forbidden meanwhile. */
type Phase = 'starting' | 'allocating' | 'running';

/** Imports that are allowed while the module starts, beside all of WASI. (cpp-host: wasm.cc) */
const allowedAtStart = new Set(['proxy_log', 'emscripten_notify_memory_growth', 'pthread_equal']);
/** Imports that are allowed while the host asks for memory. (cpp-host: wasm.h) */
const allowedWhileAllocating = new Set(['proxy_log', 'fd_write', 'clock_time_get', 'poll_oneoff']);

export interface VmSurroundings {
  /** Of module `env`, by name; made for this VM. */
  readonly functions: Readonly<Record<string, HostFunction>>;
  readonly environment: Readonly<Record<string, string>>;
  /** What the module writes to stdout and stderr. @param level as of proxy_log */
  readonly log: (level: number, text: string) => void;
  /** Told once, when the module has trapped; nothing is called afterwards. */
  readonly onFailure: (message: string) => void;
  /** Told of what would crash Envoy; the callback ends there. */
  readonly onAssertion: (error: HostAssertion) => void;
  /** Names of what the module may import and export; undefined: everything. */
  readonly capabilities: readonly string[] | undefined;
}

/**
 * One instance of a module: memory, calls in and out, and what follows from a call.
 *
 * The context is a number here; who it belongs to is the business of the functions.
 */
export class WasmVm {
  readonly module: CompiledModule;
  /** Why this VM is dead: the text of its trap. */
  failed: string | undefined;
  /** The context that the running callback was made for; 0 outside of callbacks. */
  current = 0;
  /** The context that host calls act for: the current one unless proxy_set_effective_context said otherwise. */
  effective = 0;
  /** Set by a host call that settles what becomes of the stream, whatever the running callback returns. */
  stopIteration = false;
  /** Whether the last callback had that settled for it. */
  stopped = false;
  readonly #surroundings: VmSurroundings;
  readonly #exports: Readonly<Record<string, Export | Memory>>;
  readonly #memory: Memory;
  readonly #allocate: Export;
  #phase: Phase = 'starting';
  #instantiated = false;
  #afterCall: (() => void)[] = [];
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));

  /** @throws LoadError where the module cannot be started */
  constructor(module: CompiledModule, surroundings: VmSurroundings) {
    this.module = module;
    this.#surroundings = surroundings;
    const imports = this.#imports();
    try {
      this.#exports = new WebAssembly.Instance(module.code, imports.functions).exports;
    } catch (error) {
      if (error instanceof HostAssertion) throw error;
      throw new LoadError(`Failed to instantiate Wasm module: ${trapText(error)}`);
    }
    this.#instantiated = true;
    const memory = Object.values(this.#exports).find(isMemory) ?? imports.memory;
    if (memory === undefined) throw new LoadError('Wasm module has no memory');
    this.#memory = memory;
    this.#allocate = this.#exports[module.allocator] as Export;
    this.#start();
  }

  #start(): void {
    const names = this.#has('_initialize')
      ? ['_initialize', this.#has('main') ? 'main' : '__main_void'] // cpp-host: wasm.cc startVm
      : ['_start'];
    for (const name of names) {
      if (this.failed === undefined) this.#run(name, 0, name === 'main' ? [0, 0] : []);
    }
    if (this.failed !== undefined) throw new LoadError(this.failed);
    this.#phase = 'running';
  }

  /** Whether it can be called: the module exports it, may do so, and has not trapped. */
  has(name: string): boolean {
    return this.failed === undefined && this.#has(name) && this.#mayUse(name);
  }

  #has(name: string): boolean {
    return typeof this.#exports[name] === 'function';
  }

  /** Exported callbacks have to be allowed as well, where a list says what is. */
  #mayUse(name: string): boolean {
    const { capabilities } = this.#surroundings;
    return capabilities === undefined || capabilities.length === 0 || capabilities.includes(name);
  }

  /**
   * Calls a callback, then carries out what it has asked to be done after it.
   * @returns undefined where the module has no such callback, or has trapped now or before
   */
  call(name: string, context: number, ...parameters: number[]): number | undefined {
    if (!this.has(name)) return undefined;
    try {
      const result = this.#run(name, context, parameters);
      const stopped = this.stopIteration;
      this.stopIteration = false; // what is done now may call the module again
      this.#runAfterCall();
      this.stopped = stopped;
      return result;
    } catch (error) {
      if (!(error instanceof HostAssertion)) throw error;
      this.#surroundings.onAssertion(error);
      return undefined;
    }
  }

  #run(name: string, context: number, parameters: readonly number[]): number | undefined {
    const callback = this.#exports[name];
    if (typeof callback !== 'function') return undefined;
    const { current, effective } = this;
    this.current = context;
    this.effective = context;
    try {
      const result = callback(...parameters);
      return result === undefined ? undefined : Number(result) >>> 0;
    } catch (error) {
      if (error instanceof HostAssertion) throw error;
      this.#fail(`Function: ${name} failed: ${trapText(error)}`);
      return undefined;
    } finally {
      this.current = current;
      this.effective = effective;
    }
  }

  #fail(message: string): void {
    if (this.failed !== undefined) return;
    this.failed = message;
    this.#afterCall = [];
    this.#surroundings.onFailure(message);
  }

  /** Has something done when the callback that runs now has returned. */
  afterCall(action: () => void): void {
    this.#afterCall.push(action);
  }

  #runAfterCall(): void {
    // An action may call the module again, which then runs what is left: first in, first out.
    for (let action = this.#afterCall.shift(); action !== undefined; action = this.#afterCall.shift()) action();
  }

  /** A copy; undefined where it is not within the memory. */
  read(pointer: number, length: number): Uint8Array | undefined {
    const memory = this.bytes();
    const [from, size] = [pointer >>> 0, length >>> 0];
    return from + size > memory.length ? undefined : memory.slice(from, from + size);
  }

  /** Bytes as latin1 text, the way header values are kept. */
  readText(pointer: number, length: number, encoding: 'latin1' | 'utf8' = 'latin1'): string | undefined {
    const memory = this.bytes();
    const [from, size] = [pointer >>> 0, length >>> 0];
    if (from + size > memory.length) return undefined;
    return Buffer.from(memory.buffer, from, size).toString(encoding);
  }

  /** All of the memory; good until the next call into the module. */
  bytes(): Uint8Array {
    this.#refresh();
    return this.#bytes;
  }

  /** Memory that has grown lies in another buffer. */
  #refresh(): void {
    const { buffer } = this.#memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  write(pointer: number, bytes: Uint8Array): boolean {
    const memory = this.bytes();
    if ((pointer >>> 0) + bytes.length > memory.length) return false;
    memory.set(bytes, pointer >>> 0);
    return true;
  }

  writeU32(pointer: number, value: number): boolean {
    this.#refresh();
    if ((pointer >>> 0) + 4 > this.#view.byteLength) return false;
    this.#view.setUint32(pointer >>> 0, value, true);
    return true;
  }

  writeU64(pointer: number, value: bigint): boolean {
    this.#refresh();
    if ((pointer >>> 0) + 8 > this.#view.byteLength) return false;
    this.#view.setBigUint64(pointer >>> 0, BigInt.asUintN(64, value), true);
    return true;
  }

  readU32(pointer: number): number | undefined {
    this.#refresh();
    return (pointer >>> 0) + 4 > this.#view.byteLength ? undefined : this.#view.getUint32(pointer >>> 0, true);
  }

  /** Hands bytes to the module, in memory that it is asked for; nothing is (0, 0), and asks for none. */
  give(bytes: Uint8Array, outPointer: number, outLength: number): Result {
    let pointer = 0;
    if (bytes.length > 0) {
      pointer = this.#malloc(bytes.length);
      if (pointer === 0 || !this.write(pointer, bytes)) return Result.InvalidMemoryAccess;
    }
    const written = this.writeU32(outPointer, pointer) && this.writeU32(outLength, bytes.length);
    return written ? Result.Ok : Result.InvalidMemoryAccess;
  }

  /** A trap in here ends the callback that asked, as it would in Envoy. */
  #malloc(size: number): number {
    const { current, effective } = this;
    const phase = this.#phase;
    this.current = 0;
    this.effective = 0;
    this.#phase = 'allocating';
    try {
      return Number(this.#allocate(size)) >>> 0;
    } finally {
      this.#phase = phase;
      this.current = current;
      this.effective = effective;
    }
  }

  #imports(): { functions: Record<string, Record<string, Import | Memory>>; memory: Memory | undefined } {
    const functions: Record<string, Record<string, Import | Memory>> = {};
    const wasi = wasiFunctions(this, this.#surroundings);
    let memory: Memory | undefined;
    for (const { module, name, kind, initialPages } of this.module.bytecode.imports) {
      const space = (functions[module] ??= {});
      if (kind === 'memory') {
        memory = new WebAssembly.Memory({ initial: initialPages });
        space[name] = memory;
      } else if (module === 'env') {
        space[name] = this.#guard(name, this.#hostFunction(name), Result.InternalFailure);
      } else {
        space[name] = this.#guard(name, wasi[name], 76); // __WASI_ENOTCAPABLE
      }
    }
    return { functions, memory };
  }

  #hostFunction(name: string): HostFunction {
    if (name === 'emscripten_notify_memory_growth') return () => 0;
    if (name === 'pthread_equal') return (left: number, right: number) => Number(left === right);
    const { functions } = this.#surroundings;
    const host = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (host === undefined) throw new HostAssertion(`the host lacks ${name}`);
    return host;
  }

  /** Puts what every import has in common around one: where it may be called, and whether the module may use it. */
  #guard(name: string, host: HostFunction | undefined, refused: number): Import {
    const implementation = host as Import | undefined;
    if (implementation === undefined) throw new HostAssertion(`the host lacks ${name}`);
    const restricted = isRestricted(name);
    const wanted = this.#mayUse(name) || name in runtimeFunctions;
    const returns = !signatureOf(name).endsWith('>');
    return (...parameters) => {
      if (!this.#instantiated) {
        throw new HostAssertion(
          `Envoy would crash here: the module calls ${name} from its start section, before it has a context ` +
            '(AssemblyScript: compile with --exportStart _initialize)',
        );
      }
      if (restricted[this.#phase]) throw new Error('restricted_callback');
      if (!wanted) {
        this.#surroundings.log(4, `Attempted call to restricted proxy-wasm capability: ${name}`);
        return returns ? refused : undefined;
      }
      const result = implementation(...parameters);
      return returns ? result : undefined;
    };
  }
}

function isRestricted(name: string): Readonly<Record<Phase, boolean>> {
  return {
    starting: !(allowedAtStart.has(name) || name in wasiSignatures),
    allocating: !allowedWhileAllocating.has(name),
    running: false,
  };
}

function signatureOf(name: string): string {
  const abi = hostFunctions['0.2.1'];
  return abi[name] ?? hostFunctions['0.1.0'][name] ?? runtimeFunctions[name] ?? wasiSignatures[name] ?? '>i';
}

function isMemory(value: Export | Memory): value is Memory {
  return typeof value !== 'function' && 'buffer' in value;
}

/** As V8's own message says it. */
function trapText(error: unknown): string {
  return error instanceof Error ? `Uncaught ${error.name}: ${error.message}` : `Uncaught ${String(error)}`;
}
