// One instance of a module and the way into it and out of it. (cpp-host: v8.cc, wasm_vm.h, wasm.h)
import type { Arguments, HostType } from '../../../proxy-wasm/abi.ts';
import { HostAssertion, notAccepted } from '../../../proxy-wasm/host-assertion.ts';
import type { LogLevel } from '../log.ts';
import { allows, isEnvoysOwn, type CompiledModule } from '../../../proxy-wasm/compile.ts';
import { makeImports, type ImportedFunction } from './imports.ts';
import { unlinkable } from '../../../proxy-wasm/load-error.ts';
import { GuestMemory, type Writer } from './memory.ts';
import { isAllowedIn, type Phase } from './phase.ts';
import { WasmResult } from '../../../proxy-wasm/result.ts';
import type { HostImport, hostFunctions } from '../../../proxy-wasm/signatures.ts';
import { isTrap, RestrictedCallback, trapMessage } from './trap.ts';
import { wasi } from './wasi.ts';
import { WebAssembly } from '../../../proxy-wasm/webassembly.ts';

/** The host calls, each with the VM that makes it; they return a WasmResult. */
export type HostFunctions = {
  readonly [Name in keyof typeof hostFunctions]: (
    vm: WasmVm,
    ...args: Arguments<(typeof hostFunctions)[Name]>
  ) => number;
};

/** What a VM needs of the host above it. */
export interface VmOptions {
  /** The host calls; one that is missing answers Unimplemented. */
  readonly functions: Partial<HostFunctions>;
  /** vm_config.environment_variables */
  readonly environment: Readonly<Record<string, string>>;
  /** What the module wrote to its standard output (info) or error (error), in the name of `vm.contextId`. */
  readonly log: (vm: WasmVm, level: LogLevel, text: string) => void;
  /** What Envoy says of the VM by itself, component `wasm`: a trap with its backtrace, a restricted capability. */
  readonly report: (level: LogLevel, text: string) => void;
  /** Wall clock; milliseconds, fractions count. */
  readonly now: () => number;
  /** Fills the array; without it the system's generator does. */
  readonly random?: (bytes: Uint8Array) => void;
}

/** The context of the VM itself, which is neither a plugin nor a stream. */
const VM_CONTEXT = 0;
/** errno notcapable */
const WASI_RESTRICTED = 76;

type ExportedFunction = (...args: number[]) => unknown;
type AnyHostFunction = (vm: WasmVm, ...args: (number | bigint)[]) => number | undefined;

/**
 * Entered by `call`, left again by host calls, which may enter it once more (`give` does).
 *
 * A host call that throws HostAssertion, or anything else that is no trap, ends the call that it came from with that.
 */
export class WasmVm {
  readonly compiled: CompiledModule;
  readonly options: VmOptions;
  readonly #exports: ReadonlyMap<string, unknown> | undefined;
  readonly #memory: GuestMemory | undefined;
  readonly #afterCall: (() => void)[] = [];
  #current = VM_CONTEXT;
  #effective = VM_CONTEXT;
  #phase: Phase;
  #failed: string | undefined;

