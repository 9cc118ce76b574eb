import type { BodyBuffer } from '../body-buffer.ts';
import type { AsyncResponse, Cancel } from '../async-client.ts';
import type { WasmPlugin } from '../config/model.ts';
import type { HeaderMap } from '../header-map.ts';
import { BufferType, MapType } from '../../../proxy-wasm/types.ts';
import type { Context, PluginContext } from './context.ts';
import type { WasmVm } from './vm.ts';
import { WasmResult } from '../../../proxy-wasm/result.ts';

/** What contexts need of the VM that they are in. */
export interface PluginVm {
  readonly vm: WasmVm;
  /** Set by a host call that settles what becomes of the stream, whatever the running callback returns. */
  stopIteration: boolean;
  /** Whether anything is under way that could make the module resume a stream. */
  readonly mayResume: boolean;
  /** Calls a callback; what Envoy does not accept is told, and ends it. */
  call(name: string, context: number, ...parameters: number[]): number | undefined;
  /** What host calls have asked for is done when `body`, which calls the module, has returned. */
  deferring<T>(body: () => T): T | undefined;
  newContext(): number;
  add(context: Context): void;
  remove(context: Context): void;
  removeRoot(root: RootContext): void;
}

/** A plugin's configuration in one VM: its ticks, callouts and queues. An old one lives until its last stream is gone. */
export class RootContext implements PluginContext {
  readonly id: number;
  readonly plugin: WasmPlugin;
  readonly instance: PluginVm;
  readonly missingMap = WasmResult.BadArgument;
  readonly info = undefined;
  readonly requestHeaders = undefined;
  /** Callouts under way, by token. */
  readonly callouts = new Map<number, Cancel>();
  /** Sticky: what proxy_get_status says. */
  status = { code: 0, message: '' };
  #streams = 0;
  #retired = false;
  #gone = false;
  #parked = false;
  /** Readable while the plugin is being configured. */
  #configuring = false;
  #answer: AsyncResponse | undefined;
  #period = 0;
  #tick: NodeJS.Timeout | undefined;

  constructor(id: number, plugin: WasmPlugin, instance: PluginVm) {
    this.id = id;
    this.plugin = plugin;
    this.instance = instance;
  }

  get root(): this {
    return this;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  get ticks(): boolean {
    return this.#tick !== undefined;
  }

  /** @returns Envoy's words where the plugin refuses its configuration, or traps in these callbacks themselves */
  start(): string | undefined {
    const { plugin, instance } = this;
    this.#configuring = true;
    instance.call('proxy_on_context_create', this.id, this.id, 0);
    this.#configuring = false;
    if (!this.#accepts('proxy_on_vm_start', plugin.vm.configuration.length)) return 'Failed to start base Wasm';
    this.#configuring = true;
    const configured = this.#accepts('proxy_on_configure', plugin.configuration.length);
    this.#configuring = false;
    return configured ? undefined : 'Failed to configure base Wasm plugin';
  }

  /** A VM that is dead before the question is not asked, and Envoy takes that for a yes. */
  #accepts(callback: string, size: number): boolean {
    const { vm } = this.instance;
    if (vm.failed !== undefined || !vm.has(callback)) return true;
    const answer = this.instance.call(callback, this.id, this.id, size);
    return answer !== undefined && answer !== 0;
  }

  addStream(): void {
    this.#streams++;
  }

  removeStream(): void {
    this.#streams--;
    this.#goIfUnused();
  }

  /** Another configuration has taken its place. */
  retire(): void {
    this.#retired = true;
    this.#goIfUnused();
  }

  #goIfUnused(): void {
    if (!this.#retired || this.#streams > 0 || this.#gone || this.#parked) return;
    this.setTick(0);
    this.#parked = true;
    // One that is not done yet says 0, and ends later with proxy_done.
    if (this.instance.call('proxy_on_done', this.id, this.id) !== 0) this.end();
  }

  /** It said that it is not done. */
  get isParked(): boolean {
    return this.#parked && !this.#gone;
  }

  end(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.setTick(0);
    for (const cancel of this.callouts.values()) cancel();
    this.callouts.clear();
    this.instance.call('proxy_on_delete', this.id, this.id);
    this.instance.removeRoot(this);
  }

  /** Without a callback: a canary's end, and a dead VM's. */
  drop(): void {
    this.#gone = true;
    this.setTick(0);
    for (const cancel of this.callouts.values()) cancel();
    this.callouts.clear();
  }

  /** Milliseconds; 0: none any more. Armed anew after each tick. */
  setTick(period: number): void {
    this.#period = period;
    clearTimeout(this.#tick);
    this.#tick = undefined;
    if (period === 0 || this.#gone) return;
    this.#tick = setTimeout(() => {
      this.instance.call('proxy_on_tick', this.id, this.id);
      if (this.#period !== 0 && !this.#gone && this.instance.vm.failed === undefined) this.setTick(this.#period);
    }, period);
  }

  queueReady(token: number): void {
    this.instance.call('proxy_on_queue_ready', this.id, this.id, token);
  }

  /** The answer to a callout: readable while the module is told of it. */
  answered(token: number, answer: AsyncResponse | 'reset'): void {
    this.callouts.delete(token);
    if (this.#gone) return;
    const { instance } = this;
    if (answer === 'reset') {
      this.status = { code: WasmResult.BrokenConnection, message: 'reset' };
      instance.call('proxy_on_http_call_response', this.id, this.id, token, 0, 0, 0);
      this.status = { code: WasmResult.BrokenConnection, message: '' };
      return;
    }
    this.#answer = answer;
    const { headers, body, trailers } = answer;
    const counts = [headers.size, body.length, trailers?.size ?? 0];
    instance.call('proxy_on_http_call_response', this.id, this.id, token, ...counts);
    this.#answer = undefined;
  }

  headers(type: number): HeaderMap | undefined {
    if (type === MapType.CalloutHeaders) return this.#answer?.headers;
    return type === MapType.CalloutTrailers ? this.#answer?.trailers : undefined;
  }

  writableHeaders(): undefined {
    return undefined;
  }

  changes(): void {
    return;
  }

  written(): void {
    return;
  }

  buffer(type: number): BodyBuffer | Uint8Array | undefined {
    if (type === BufferType.VmConfiguration) return this.plugin.vm.configuration;
    if (type === BufferType.PluginConfiguration) return this.#configuring ? this.plugin.configuration : undefined;
    return type === BufferType.CalloutBody ? this.#answer?.body : undefined;
  }

  /** No stream: nothing to answer. Envoy says Ok all the same. */
  sendLocalReply(): void {
    return;
  }

  continueStream(): WasmResult {
    return WasmResult.Ok;
  }

  closeStream(): WasmResult {
    return WasmResult.Ok;
  }
}
