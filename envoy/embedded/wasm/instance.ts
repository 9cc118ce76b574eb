import type { AsyncClient } from '../async-client.ts';
import type { WasmPlugin } from '../config/model.ts';
import { HostAssertion } from '../../../proxy-wasm/host-assertion.ts';
import type { Logger, LogLevel } from '../log.ts';
import type { Stats } from '../stats.ts';
import type { CompiledModule } from '../../../proxy-wasm/compile.ts';
import type { Context, PluginContext } from './context.ts';
import { nowMilliseconds } from './clock.ts';
import { unlinkable } from '../../../proxy-wasm/load-error.ts';
import { Metrics } from './metrics.ts';
import { type PluginVm, RootContext } from './root-context.ts';
import type { Shared } from './shared.ts';
import { type HostFunctions, WasmVm } from './vm.ts';

/** What a VM has around it: its thread's, and the process'. */
export interface InstanceSurroundings {
  readonly client: AsyncClient;
  readonly shared: Shared;
  readonly stats: Stats;
  readonly logger: Logger;
  readonly node: { readonly id: string; readonly cluster: string; readonly version: string };
  readonly onAssertion: (error: HostAssertion) => void;
  /** A canary has the VM of its thread that serves here, once there is one. It gets the queue items that the canary was to be told of. */
  readonly successor?: () => WasmInstance | undefined;
}

/** A VM with its contexts: one for each thread and vm key. (cpp-host: WasmBase) */
export class WasmInstance implements PluginVm {
  readonly vm: WasmVm;
  readonly vmId: string;
  readonly metrics: Metrics;
  readonly surroundings: InstanceSurroundings;
  /** Set by a host call that settles what becomes of the stream, whatever the running callback returns. */
  stopIteration = false;
  readonly #contexts = new Map<number, { context: Context | undefined }>();
  readonly #roots = new Set<RootContext>();
  #nextContext = 1;
  #nextCallout = 1;
  #live = true;
  /** Queue items whose callback is still to come. */
  #queued = 0;

  /**
   * @param hostCalls makes the functions that the module imports
   * @throws LoadError
   */
  constructor(
    module: CompiledModule,
    plugin: WasmPlugin,
    hostCalls: (instance: WasmInstance) => Partial<HostFunctions>,
    surroundings: InstanceSurroundings,
  ) {
    this.surroundings = surroundings;
    this.vmId = plugin.vm.id;
    this.metrics = new Metrics(surroundings.stats);
    surroundings.shared.acquire(this.vmId);
    try {
      this.vm = new WasmVm(module, {
        functions: hostCalls(this),
        environment: plugin.vm.environment,
        now: nowMilliseconds,
        log: (_, level, text) => {
          this.log(level, text);
        },
        report: (level, text) => {
          surroundings.logger.log(level, 'wasm', text);
        },
      });
      this.vm.initialize();
      const { failed } = this.vm;
      if (failed !== undefined) throw unlinkable(failed, undefined, []);
    } catch (error) {
      surroundings.shared.release(this.vmId);
      throw error;
    }
  }

  /** Begins a plugin in this VM. @returns Envoy's words where it refuses its configuration */
  start(plugin: WasmPlugin): RootContext | string {
    const root = new RootContext(this.newContext(), plugin, this);
    this.add(root);
    this.#roots.add(root);
    const refusal = root.start();
    if (refusal === undefined) return root;
    root.drop();
    this.removeRoot(root);
    return refusal;
  }

  /** Calls a callback; what Envoy does not accept is told, and ends it. */
  call(name: string, context: number, ...parameters: number[]): number | undefined {
    return this.deferring(() => this.vm.invoke(name, context, ...parameters));
  }

  /** What host calls have asked for is done when `body`, which calls the module, has returned. */
  deferring<T>(body: () => T): T | undefined {
    try {
      return this.vm.deferring(() => {
        const result = body();
        this.stopIteration = false; // (cpp-host: DeferAfterCallActions)
        return result;
      });
    } catch (error) {
      if (!(error instanceof HostAssertion)) throw error;
      this.surroundings.onAssertion(error);
      return undefined;
    }
  }

  newContext(): number {
    return this.#nextContext++;
  }

  add(context: Context): void {
    this.#contexts.set(context.id, { context });
  }

  /**
   * What is removed is no longer reached from here. A map that is written to all the time leaves tables of itself behind, which
   * V8 keeps, with whatever they held, until it collects all of the memory: they must not hold whole streams.
   */
  remove(context: Context): void {
    const held = this.#contexts.get(context.id);
    if (held !== undefined) held.context = undefined;
    this.#contexts.delete(context.id);
  }

  removeRoot(root: RootContext): void {
    this.remove(root);
    this.#roots.delete(root);
    if (this.#roots.size === 0) this.#released();
  }

  #released(): void {
    if (!this.#live) return;
    this.#live = false;
    this.surroundings.shared.release(this.vmId);
  }

  /** False once its last plugin has gone. */
  get isLive(): boolean {
    return this.#live;
  }

  /** Ends it without a callback: a canary, or a VM that has trapped. */
  kill(): void {
    for (const root of this.#roots) root.drop();
    this.#roots.clear();
    this.#released();
  }

  context(id: number): Context | undefined {
    return this.#contexts.get(id)?.context;
  }

  /** The context that a host call acts for; undefined while the VM starts or is asked for memory. */
  get effective(): Context | undefined {
    return this.context(this.vm.contextId);
  }

  nextCalloutToken(): number {
    return this.#nextCallout++ << 2;
  }

  /** Tells the module of an item in its queue, in a turn of the event loop of its own. */
  queueReady(root: PluginContext, token: number): void {
    this.#queued++;
    setImmediate(() => {
      this.#queued--;
      // By its number, as Envoy finds it. (cpp-host: shared_queue.cc)
      const told = this.#live ? root : this.surroundings.successor?.()?.context(root.id)?.root;
      if (told?.isGone === false) told.queueReady(token);
    });
  }

  /** Whether anything is under way that could make the module resume a stream. */
  get mayResume(): boolean {
    if (this.vm.failed !== undefined) return false;
    if (this.#queued > 0) return true;
    return [...this.#roots].some((root) => root.callouts.size > 0 || root.ticks);
  }

  /** `wasm log <plugin> <root_id> <vm_id>: text`; a root context leaves the plugin's name out. */
  log(level: LogLevel, text: string): void {
    const context = this.effective;
    const plugin = context?.root.plugin;
    const name = context !== undefined && context !== context.root ? plugin?.name : undefined;
    const prefix = [name, plugin?.rootId, this.vmId].filter((part) => part !== undefined && part !== '');
    this.surroundings.logger.log(
      level,
      'wasm',
      `wasm log${prefix.map((part) => ` ${String(part)}`).join('')}: ${text}`,
    );
  }
}