  /**
   * Links and instantiates.
   *
   * @throws LoadError where Envoy could not make the instance
   * @throws HostAssertion for a host call of the start section
   */
  constructor(compiled: CompiledModule, options: VmOptions) {
    this.compiled = compiled;
    this.options = options;
    try {
      const { imports, memory } = makeImports(compiled.layout, compiled.abi, (found) => this.#importedFunction(found));
      const { exports } = new WebAssembly.Instance(compiled.module, imports);
      this.#exports = new Map(Object.entries(exports));
      const used = Object.values(exports).findLast((each) => each instanceof WebAssembly.Memory) ?? memory;
      this.#memory = used && new GuestMemory(used);
    } catch (error) {
      if (error instanceof HostAssertion) throw error;
      throw unlinkable('Failed to create new Wasm instance', error);
    }
  }

  /** Runs `_initialize` and `main`, or `_start`; afterwards `failed` tells whether that went well. */
  initialize(): void {
    this.#during('start', () => {
      for (const name of this.compiled.exports.start) {
        if (this.failed === undefined) this.#enter(name, VM_CONTEXT, name === 'main' ? [0, 0] : []);
      }
    });
  }

  /** Envoy's words for the first trap. A VM that has one is dead: nothing is called in it any more. */
  get failed(): string | undefined {
    return this.#failed;
  }

  /** Whether the module exports this callback, and its capability is allowed. */
  has(name: string): boolean {
    return this.compiled.exports.callbacks.has(name);
  }

  /**
   * Calls a callback as `contextId`, then runs what `afterCall` has queued.
   *
   * @returns its result without a sign; undefined where it has none, is not there, trapped, or the VM had failed before
   */
  call(name: string, contextId: number, ...args: number[]): number | undefined {
    return this.deferring(() => this.invoke(name, contextId, ...args));
  }

  /** As `call`, without the queue: for the inside of `deferring`. */
  invoke(name: string, contextId: number, ...args: number[]): number | undefined {
    return this.has(name) && this.#failed === undefined ? this.#enter(name, contextId, args) : undefined;
  }

  /** The queue runs when `body` has returned: what a callback's result leads to comes before its actions. (cpp-host: DeferAfterCallActions) */
  deferring<T>(body: () => T): T {
    const result = body();
    for (let action = this.#afterCall.shift(); action; action = this.#afterCall.shift()) action();
    return result;
  }

  /** Runs when the call that is going on has returned; first in, first out. */
  afterCall(action: () => void): void {
    this.#afterCall.push(action);
  }

  /** In whose name host calls act: the effective context where one was set, or else the one that was called. */
  get contextId(): number {
    return this.#effective || this.#current;
  }

  /** The one that was called: what counts again when the effective context is gone. */
  get currentContextId(): number {
    return this.#current;
  }

  /** Until the call that is going on returns. */
  setEffective(contextId: number): void {
    this.#effective = contextId;
  }

  /** @throws HostAssertion for a module that has none */
  get memory(): GuestMemory {
    if (!this.#memory) throw notAccepted('the module exports no memory');
    return this.#memory;
  }

  /** A copy; undefined: out of bounds. */
  bytes(pointer: number, length: number): Uint8Array | undefined {
    return this.memory.read(pointer, length);
  }

  /** As `bytes`. Latin1 keeps every byte of names and values, utf8 is for people. */
  text(pointer: number, length: number, encoding: 'latin1' | 'utf8' = 'latin1'): string | undefined {
    return this.memory.text(pointer, length, encoding);
  }

  /** False: out of bounds. */
  writeU32(pointer: number, value: number): boolean {
    return this.memory.writeU32(pointer, value);
  }

  /** False: out of bounds. */
  writeU64(pointer: number, value: bigint): boolean {
    return this.memory.writeU64(pointer, value);
  }

  /** Copies into a block that the module's malloc gave and that is the module's from then on; no bytes are (0, 0). */
  give(bytes: Uint8Array, outPointer: number, outLength: number): WasmResult {
    return this.giveWritten(
      bytes.length,
      (target, at) => {
        target.set(bytes, at);
      },
      outPointer,
      outLength,
    );
  }

  /** As `give`, of bytes that are written into the block and are nowhere else. */
  giveWritten(length: number, write: Writer, outPointer: number, outLength: number): WasmResult {
    const pointer = length === 0 ? 0 : this.#place(length, write);
    const told = pointer !== undefined && this.writeU32(outPointer, pointer) && this.writeU32(outLength, length);
    return told ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
  }

  /** Writes a line to the log, in the name of the context that is running. */
  log(level: LogLevel, text: string): void {
    this.options.log(this, level, text);
  }

  #place(length: number, write: Writer): number | undefined {
    const { malloc } = this.compiled.exports;
    const pointer = this.#during('malloc', () => this.#enter(malloc, VM_CONTEXT, [length]));
    return pointer && this.memory.fill(pointer, length, write) ? pointer : undefined;
  }

  #during<T>(phase: Phase, body: () => T): T {
    const outer = this.#phase;
    this.#phase = phase;
    try {
      return body();
    } finally {
      this.#phase = outer;
    }
  }

  #enter(name: string, contextId: number, args: readonly number[]): number | undefined {
    const current = this.#current;
    const effective = this.#effective;
    this.#current = contextId;
    this.#effective = VM_CONTEXT;
    try {
      const result = (this.#exports?.get(name) as ExportedFunction)(...args);
      return typeof result === 'number' ? result >>> 0 : undefined;
    } catch (thrown) {
      if (!isTrap(thrown)) throw thrown;
      const message = trapMessage(name, thrown, this.compiled.named);
      this.#failed ??= message;
      this.options.report('error', message);
      return undefined;
    } finally {
      this.#current = current;
      this.#effective = effective;
    }
  }

  #importedFunction(found: HostImport): ImportedFunction {
    const run = this.#implementation(found);
    const { params } = found;
    if (params.length > 5 || params.some((type) => type !== 'i32')) {
      return (...args) => {
        this.#admit(found);
        return run(this, ...args.map((value, index) => unsigned(value, params[index])));
      };
    }
    // Nearly all calls: without a list of their parameters, which would be made and copied for each. A call has as many as
    // it takes, and does not look at the others.
    return (first, second, third, fourth, fifth) => {
      this.#admit(found);
      return run(this, word(first), word(second), word(third), word(fourth), word(fifth));
    };
  }

  #admit({ table, name }: HostImport): void {
    if (!this.#exports && table !== 'runtime') {
      const cure = 'run it in _initialize (AssemblyScript: --exportStart _initialize)';
      throw notAccepted(`the start section calls ${name} before there is a context; ${cure}`);
    }
    if (!isAllowedIn(this.#phase, name)) throw new RestrictedCallback();
  }

  #implementation({ table, name }: HostImport): AnyHostFunction {
    const isFree = table === 'runtime' || isEnvoysOwn(name) || allows(this.compiled.capabilities, name);
    if (!isFree) return () => this.#refuse(table, name);
    switch (table) {
      case 'runtime':
        return name === 'pthread_equal' ? (_vm, left, right) => Number(left === right) : () => undefined;
      case 'host':
        return (this.options.functions[name] ?? (() => WasmResult.Unimplemented)) as AnyHostFunction;
      case 'wasi':
        return wasi[name] as AnyHostFunction;
    }
  }

  #refuse(table: 'host' | 'wasi', name: string): number {
    const kind = table === 'host' ? 'proxy-wasm' : 'WASI';
    this.options.report('error', `Attempted call to restricted ${kind} capability: ${name}`);
    return table === 'host' ? WasmResult.InternalFailure : WASI_RESTRICTED;
  }
}

/** An i32 without its sign; of one that was not given, 0. */
function word(value: number | bigint | undefined): number {
  return (value as number) >>> 0;
}

function unsigned(value: number | bigint, type: HostType | undefined): number | bigint {
  if (typeof value === 'number') return value >>> 0;
  return type === 'u64' ? BigInt.asUintN(64, value) : value;
}
