import { createHash } from 'node:crypto';
import type { AsyncClient } from '../async-client.ts';
import type { WasmPlugin } from '../config/model.ts';
import type { HostAssertion } from '../../../proxy-wasm/host-assertion.ts';
import type { FilterFactory } from '../filter.ts';
import type { Logger } from '../log.ts';
import type { Stats } from '../stats.ts';
import { type Capabilities, type CompiledModule, compileModule } from '../../../proxy-wasm/compile.ts';
import { hostCalls } from './host-calls.ts';
import { WasmInstance } from './instance.ts';
import { LoadError } from '../../../proxy-wasm/load-error.ts';
import type { RootContext } from './root-context.ts';
import { Shared } from './shared.ts';
import { StreamContext, failingFilter } from './stream-context.ts';

export interface HostSurroundings {
  /** One for each worker. */
  readonly clients: readonly AsyncClient[];
  /** The main thread's: ticks and callouts of the VM that serves no request. */
  readonly mainClient: AsyncClient;
  readonly stats: Stats;
  readonly logger: Logger;
  readonly node: { readonly id: string; readonly cluster: string; readonly version: string };
  /** A module did what Envoy does not accept. */
  readonly onAssertion: (error: HostAssertion) => void;
}

/** A plugin that runs: its filter in each worker. */
export interface LoadedPlugin {
  factory(worker: number): FilterFactory;
  /** Another configuration takes its place; streams that it has are served to their end. */
  close(): void;
}

/** A worker, or the main thread: VMs by their key. */
interface Thread {
  readonly client: AsyncClient;
  readonly instances: Map<string, WasmInstance>;
}

/** A plugin in one thread; without a root it was refused there, and requests pass it by. */
interface Placement {
  readonly thread: Thread;
  instance: WasmInstance;
  root: RootContext | undefined;
  loadedAt: number;
}

/** Loads plugins into one VM for each thread, and keeps VMs for as long as a plugin is in them. (envoy: common/wasm/wasm.cc) */
export class WasmHost {
  readonly #surroundings: HostSurroundings;
  readonly #shared = new Shared();
  readonly #threads: readonly Thread[];
  readonly #main: Thread;
  readonly #compiled = new Map<string, CompiledModule>();

  constructor(surroundings: HostSurroundings) {
    this.#surroundings = surroundings;
    this.#main = { client: surroundings.mainClient, instances: new Map() };
    this.#threads = surroundings.clients.map((client) => ({ client, instances: new Map() }));
  }

  /**
   * Loads a plugin: checks, a canary, then a VM in each thread or a new root context in the one that is there.
   * @throws LoadError that names the plugin; the cause is in the log
   */
  load(plugin: WasmPlugin, code: Uint8Array): LoadedPlugin {
    const key = vmKey(plugin, code);
    // Envoy keeps a VM from which it makes the others: what the canary shares is there for those that serve.
    this.#shared.acquire(plugin.vm.id);
    try {
      return this.#loadAll(plugin, code, key);
    } finally {
      this.#shared.release(plugin.vm.id);
    }
  }

  #loadAll(plugin: WasmPlugin, code: Uint8Array, key: string): LoadedPlugin {
    const module = this.#tryOut(plugin, code, key);
    const places = [this.#main, ...this.#threads].map((thread) => this.#place(thread, key, module, plugin));
    return {
      factory: (worker) => this.#factory(places[worker + 1], key, module, plugin),
      close: () => {
        for (const { root } of places) root?.retire();
      },
    };
  }

