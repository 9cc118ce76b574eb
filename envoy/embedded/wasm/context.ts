import type { BodyBuffer } from '../body-buffer.ts';
import type { LocalReply } from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';
import type { StreamInfo } from '../stream-info.ts';
import type { WasmResult } from './result.ts';
import type { RootContext } from './root-context.ts';

/** proxy-wasm: proxy_map_type_t */
export const MapType = {
  RequestHeaders: 0,
  RequestTrailers: 1,
  ResponseHeaders: 2,
  ResponseTrailers: 3,
  CalloutHeaders: 6,
  CalloutTrailers: 7,
} as const;
/** One after the last, gRPC's included. */
export const mapTypes = 8;

/** proxy-wasm: proxy_buffer_type_t */
export const BufferType = {
  RequestBody: 0,
  ResponseBody: 1,
  CalloutBody: 4,
  VmConfiguration: 6,
  PluginConfiguration: 7,
} as const;
export const bufferTypes = 9;

/** What host calls act on: the VM's own, a plugin's, or a stream's context. */
export interface Context {
  readonly id: number;
  readonly root: RootContext;
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
  readonly info: StreamInfo | undefined;
  readonly requestHeaders: HeaderMap | undefined;
  sendLocalReply(reply: LocalReply): void;
  continueStream(type: number): WasmResult;
  closeStream(type: number): WasmResult;
}
