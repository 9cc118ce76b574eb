import { BodyBuffer } from '../body-buffer.ts';
import {
  DataStatus,
  type FilterCallbacks,
  HeadersStatus,
  type LocalReply,
  type StreamFilter,
  TrailersStatus,
} from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';
import type { StreamInfo } from '../stream-info.ts';
import { notAccepted } from '../../../proxy-wasm/host-assertion.ts';
import { BufferType, MapType } from '../../../proxy-wasm/types.ts';
import type { Context } from './context.ts';
import type { RootContext } from './root-context.ts';
import { WasmResult } from '../../../proxy-wasm/result.ts';

/** proxy-wasm: proxy_stream_type_t */
const StreamType = { Request: 0, Response: 1, Downstream: 2, Upstream: 3 } as const;

/** What a stream in one direction leaves readable between callbacks. (envoy: context.cc) */
class Side {
  /** While they may be changed: until the callback said Continue, or the stream was resumed. */
  headers: HeaderMap | undefined;
  trailers: HeaderMap | undefined;
  /** The last data callback said StopIterationAndBuffer: the next one sees everything that is held. */
  buffering = false;
  /** The chunk of the running data callback. */
  chunk: BodyBuffer | undefined;
  /** The running data callback is the last one. */
  endsBody = false;
  /** The last data callback said 2 or 3: Envoy keeps a pointer to a chunk that is gone. */
  dangling = false;
}

/**
 * One stream in a plugin, as a filter: what callbacks return becomes flow control, what host calls ask for is done to the
 * stream once the callback has returned. (envoy: extensions/common/wasm/context.cc)
 */
export class StreamContext implements Context, StreamFilter {
  readonly id: number;
  readonly root: RootContext;
  readonly #callbacks: FilterCallbacks;
  readonly #request = new Side();
  readonly #response = new Side();
  #created = false;
  #destroyed = false;
  #logging = false;
  /** The VM died under this stream, and it was answered for that. */
  #failed = false;
  /** What held the request's headers, for those who wonder why nothing happens. */
  #stoppedBy: string | undefined;

  constructor(root: RootContext, callbacks: FilterCallbacks) {
    this.root = root;
    this.id = root.instance.newContext();
    this.#callbacks = callbacks;
    root.addStream();
  }

  get info(): StreamInfo {
    return this.#callbacks.info;
  }

  get requestHeaders(): HeaderMap | undefined {
    return this.#logging ? this.info.requestHeaders : this.#request.headers;
  }

  get missingMap(): WasmResult {
    return this.#logging ? WasmResult.NotFound : WasmResult.BadArgument;
  }

  #create(): void {
    if (this.#created) return;
    this.#created = true;
    const { instance } = this.root;
    instance.add(this);
    instance.call('proxy_on_context_create', this.id, this.id, this.root.id);
  }