  /** Compiles, and lets a VM that is thrown away afterwards judge the configuration. */
  #tryOut(plugin: WasmPlugin, code: Uint8Array, key: string): CompiledModule {
    const refuse = (lines: readonly string[]): LoadError => {
      for (const line of lines) this.#surroundings.logger.log('error', 'wasm', line);
      return new LoadError(`Unable to create Wasm plugin ${plugin.name}`, lines);
    };
    if (code.length === 0) throw refuse([]);
    try {
      const module = this.#compile(code, plugin.capabilities);
      const canary = this.#instantiate(module, plugin, this.#main, () => this.#main.instances.get(key));
      const started = canary.start(plugin);
      canary.kill();
      if (typeof started === 'string') throw refuse([`Wasm VM failed ${started}`]);
      return module;
    } catch (error) {
      if (error instanceof LoadError && !error.message.startsWith('Unable to create')) throw refuse(error.log);
      throw error;
    }
  }

  #compile(code: Uint8Array, capabilities: Capabilities): CompiledModule {
    const digest = createHash('sha256').update(code).digest('hex');
    const key = `${digest} ${JSON.stringify(capabilities)}`;
    const known = this.#compiled.get(key) ?? compileModule(code, capabilities);
    this.#compiled.set(key, known);
    return known;
  }

  #instantiate(
    module: CompiledModule,
    plugin: WasmPlugin,
    { client }: Thread,
    successor?: () => WasmInstance | undefined,
  ): WasmInstance {
    const own = successor === undefined ? {} : { successor };
    return new WasmInstance(module, plugin, hostCalls, { ...this.#surroundings, client, shared: this.#shared, ...own });
  }

  #place(thread: Thread, key: string, module: CompiledModule, plugin: WasmPlugin): Placement {
    const known = thread.instances.get(key);
    const usable = known !== undefined && known.isLive && known.vm.failed === undefined;
    const instance = usable ? known : this.#instantiate(module, plugin, thread);
    thread.instances.set(key, instance);
    if (instance.vm.compiled !== module && thread === this.#main) {
      this.#surroundings.logger.log(
        'warning',
        'wasm',
        `${plugin.name}: its VM has other code than was asked for, as in Envoy: remote modules of equal vm_id and ` +
          'configuration share the code that came first. Put the sha256 into vm_id',
      );
    }
    const started = instance.start(plugin);
    const root = typeof started === 'string' ? undefined : started;
    return { thread, instance, root, loadedAt: performance.now() };
  }

  #factory(place: Placement | undefined, key: string, module: CompiledModule, plugin: WasmPlugin): FilterFactory {
    if (place === undefined) throw new RangeError('there is no such worker');
    return (callbacks) => {
      if (place.instance.vm.failed !== undefined) {
        if (plugin.failurePolicy === 'FAIL_OPEN') return undefined;
        if (plugin.failurePolicy !== 'FAIL_RELOAD' || !this.#reload(place, key, module, plugin)) {
          return failingFilter(callbacks);
        }
      }
      return place.root === undefined ? undefined : new StreamContext(place.root, callbacks);
    };
  }

  /** A new VM in the place of one that trapped; not at once where that happened again and again. */
  #reload(place: Placement, key: string, module: CompiledModule, plugin: WasmPlugin): boolean {
    const count = (name: string): void => {
      this.#surroundings.stats.counter(`wasm.${plugin.name}.vm_reload_${name}`).add(1n);
    };
    if (performance.now() - place.loadedAt < plugin.reloadBackoff) {
      count('backoff');
      return false;
    }
    place.instance.kill();
    const fresh = this.#place(place.thread, key, module, plugin);
    place.instance = fresh.instance;
    place.root = fresh.root;
    place.loadedAt = fresh.loadedAt;
    count(fresh.root === undefined ? 'failure' : 'success');
    return fresh.root !== undefined;
  }

  /** Ends all VMs without a callback, as the end of the process would. */
  kill(): void {
    for (const { instances } of [this.#main, ...this.#threads]) {
      for (const instance of instances.values()) instance.kill();
      instances.clear();
    }
  }
}

/** What stands in for a plugin whose code never came. */
export function absentPlugin({ failurePolicy }: WasmPlugin, logger: Logger): LoadedPlugin {
  if (failurePolicy !== 'FAIL_OPEN') logger.log('critical', 'wasm', 'Plugin configured to fail closed failed to load');
  const factory: FilterFactory = failurePolicy === 'FAIL_OPEN' ? () => undefined : failingFilter;
  return { factory: () => factory, close: () => undefined };
}

/** Plugins of one key share a VM. Of remote code Envoy knows nothing when it makes the key. */
function vmKey({ vm }: WasmPlugin, code: Uint8Array): string {
  const hash = createHash('sha256');
  const parts = [vm.id, vm.configuration, vm.code.kind === 'remote' ? '' : code, JSON.stringify(vm.environment)];
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}
