// A host for the module, strict where Envoy is silent: it has what the module imports and nothing else, and whatever
// Envoy would refuse, misread or crash on fails the test. Written from what real Envoys were seen to do in host mode
// `hold`; the end-to-end tests hold against the real one.
import { BAD_ARGUMENT, type Inside, INTERNAL_FAILURE, NOT_FOUND, OK, type Phase } from './imports.ts';
import { Memory } from './memory.ts';
import { metricImports } from './metrics.ts';
import { decodePairs, encodePairs, type Headers, valueOf } from './pairs.ts';
import { type Shared, sharedImports } from './shared.ts';
import { type LocalReply, type Properties, Stream } from './stream.ts';
import { wasiImports } from './wasi.ts';
import { type Imports, instantiate, type Module } from './wasm.ts';

/** A request that the module sent on its own, not yet answered. */
export interface Callout {
  /** Context of the configuration that it was sent under. */
  readonly root: number;
  readonly token: number;
  readonly cluster: string;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Milliseconds. */
  readonly timeout: number;
}

/** What an upstream answers to a callout; `undefined` is a reset after its headers. */
export type CalloutAnswer = { readonly headers: Headers; readonly body: Buffer } | undefined;

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
  /** Puts something around every host function, such as a clock. */
  readonly around?: (imports: Imports) => Imports;
}

const MAPS = new Map([
  [0, 'request'],
  [2, 'response'],
  [6, 'callout'],
]);
const BUFFERS = new Map([
  [0, 'request'],
  [1, 'response'],
  [4, 'callout'],
  [7, 'configuration'],
]);
const EMPTY = Buffer.alloc(0);

