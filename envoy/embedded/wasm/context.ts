import type { BodyBuffer } from '../body-buffer.ts';
import type { LocalReply } from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';
import type { StreamInfo } from '../stream-info.ts';
import type { AsyncResponse, Cancel } from '../async-client.ts';
import type { WasmPlugin } from '../config/model.ts';
import type { WasmResult } from '../../../proxy-wasm/result.ts';

/** What host calls act on: the VM's own, a plugin's, or a stream's context. */
export interface Context {
  readonly id: number;
  readonly root: PluginContext;
  /** undefined: not available now */
  headers(type: number): HeaderMap | undefined;
  /** What an unavailable map is answered with. */
  readonly missingMap: WasmResult;
  /** undefined: not to be changed, or not now */
  writableHeaders(type: number): HeaderMap | undefined;
  /** Told of each change of a map. */
  changes(type: number): void;
  /** undefined: there is no such buffer in this context */
  buffer(type: number): BodyBuffer | Uint8Array | undefined;
  /** Told of each change of a buffer. */
  written(type: number): void;
  readonly info: StreamInfo | undefined;
  readonly requestHeaders: HeaderMap | undefined;
  sendLocalReply(reply: LocalReply): void;
  continueStream(type: number): WasmResult;
  closeStream(type: number): WasmResult;
}

/** A plugin's own context, which the contexts of its streams belong to. */
export interface PluginContext extends Context {
  readonly plugin: WasmPlugin;
  /** Callouts under way, by token. */
  readonly callouts: Map<number, Cancel>;
  /** Sticky: what proxy_get_status says. */
  readonly status: { readonly code: number; readonly message: string };
  readonly isGone: boolean;
  /** It said that it is not done. */
  readonly isParked: boolean;
  /** Milliseconds; 0: none any more. */
  setTick(period: number): void;
  /** The answer to a callout. */
  answered(token: number, answer: AsyncResponse | 'reset'): void;
  /** An item is in a queue of its own. */
  queueReady(token: number): void;
  end(): void;
}
