// A host for the module, strict where Envoy is silent: it has what the module imports and nothing else, and whatever
// Envoy would refuse, misread or never accept fails the test. Written from what real Envoys were seen to do; the end-to-end
// tests hold against the real one.
import { bufferImports } from './buffers.ts';
import { type Callout, type CalloutAnswer, Callouts } from './callouts.ts';
import { type Filter, openStream } from './filters.ts';
import { type Inside, OK, type Phase } from './imports.ts';
import { mapImports } from './maps.ts';
import { Memory } from './memory.ts';
import { metricImports } from './metrics.ts';
import type { Headers } from './pairs.ts';
import type { Place } from './place.ts';
import { type Properties, propertyImports } from './properties.ts';
import { queueImports } from './queues.ts';
import { DECIDER, ofRoot, replyImports } from './replies.ts';
import { type Shared, sharedImports } from './shared.ts';
import type { Stream } from './stream.ts';
import { type Periods, tickImports } from './ticks.ts';
import { wasiImports } from './wasi.ts';
import { type Imports, instantiate, type Module } from './wasm.ts';
import { Worker } from './worker.ts';

export interface HostOptions {
  /** The plugin configuration, as it is. */
  readonly configuration: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
  /** Clusters without an endpoint. Clusters that begin with `no-` do not exist, all others do. */
  readonly emptyClusters?: readonly string[];
  /** Writes down every host call; off where only their number matters. */
  readonly traced?: boolean;
  /** Of the randomness, which is the same in every run. */
  readonly seed?: number;
  /** Of a VM that has others beside it. */
  readonly worker?: Worker;
  /** Puts something around every host function, such as a clock. */
  readonly around?: (imports: Imports) => Imports;
}

interface Root {
  readonly id: string;
  readonly configuration: Buffer;
}

/** One VM, and the root contexts and streams in it. */
export class Host implements Inside {
  readonly memory: Memory;
  readonly module: Module;
  readonly worker: Worker;
  /** Host calls so far. */
  calls = 0;
  readonly log: string[] = [];
  /** Nanoseconds since 1970; stands still unless a test moves it. */
  now = 1_767_225_600_000_000_000n; // 2026-01-01
  readonly #options: HostOptions;
  readonly #roots = new Map<number, Root>();
  /** Of the configuration that new requests come under, by root id. */
  readonly #current = new Map<string, number>();
  readonly #places = new Map<number, Place>();
  readonly #callouts = new Callouts();
  readonly #periods: Periods = new Map();
  readonly #after: (() => void)[] = [];
  #phase: Phase = 'initializing';
  /** The context that calls are made for; 0 outside of callbacks. */
  #context = 0;
  #nextContext = 1;

  constructor(options: HostOptions) {
    this.#options = options;
    const { around = (imports: Imports) => imports, environment = {}, seed = 1, worker = new Worker() } = options;
    this.worker = worker;
    this.module = instantiate({
      env: around(this.#env()),
      wasi_snapshot_preview1: around(wasiImports(this, environment, seed)),
    });
    this.memory = new Memory(this.module);
    this.module._initialize();
  }

  /**
   * Whether the module took its configuration. As on an update it may be repeated: the new one has a context of its own,
   * and the old one stays for the requests that came under it.
   */
  configure(configuration = this.#options.configuration, rootId = DECIDER): boolean {
    this.#phase = 'configuring';
    const bytes = Buffer.from(configuration);
    const root = this.#nextContext++;
    this.#roots.set(root, { id: rootId, configuration: bytes });
    const accepted = this.callback(root, 'on_configure', () => {
      this.module.proxy_on_context_create(root, 0);
      const started = this.module.proxy_on_vm_start(root, 0) === 1;
      return started && this.module.proxy_on_configure(root, bytes.length) === 1;
    });
    this.#phase = 'serving';
    const before = this.#current.get(rootId) ?? 0;
    if (accepted) this.#current.set(rootId, root);
    else this.#endRoot(root);
    this.#endIfUnused(before);
    return accepted;
  }

  /** The listener that has this filter is gone; its requests end as they would have. */
  remove(rootId: string): void {
    const root = this.rootOf(rootId);
    this.#current.delete(rootId);
    this.#endIfUnused(root);
  }

  has(rootId: string): boolean {
    return this.#current.has(rootId);
  }

  /** The context of the configuration that new requests come under. */
  rootOf(rootId: string): number {
    const root = this.#current.get(rootId);
    if (root === undefined) throw new Error(`no configuration for ${rootId}`);
    return root;
  }

  /** A request to this filter alone. @param properties beyond those that every request has */
  open(properties?: Properties): Stream {
    const alone: Filter = { host: this, rootId: DECIDER, flag: 'set' };
    return openStream([alone], this.worker.loop, { properties });
  }

  /** A context for a place in a stream. */
  join(place: (id: number) => Place): Place {
    const id = this.#nextContext++;
    const made = place(id);
    this.#places.set(id, made);
    return made;
  }

  /** As Envoy ends a context of a stream. */
  leave(place: Place): void {
    this.#end(place.id);
    this.#places.delete(place.id);
    this.#endIfUnused(place.root);
  }

  #end(context: number): void {
    this.callback(context, 'on_delete', () => {
      this.module.proxy_on_delete(context);
    });
  }