export class Host implements Inside {
  readonly memory: Memory;
  readonly module: Module;
  /** Host calls, and the callbacks that they were made in, in order. */
  readonly trace: string[] = [];
  /** Host calls so far. */
  calls = 0;
  readonly log: string[] = [];
  readonly pending: Callout[] = [];
  /** Nanoseconds since 1970; stands still unless a test moves it. */
  now = 1_767_225_600_000_000_000n; // 2026-01-01
  readonly shared: Shared = new Map();
  readonly #options: HostOptions;
  readonly #streams = new Map<number, Stream>();
  #configuration: Buffer = EMPTY;
  #phase: Phase = 'initializing';
  /** The context that calls are made for; 0 outside of callbacks. */
  #context = 0;
  #answer: CalloutAnswer;
  /** The context that a callout is being answered to; 0: none is. */
  #answered = 0;
  #nextContext = 1;
  #nextToken = 4;
  /** Of the configuration that new requests come under. */
  #root = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    const { around = (imports: Imports) => imports, environment = {}, seed = 1 } = options;
    this.module = instantiate({
      env: around({ ...this.#env(), ...sharedImports(this, this.shared), ...metricImports(this) }),
      wasi_snapshot_preview1: around(wasiImports(this, environment, seed)),
    });
    this.memory = new Memory(this.module);
    this.module._initialize();
  }

  /**
   * Whether the module took its configuration. As on an update it may be repeated: the new one has a context of its own,
   * and the old one stays for the requests that came under it.
   */
  configure(configuration = this.#options.configuration): boolean {
    this.#phase = 'configuring';
    this.#configuration = Buffer.from(configuration);
    const root = this.#nextContext++;
    const accepted = this.callback(root, 'on_configure', () => {
      this.module.proxy_on_context_create(root, 0);
      const started = this.module.proxy_on_vm_start(root, 0) === 1;
      return started && this.module.proxy_on_configure(root, this.#configuration.length) === 1;
    });
    this.#phase = 'serving';
    const before = this.#root;
    if (accepted) this.#root = root;
    else this.#end(root);
    this.#endIfUnused(before);
    return accepted;
  }

  /** @param properties beyond those that every request has */
  open(properties?: Properties): Stream {
    const id = this.#nextContext++;
    const stream = new Stream(this, id, this.#root, properties);
    this.#streams.set(id, stream);
    this.module.proxy_on_context_create(id, this.#root);
    return stream;
  }

  /** As Envoy ends a stream: the access log first, while all that belongs to it is still there. */
  forget(stream: Stream): void {
    this.callback(stream.id, 'on_log', () => {
      this.module.proxy_on_log(stream.id);
    });
    this.#end(stream.id);
    this.#streams.delete(stream.id);
    this.#endIfUnused(stream.root);
  }

  #end(context: number): void {
    this.callback(context, 'on_delete', () => {
      this.module.proxy_on_delete(context);
    });
  }

  /** A configuration that was replaced goes with its last request; its callouts are then never answered. */
  #endIfUnused(root: number): void {
    if (root === 0 || root === this.#root) return;
    if ([...this.#streams.values()].some((stream) => stream.root === root)) return;
    this.#end(root);
    this.pending.splice(0, this.pending.length, ...this.pending.filter((callout) => callout.root !== root));
  }

  /** Answers the callout, whoever still waits for it. */
  answer(callout: Callout, answer: CalloutAnswer): void {
    const index = this.pending.indexOf(callout);
    if (index < 0) throw new Error('this callout is answered already');
    this.pending.splice(index, 1);
    this.#answer = answer;
    const headers = answer?.headers.length ?? 0;
    const size = answer?.body.length ?? 0;
    this.#answered = callout.root;
    this.callback(callout.root, 'on_http_call_response', () => {
      this.module.proxy_on_http_call_response(callout.root, callout.token, headers, size, 0);
    });
    this.#answer = undefined;
    this.#answered = 0;
    // What the callback asked for happens behind it, as all of it may end the stream that it was called for.
    for (const stream of [...this.#streams.values()]) stream.settle();
  }

  /** Runs a callback in its context. */
  callback<Result>(context: number, name: string, run: () => Result): Result {
    if (this.#context !== 0) throw new Error(`${name} inside of another callback`);
    this.#context = context;
    if (this.#options.traced === true) this.trace.push(`> ${name}`);
    try {
      return run();
    } finally {
      this.#context = 0;
    }
  }

  #stream(call: string): Stream {
    const stream = this.#streams.get(this.#context);
    if (stream === undefined) throw new Error(`${call} outside of a stream`);
    return stream;
  }

  note(describe: () => string, ...allowed: Phase[]): void {
    this.calls++;
    if (this.#options.traced === true) this.trace.push(describe());
    if (this.#phase !== 'serving' && !allowed.includes(this.#phase)) {
      throw new Error(`${describe()} while ${this.#phase}: forbidden, or not a function of the configuration`);
    }
  }

  #map(map: number): Headers {
    if (map === 6) {
      if (this.#context === 0 || this.#context !== this.#answered)
        throw new Error('the headers of a callout are readable in the root context only');
      return this.#answer?.headers ?? [];
    }
    return this.#stream('a header map').headersOf(map);
  }

  #buffer(buffer: number): Buffer {
    if (buffer === 7 && this.#phase === 'configuring') return this.#configuration;
    if (buffer === 4) {
      if (this.#context === 0 || this.#context !== this.#answered)
        throw new Error('the body of a callout is readable in the root context only');
      return this.#answer?.body ?? EMPTY;
    }
    return this.#stream('a buffer').bufferOf(buffer);
  }

  #edit(map: number, name: string, value: string | undefined, replaces: boolean): number {
    const headers = this.#map(map);
    if (value !== undefined) encodeAndCheck([[name, value]]);
    const others = headers.filter(([found]) => found !== name);
    const kept = replaces ? others : headers;
    // A header keeps its place, as in Envoy's map.
    const at = headers.findIndex(([found]) => found === name);
    const next = kept.slice();
    if (value !== undefined) next.splice(replaces && at >= 0 ? at : next.length, 0, [name, value]);
    headers.splice(0, headers.length, ...next);
    return OK;
  }

  #env(): Imports {
    const text = (pointer: number, length: number): string => this.memory.text(pointer, length);
    const latin = (pointer: number, length: number): string => this.memory.read(pointer, length).toString('latin1');
    return {
      proxy_log: (level = 0, at = 0, size = 0) => {
        const line = `${LEVELS[level] ?? 'no level'}: ${text(at, size)}`;
        this.note(() => 'log', 'initializing', 'configuring');
        this.log.push(line);
        return OK;
      },
      proxy_get_header_map_pairs: (map = 0, outAt = 0, outSize = 0) => {
        this.note(() => `get_header_map_pairs ${nameOf(MAPS, map)}`);
        this.memory.hand(encodePairs(this.#map(map)), outAt, outSize);
        return OK;
      },
      proxy_add_header_map_value: (map = 0, name = 0, nameSize = 0, value = 0, valueSize = 0) => {
        this.note(() => `add_header_map_value ${nameOf(MAPS, map)} ${text(name, nameSize)}`);
        return this.#edit(map, latin(name, nameSize), latin(value, valueSize), false);
      },
      proxy_replace_header_map_value: (map = 0, name = 0, nameSize = 0, value = 0, valueSize = 0) => {
        this.note(() => `replace_header_map_value ${nameOf(MAPS, map)} ${text(name, nameSize)}`);
        return this.#edit(map, latin(name, nameSize), latin(value, valueSize), true);
      },
      proxy_remove_header_map_value: (map = 0, name = 0, nameSize = 0) => {
        this.note(() => `remove_header_map_value ${nameOf(MAPS, map)} ${text(name, nameSize)}`);
        return this.#edit(map, latin(name, nameSize), undefined, true);
      },
      proxy_get_buffer_bytes: (buffer = 0, start = 0, size = 0, outAt = 0, outSize = 0) => {
        const from = start >>> 0;
        const upTo = from + (size >>> 0);
        this.note(() => `get_buffer_bytes ${nameOf(BUFFERS, buffer)} ${from} ${size >>> 0}`, 'configuring');
        this.memory.hand(this.#buffer(buffer).subarray(from, upTo), outAt, outSize);
        return OK;
      },
      proxy_set_buffer_bytes: (buffer = 0, start = 0, size = 0, at = 0, dataSize = 0) => {
        const count = size >>> 0;
        const shown = count === 0xffff_ffff ? 'all' : `first ${count}`;
        this.note(() => `set_buffer_bytes ${nameOf(BUFFERS, buffer)} ${shown} by ${dataSize >>> 0}`);
        if (start !== 0) throw new Error('a host replaces a beginning, not a middle');
        const before = this.#buffer(buffer);
        this.#stream('set_buffer_bytes').replaceBuffer(
          buffer,
          Buffer.concat([this.memory.read(at, dataSize), before.subarray(Math.min(count, before.length))]),
        );
        return OK;
      },
      proxy_get_property: (path = 0, pathSize = 0, outAt = 0, outSize = 0) => {
        const name = text(path, pathSize).replaceAll('\0', '.');
        this.note(() => `get_property ${name}`);
        const value = this.#stream('get_property').property(name);
        if (value === undefined) return NOT_FOUND;
        this.memory.hand(Buffer.from(value), outAt, outSize);
        return OK;
      },
      proxy_set_property: (path = 0, pathSize = 0, value = 0, valueSize = 0) => {
        const [name, content] = [text(path, pathSize), text(value, valueSize)];
        this.note(() => `set_property ${name} ${content}`);
        this.#stream('set_property').setAttribute(name, content);
        return OK;
      },
      proxy_send_local_response: (
        status = 0,
        details = 0,
        detailsSize = 0,
        body = 0,
        bodySize = 0,
        pairs = 0,
        pairsSize = 0,
        grpcStatus = 0,
      ) => {
        this.note(() => `send_local_response ${status} ${text(details, detailsSize)}`);
        if (grpcStatus !== -1) throw new Error('a gRPC status in a reply to no gRPC');
        const reply: LocalReply = {
          status,
          details: text(details, detailsSize),
          headers: decodePairs(this.memory.read(pairs, pairsSize)),
          body: this.memory.read(body, bodySize),
        };
        this.#stream('send_local_response').queueReply(reply);
        return OK;
      },
      proxy_continue_stream: (stream = 0) => {
        this.note(() => 'continue_stream');
        if (stream !== 0) throw new Error('only requests are ever held');
        this.#stream('continue_stream').queueContinue();
        return OK;
      },
      proxy_http_call: (
        cluster = 0,
        clusterSize = 0,
        pairs = 0,
        pairsSize = 0,
        body = 0,
        bodySize = 0,
        trailers = 0,
        trailersSize = 0,
        timeout = 0,
        outToken = 0,
      ) => {
        const name = text(cluster, clusterSize);
        const headers = decodePairs(this.memory.read(pairs, pairsSize));
        this.note(() => `http_call ${name} ${valueOf(headers, ':method') ?? ''} ${timeout}`);
        for (const needed of [':method', ':path', ':authority']) {
          if (valueOf(headers, needed) === undefined) throw new Error(`a callout without ${needed}`);
        }
        if (trailers !== 0 || trailersSize !== 0) throw new Error('a callout with trailers');
        if (timeout <= 0) throw new Error('a callout that may take for ever');
        if (name.startsWith('no-')) return BAD_ARGUMENT;
        if (this.#options.emptyClusters?.includes(name) === true) return INTERNAL_FAILURE;
        const token = this.#nextToken;
        this.#nextToken += 4;
        this.memory.writeU32(outToken, token);
        const { root } = this.#stream('http_call');
        this.pending.push({ root, token, cluster: name, headers, body: this.memory.read(body, bodySize), timeout });
        return OK;
      },
      proxy_set_effective_context: (context = 0) => {
        this.note(() => 'set_effective_context');
        if (!this.#streams.has(context)) return BAD_ARGUMENT;
        this.#context = context;
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

function nameOf(names: ReadonlyMap<number, string>, number: number): string {
  const name = names.get(number);
  if (name === undefined) throw new Error(`${number} is no header map or buffer that this host has`);
  return name;
}

function encodeAndCheck(headers: Headers): void {
  decodePairs(encodePairs(headers));
}