  /** Calls a callback, and turns what it says into a status before anything that it has asked for is done. */
  #call<T>(toStatus: (result: number | undefined) => T, name: string, ...parameters: number[]): T {
    const { instance } = this.root;
    const status = instance.deferring(() => toStatus(instance.vm.invoke(name, this.id, this.id, ...parameters)));
    return status ?? toStatus(undefined);
  }

  /** True once the VM is dead: the stream has been answered as the policy says. */
  #isFailed(): boolean {
    if (this.root.instance.vm.failed === undefined) return false;
    if (this.#failed) return true;
    this.#failed = true; // under FAIL_OPEN too: only streams that begin later go without the filter
    this.#callbacks.sendLocalReply({ status: 503, body: '', details: 'wasm_fail_stream', grpcStatus: 14 });
    return true;
  }

  #headersStatus(result: number | undefined): HeadersStatus {
    if (this.#isFailed()) return HeadersStatus.StopAllIterationAndWatermark;
    if (this.root.instance.stopIteration || (result ?? 0) > HeadersStatus.StopAllIterationAndWatermark) {
      return HeadersStatus.StopAllIterationAndWatermark;
    }
    switch (result as HeadersStatus | undefined) {
      case HeadersStatus.StopIteration:
        // Only with the flag may a filter hold headers and see the body.
        return this.root.plugin.allowOnHeadersStopIteration
          ? HeadersStatus.StopIteration
          : HeadersStatus.StopAllIterationAndWatermark;
      case HeadersStatus.StopAllIterationAndBuffer:
        return HeadersStatus.StopAllIterationAndBuffer;
      case HeadersStatus.StopAllIterationAndWatermark:
        return HeadersStatus.StopAllIterationAndWatermark;
      case HeadersStatus.Continue:
      case HeadersStatus.ContinueAndDontEndStream: // means nothing here (cpp-host: context.cc)
      case undefined:
        return HeadersStatus.Continue;
    }
  }

  #dataStatus(result: number | undefined): DataStatus {
    if (this.#isFailed()) return DataStatus.StopIterationNoBuffer;
    if (this.root.instance.stopIteration || (result ?? 0) > DataStatus.StopIterationNoBuffer)
      return DataStatus.StopIterationNoBuffer;
    return (result ?? DataStatus.Continue) as DataStatus;
  }

  #trailersStatus(result: number | undefined): TrailersStatus {
    if (this.#isFailed()) return TrailersStatus.StopIteration;
    return this.root.instance.stopIteration || (result ?? 0) !== 0
      ? TrailersStatus.StopIteration
      : TrailersStatus.Continue;
  }

  decodeHeaders(headers: HeaderMap, endStream: boolean): HeadersStatus {
    this.#create();
    this.#request.headers = headers;
    const status = this.#call(
      (result) => this.#headersStatus(result),
      'proxy_on_request_headers',
      headers.size,
      ...this.#endOfHeaders(endStream),
    );
    if (status === HeadersStatus.Continue) this.#request.headers = undefined;
    this.#stoppedBy = explainHeaders(status, 'on_request_headers', this.root.plugin.allowOnHeadersStopIteration);
    return status;
  }

  /** ABI 0.1.0 does not say whether a body follows. */
  #endOfHeaders(endStream: boolean): number[] {
    return this.root.instance.vm.compiled.abi === '0.1.0' ? [] : [Number(endStream)];
  }

  decodeData(data: BodyBuffer, endStream: boolean): DataStatus {
    if (!this.#created) return DataStatus.Continue;
    const status = this.#data(this.#request, 'proxy_on_request_body', data, endStream, {
      hold: (chunk) => {
        this.#callbacks.addDecodedData(chunk);
      },
      held: () => this.#callbacks.decodingBuffer(),
    });
    if (status !== DataStatus.Continue) this.#stoppedBy = 'paused in on_request_body';
    return status;
  }

  decodeTrailers(trailers: HeaderMap): TrailersStatus {
    if (!this.#created) return TrailersStatus.Continue;
    this.#request.trailers = trailers;
    const status = this.#call((result) => this.#trailersStatus(result), 'proxy_on_request_trailers', trailers.size);
    if (status === TrailersStatus.Continue) this.#request.trailers = undefined;
    else this.#stoppedBy = 'paused in on_request_trailers';
    return status;
  }

  encodeHeaders(headers: HeaderMap, endStream: boolean): HeadersStatus {
    if (!this.#created || this.#failed) return HeadersStatus.Continue;
    this.#response.headers = headers;
    const status = this.#call(
      (result) => this.#headersStatus(result),
      'proxy_on_response_headers',
      headers.size,
      ...this.#endOfHeaders(endStream),
    );
    if (status === HeadersStatus.Continue) this.#response.headers = undefined;
    this.#stoppedBy = explainHeaders(status, 'on_response_headers', this.root.plugin.allowOnHeadersStopIteration);
    return status;
  }

  encodeData(data: BodyBuffer, endStream: boolean): DataStatus {
    if (!this.#created || this.#failed) return DataStatus.Continue;
    const status = this.#data(this.#response, 'proxy_on_response_body', data, endStream, {
      hold: (chunk) => {
        this.#callbacks.addEncodedData(chunk);
      },
      held: () => this.#callbacks.encodingBuffer(),
    });
    if (status !== DataStatus.Continue) this.#stoppedBy = 'paused in on_response_body';
    return status;
  }

  encodeTrailers(trailers: HeaderMap): TrailersStatus {
    if (!this.#created || this.#failed) return TrailersStatus.Continue;
    this.#response.trailers = trailers;
    const status = this.#call((result) => this.#trailersStatus(result), 'proxy_on_response_trailers', trailers.size);
    if (status === TrailersStatus.Continue) this.#response.trailers = undefined;
    return status;
  }

  #data(
    side: Side,
    callback: string,
    data: BodyBuffer,
    endStream: boolean,
    buffer: { hold: (chunk: BodyBuffer) => void; held: () => BodyBuffer | undefined },
  ): DataStatus {
    side.dangling = false;
    if (side.buffering) {
      // What was held and what is new are shown as one.
      buffer.hold(data);
      if (this.#destroyed) return DataStatus.StopIterationAndBuffer;
      side.chunk = buffer.held();
    } else {
      side.chunk = data;
    }
    side.endsBody = endStream;
    const status = this.#call(
      (result) => this.#dataStatus(result),
      callback,
      side.chunk?.length ?? 0,
      Number(endStream),
    );
    side.endsBody = false;
    side.buffering = status === DataStatus.StopIterationAndBuffer;
    side.dangling = status === DataStatus.StopIterationAndWatermark || status === DataStatus.StopIterationNoBuffer;
    side.chunk = undefined;
    return status;
  }

  onLog(): void {
    const { instance } = this.root;
    if (this.#failed || instance.vm.failed !== undefined) return;
    this.#create(); // a request that no filter saw is logged all the same
    this.#logging = true;
    instance.call('proxy_on_log', this.id, this.id);
    this.#logging = false;
  }

  onDestroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    const { instance } = this.root;
    if (this.#created && instance.vm.failed === undefined) {
      instance.call('proxy_on_done', this.id, this.id);
      instance.call('proxy_on_delete', this.id, this.id);
    }
    instance.remove(this);
    this.root.removeStream();
  }

  /** Why nothing will resume this stream, or undefined where something may. */
  explainStop(): string | undefined {
    const { plugin, instance } = this.root;
    if (instance.vm.failed !== undefined) return `the VM of ${plugin.name} has trapped, and its callouts with it`;
    if (this.#stoppedBy === undefined || instance.mayResume) return undefined;
    return `${plugin.name} ${this.#stoppedBy}, and no callout, queue item or tick is left that could resume it`;
  }

  headers(type: number): HeaderMap | undefined {
    switch (type) {
      case MapType.RequestHeaders:
        return this.#logging ? this.info.requestHeaders : this.#request.headers;
      case MapType.RequestTrailers:
        return this.#logging ? this.info.requestTrailers : this.#request.trailers;
      case MapType.ResponseHeaders:
        return this.#logging ? this.info.responseHeaders : this.#response.headers;
      case MapType.ResponseTrailers:
        return this.#logging ? this.info.responseTrailers : this.#response.trailers;
      default:
        return this.root.headers(type);
    }
  }

  /** In the callback that ends a body there are trailers as soon as one is written. */
  writableHeaders(type: number): HeaderMap | undefined {
    if (this.#logging) return undefined;
    if (type === MapType.RequestTrailers && this.#request.endsBody) {
      return (this.#request.trailers ??= this.#callbacks.addDecodedTrailers());
    }
    if (type === MapType.ResponseTrailers && this.#response.endsBody) {
      return (this.#response.trailers ??= this.#callbacks.addEncodedTrailers());
    }
    return type > MapType.ResponseTrailers ? undefined : this.headers(type);
  }

  changes(type: number): void {
    // ABI 0.2.1 and before: a request whose headers changed may have another route.
    if (type === MapType.RequestHeaders) this.#callbacks.clearRouteCache();
  }

  buffer(type: number): BodyBuffer | Uint8Array | undefined {
    if (type === BufferType.RequestBody) return this.#body(this.#request, this.#callbacks.decodingBuffer());
    if (type === BufferType.ResponseBody) return this.#body(this.#response, this.#callbacks.encodingBuffer());
    return this.root.buffer(type);
  }

  /** What the host holds has a limit; a chunk has none. */
  written(type: number): void {
    if (type === BufferType.RequestBody && this.#request.buffering) this.#callbacks.decodingBufferWritten();
    if (type === BufferType.ResponseBody && this.#response.buffering) this.#callbacks.encodingBufferWritten();
  }

  #body(side: Side, held: BodyBuffer | undefined): BodyBuffer | undefined {
    if (side.chunk !== undefined) return side.chunk;
    if (side.buffering) return held;
    if (side.dangling) {
      throw notAccepted(`${this.root.plugin.name} touches a body after its callback returned 2 or 3`);
    }
    return undefined;
  }

  sendLocalReply(reply: LocalReply): void {
    const { instance } = this.root;
    instance.stopIteration = true;
    instance.vm.afterCall(() => {
      if (this.#destroyed) return;
      this.#callbacks.sendLocalReply(reply);
    });
  }

  continueStream(type: number): WasmResult {
    const { vm } = this.root.instance;
    if (type === StreamType.Request) {
      vm.afterCall(() => {
        if (!this.#destroyed) this.#callbacks.continueDecoding();
      });
    } else if (type === StreamType.Response) {
      vm.afterCall(() => {
        if (!this.#destroyed) this.#callbacks.continueEncoding();
      });
    } else if (type === StreamType.Upstream) {
      return WasmResult.Unimplemented;
    } else if (type !== StreamType.Downstream) {
      return WasmResult.BadArgument;
    }
    this.#stoppedBy = undefined;
    this.#request.headers = undefined;
    this.#request.trailers = undefined;
    return WasmResult.Ok;
  }

  closeStream(type: number): WasmResult {
    if (type === StreamType.Request || type === StreamType.Response) {
      const { instance } = this.root;
      instance.stopIteration = true;
      instance.vm.afterCall(() => {
        if (!this.#destroyed) this.#callbacks.resetStream('wasm_close_stream');
      });
      return WasmResult.Ok;
    }
    // For a connection: Ok, and nothing happens.
    return type <= StreamType.Upstream ? WasmResult.Ok : WasmResult.BadArgument;
  }
}

function explainHeaders(status: HeadersStatus, callback: string, allowed: boolean): string | undefined {
  if (status === HeadersStatus.Continue) return undefined;
  if (status === HeadersStatus.StopIteration) return `paused in ${callback}`;
  const why = allowed
    ? `stopped all iteration in ${callback}`
    : `stopped all iteration in ${callback} (allow_on_headers_stop_iteration is off)`;
  return `${why}, so that body callbacks do not come`;
}

/** What takes the place of a plugin that did not load: it answers 503, or is not there. */
export function failingFilter(callbacks: FilterCallbacks): StreamFilter {
  return {
    decodeHeaders: () => {
      callbacks.sendLocalReply({ status: 503, body: '', details: 'wasm_fail_stream', grpcStatus: 14 });
      return HeadersStatus.StopAllIterationAndWatermark;
    },
  };
}