  #endRoot(root: number): void {
    this.#end(root);
    this.#roots.delete(root);
    this.#periods.delete(root);
    this.#callouts.forget(root);
  }

  /** A configuration that was replaced goes with its last request; its callouts are then never answered. */
  #endIfUnused(root: number): void {
    if (!this.#roots.has(root) || [...this.#current.values()].includes(root)) return;
    if ([...this.#places.values()].some((place) => place.root === root)) return;
    this.#endRoot(root);
  }

  get pending(): Callout[] {
    return this.#callouts.pending;
  }

  get trace(): string[] {
    return this.worker.trace;
  }

  get shared(): Shared {
    return this.worker.shared;
  }

  get pages(): number {
    return this.memory.pages;
  }

  /** Answers the callout, whoever still waits for it. */
  answer(callout: Callout, answer: CalloutAnswer): void {
    this.worker.loop.event(() => {
      this.#callouts.answer(callout, answer, (headers, size) => {
        this.call(callout.root, 'on_http_call_response', () => {
          this.module.proxy_on_http_call_response(callout.root, callout.token, headers, size, 0);
        });
      });
    });
  }

  /** Time passes: the root contexts that asked for it are called once. */
  tick(): void {
    for (const root of [...this.#periods.keys()]) {
      this.worker.loop.event(() => {
        this.call(root, 'on_tick', () => {
          this.module.proxy_on_tick(root);
        });
      });
    }
  }

  /** Callbacks for what the module has never heard of: it lets pass what it does not know. */
  callUnknown(id: number): void {
    const { module } = this;
    const actions = this.callback(id, 'unknown', () => {
      module.proxy_on_http_call_response(id, id, 0, 0, 0);
      module.proxy_on_queue_ready(id, [...this.worker.queues.values()][0]?.token ?? 0);
      module.proxy_on_log(id);
      module.proxy_on_delete(id);
      return [
        module.proxy_on_request_headers(id, 1, 0),
        module.proxy_on_request_body(id, 1, 0),
        module.proxy_on_request_trailers(id, 1),
        module.proxy_on_response_headers(id, 1, 0),
        module.proxy_on_response_body(id, 1, 1),
        module.proxy_on_response_trailers(id, 1),
      ];
    });
    if (actions.some((action) => action !== 0)) throw new Error('an unknown stream is held');
  }

  #tellOfMessage(root: number, token: number): void {
    if (!this.#roots.has(root)) return;
    this.call(root, 'on_queue_ready', () => {
      this.module.proxy_on_queue_ready(root, token);
    });
  }

  /** Runs a callback, then what it asked for. */
  call<Result>(context: number, name: string, run: () => Result): Result {
    const result = this.callback(context, name, run);
    for (let next = this.#after.shift(); next !== undefined; next = this.#after.shift()) next();
    return result;
  }

  /** Runs a callback in its context. */
  callback<Result>(context: number, name: string, run: () => Result): Result {
    if (this.#context !== 0) throw new Error(`${name} inside of another callback`);
    this.#context = context;
    if (this.#options.traced === true) this.trace.push(`> ${name}${ofRoot(this.#rootIdOf(context))}`);
    try {
      return run();
    } finally {
      this.#context = 0;
    }
  }

  after(action: () => void): void {
    this.#after.push(action);
  }

  #rootIdOf(context: number): string {
    const root = this.#places.get(context)?.root ?? context;
    return this.#roots.get(root)?.id ?? DECIDER;
  }

  place(call: string): Place {
    const place = this.#places.get(this.#context);
    if (place === undefined) throw new Error(`${call} outside of a stream`);
    return place;
  }

  root(call: string): number {
    if (this.#context === 0) throw new Error(`${call} outside of callbacks`);
    return this.#places.get(this.#context)?.root ?? this.#context;
  }

  note(describe: () => string, ...allowed: Phase[]): void {
    this.calls++;
    if (this.#options.traced === true) this.trace.push(describe());
    if (this.#phase !== 'serving' && !allowed.includes(this.#phase)) {
      throw new Error(`${describe()} while ${this.#phase}: forbidden, or not a function of the configuration`);
    }
  }

  #map(map: number): Headers {
    if (map === 6) return this.#callouts.headers(this.#context);
    return this.place('a header map').headersOf(map);
  }

  #buffer(buffer: number): Buffer {
    const configured = this.#phase === 'configuring' ? this.#roots.get(this.#context) : undefined;
    if (buffer === 7 && configured !== undefined) return configured.configuration;
    if (buffer === 4) return this.#callouts.body(this.#context);
    return this.place('a buffer').bufferOf(buffer);
  }

  /** @returns its root id */
  #enter(context: number): string | undefined {
    if (!this.#places.has(context)) return undefined;
    this.#context = context;
    return this.#rootIdOf(context);
  }

  #env(): Imports {
    const configured = (): string | undefined =>
      this.#phase === 'configuring' ? this.#roots.get(this.#context)?.id : undefined;
    return {
      ...this.#plain(),
      ...mapImports(this, (map) => this.#map(map)),
      ...bufferImports(this, (buffer) => this.#buffer(buffer)),
      ...propertyImports(this, configured),
      ...replyImports(this, (context) => this.#enter(context)),
      ...this.#callouts.imports(this, this.#options.emptyClusters ?? []),
      ...sharedImports(this, this.shared),
      ...queueImports(this, this.worker, (root, token) => {
        this.#tellOfMessage(root, token);
      }),
      ...tickImports(this, this.#periods),
      ...metricImports(this),
    };
  }

  #plain(): Imports {
    return {
      proxy_log: (level = 0, at = 0, size = 0) => {
        const line = `${LEVELS[level] ?? 'no level'}: ${this.memory.text(at, size)}`;
        this.note(() => 'log', 'initializing', 'configuring');
        this.log.push(line);
        return OK;
      },
      proxy_get_current_time_nanoseconds: (out = 0) => {
        this.note(() => 'get_current_time_nanoseconds');
        this.memory.writeU64(out, this.now);
        return OK;
      },
    };
  }
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];
