import type { BodyBuffer } from '../body-buffer.ts';
import type { RouteAction, DirectResponse, Route } from '../config/route.ts';
import {
  DataStatus,
  type FilterCallbacks,
  type FilterFactory,
  HeadersStatus,
  type LocalReply,
  type StreamFilter,
  TrailersStatus,
} from '../filter.ts';
import { HeaderMap } from '../header-map.ts';
import { addHeaders } from '../routing/response-headers.ts';
import type { ClusterManager, WorkerCluster } from './cluster-manager.ts';
import type { ResetReason, ResponseReceiver, UpstreamExchange } from './exchange.ts';
import { routerReplies, routerReplyTo } from './replies.ts';

export interface RouterOptions {
  readonly clusters: ClusterManager;
  /** layered_runtime */
  readonly runtime: Readonly<Record<string, unknown>>;
}

export function routerFactory(options: RouterOptions): FilterFactory {
  return (callbacks) => new Router(callbacks, options);
}

/** Request headers that are for the router, not for the upstream. */
const timeoutHeader = 'x-envoy-upstream-rq-timeout-ms';
const perTryTimeoutHeader = 'x-envoy-upstream-rq-per-try-timeout-ms';
const ownHeaders = new Set([
  timeoutHeader,
  perTryTimeoutHeader,
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-upstream-stream-duration-ms',
]);

/** Before the first retry, in ms; later ones wait longer. */
const retryBackoff = 25;

/** The last filter: sends the request to its cluster, and the response back. (envoy: router/router.cc) */
class Router implements StreamFilter {
  readonly #callbacks: FilterCallbacks;
  readonly #options: RouterOptions;
  #cluster: WorkerCluster | undefined;
  #exchange: UpstreamExchange | undefined;
  #headers = new HeaderMap();
  #ended = false;
  #trailers: HeaderMap | undefined;
  #retriesLeft = 0;
  /** The body is kept for another try. */
  #keepsBody = false;
  #timeout = 0;
  #perTryTimeout = 0;
  #perTryIdle = 0;
  #startedAt = 0;
  #responding = false;
  #over = false;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #tries = 0;

  constructor(callbacks: FilterCallbacks, options: RouterOptions) {
    this.#callbacks = callbacks;
    this.#options = options;
    callbacks.onDownstreamPressure((slow) => {
      if (slow) this.#exchange?.pause();
      else this.#exchange?.resume();
    });
  }

  decodeHeaders(headers: HeaderMap, endStream: boolean): HeadersStatus {
    const route = this.#callbacks.route();
    if (route === undefined) return this.#refuse(routerReplies.noRoute);
    if (route.action.kind === 'direct_response') return this.#respondDirectly(route, route.action);
    const { action } = route;
    const name = action.cluster.kind === 'name' ? action.cluster.value : (headers.get(action.cluster.value) ?? '');
    this.#callbacks.info.upstreamCluster = name;
    const cluster = this.#options.clusters.get(name);
    if (cluster === undefined) return this.#refuse(routerReplies.noCluster);
    if (this.#options.runtime[`upstream.maintenance_mode.${name}`] === 100) {
      return this.#refuse(routerReplies.maintenance);
    }
    if (cluster.pool === undefined) return this.#refuse(routerReplies.noHost);
    const invalid = invalidHeader(headers);
    if (invalid !== undefined) {
      const body = `invalid header value for: ${invalid}`;
      return this.#refuse({
        status: 503,
        body,
        details: `filter_removed_required_request_headers{invalid_header_value_for:_${invalid}}`,
      });
    }
    this.#cluster = cluster;
    this.#readTimeouts(action, headers);
    headers.removeAll(ownHeaders);
    const expected = Math.min(this.#timeout || Infinity, this.#perTryTimeout || Infinity);
    if (Number.isFinite(expected)) headers.set('x-envoy-expected-rq-timeout-ms', String(expected));
    this.#headers = headers;
    const { retry } = action;
    const mayRetry = retry !== undefined && cluster.config.circuitBreakers.maxRetries > 0;
    this.#retriesLeft = mayRetry ? retry.retries : 0;
    this.#retryOn = retry?.on ?? [];
    this.#keepsBody = this.#retriesLeft > 0;
    this.#startedAt = performance.now();
    this.#ended = endStream;
    this.#try();
    if (endStream) this.#onRequestComplete();
    return HeadersStatus.StopIteration;
  }

  #retryOn: readonly string[] = [];

  #readTimeouts(action: RouteAction, headers: HeaderMap): void {
    const given = (name: string): number | undefined => {
      const text = headers.get(name);
      return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
    };
    this.#timeout = given(timeoutHeader) ?? action.timeout;
    this.#perTryTimeout = given(perTryTimeoutHeader) ?? action.retry?.perTryTimeout ?? 0;
    if (this.#timeout > 0 && this.#perTryTimeout >= this.#timeout) this.#perTryTimeout = 0;
    this.#perTryIdle = action.retry?.perTryIdleTimeout ?? 0;
  }

  #refuse(reply: LocalReply): HeadersStatus {
    this.#over = true;
    this.#callbacks.sendLocalReply(reply);
    return HeadersStatus.StopIteration;
  }

  #respondDirectly(route: Route, { status, body }: DirectResponse): HeadersStatus {
    const headers = new HeaderMap();
    addHeaders(headers, route.responseHeadersToAdd);
    return this.#refuse({ status, body, headers, details: 'direct_response' });
  }

  #try(): void {
    this.#tries++;
    const pool = this.#cluster?.pool;
    if (pool === undefined) return;
    let current = true;
    const receiver: ResponseReceiver = {
      onConnected: (host) => {
        if (current) this.#callbacks.info.upstreamHost = { address: host.host, port: host.port };
      },
      onHeaders: (headers, endStream) => {
        if (current) this.#onHeaders(headers, endStream);
      },
      onData: (data, endStream) => {
        if (current) this.#onData(data, endStream);
      },
      onTrailers: (trailers) => {
        if (!current) return;
        this.#finish();
        this.#callbacks.encodeTrailers(trailers);
      },
      onReset: (reason) => {
        if (!current) return;
        current = false;
        this.#onReset(reason);
      },
      onPressure: (slow) => {
        if (!current || this.#over) return;
        if (slow) this.#callbacks.pauseDownstream();
        else this.#callbacks.resumeDownstream();
      },
    };
    // An endpoint that a header names is asked once.
    const exchange = pool.exchange(receiver, this.#tries > 1 ? new HeaderMap() : this.#headers);
    this.#exchange = exchange;
    const held = this.#tries > 1 ? this.#callbacks.decodingBuffer() : undefined;
    const hasBody = held !== undefined && held.length > 0;
    const endsWithHeaders = this.#ended && !hasBody && this.#trailers === undefined;
    exchange.sendHeaders(this.#headers, endsWithHeaders);
    if (hasBody) exchange.sendData(held.share(), this.#ended && this.#trailers === undefined);
    if (this.#trailers !== undefined) exchange.sendTrailers(this.#trailers);
    const { maxStreamDuration = 0 } = this.#cluster?.config ?? {};
    this.#arm('duration', maxStreamDuration, routerReplies.clusterDuration);
    if (this.#ended) this.#armTry();
  }

  #armTry(): void {
    this.#arm('try', this.#perTryTimeout, routerReplies.perTryTimeout);
    this.#arm('idle', this.#perTryIdle, routerReplies.perTryIdleTimeout);
  }

  decodeData(data: BodyBuffer, endStream: boolean): DataStatus {
    if (this.#over) return DataStatus.StopIterationNoBuffer;
    this.#ended = endStream;
    const held = this.#callbacks.decodingBuffer();
    const all = (held === data ? 0 : (held?.length ?? 0)) + data.length;
    if (this.#keepsBody && all > this.#callbacks.bufferLimit) {
      // Too much to keep: there is one try.
      this.#keepsBody = false;
      this.#retriesLeft = 0;
    }
    if (this.#keepsBody) {
      this.#exchange?.sendData(data.share(), endStream);
    } else {
      this.#exchange?.sendData(data, endStream);
    }
    if (endStream) this.#onRequestComplete();
    return this.#keepsBody ? DataStatus.StopIterationAndBuffer : DataStatus.StopIterationNoBuffer;
  }

  decodeTrailers(trailers: HeaderMap): TrailersStatus {
    if (this.#over) return TrailersStatus.StopIteration;
    this.#trailers = trailers;
    this.#ended = true;
    this.#exchange?.sendTrailers(trailers);
    this.#onRequestComplete();
    return TrailersStatus.StopIteration;
  }

  #onRequestComplete(): void {
    this.#arm('response', this.#timeout, routerReplies.timeout);
    this.#armTry();
  }

  #onHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#responding = true;
    this.#disarm('try');
    this.#armIdle();
    const { info } = this.#callbacks;
    info.responseCodeDetails = 'via_upstream';
    headers.set('x-envoy-upstream-service-time', String(Math.floor(performance.now() - this.#startedAt)));
    addHeaders(headers, this.#callbacks.route()?.responseHeadersToAdd ?? []);
    if (endStream) this.#finish();
    this.#callbacks.encodeHeaders(headers, endStream);
  }

  #onData(data: BodyBuffer, endStream: boolean): void {
    this.#armIdle();
    if (endStream) this.#finish();
    this.#callbacks.encodeData(data, endStream);
  }

  #armIdle(): void {
    this.#arm('idle', this.#perTryIdle, routerReplies.perTryIdleTimeout);
  }

  #onReset(reason: ResetReason): void {
    if (this.#over) return;
    if (!this.#responding && this.#retriesLeft > 0 && this.#isRetriable(reason)) {
      this.#retriesLeft--;
      const wait = Math.random() * retryBackoff * 2 ** (this.#tries - 1);
      this.#timers.set(
        'retry',
        setTimeout(() => {
          if (!this.#over) this.#try();
        }, wait),
      );
      return;
    }
    const reply = routerReplyTo(reason);
    const details = this.#responding ? reply.details.replace('before', 'after') : reply.details;
    this.#give({ ...reply, details });
  }

  #isRetriable(reason: ResetReason): boolean {
    if (reason === 'remote connection failure' || reason === 'connection timeout') {
      return this.#retryOn.includes('connect-failure');
    }
    return reason === 'remote refused stream reset' && this.#retryOn.includes('refused-stream');
  }

  /** Ends the request with an answer of ours, or cuts off the one that is under way. */
  #give(reply: LocalReply): void {
    this.#exchange?.cancel();
    this.#finish();
    this.#callbacks.sendLocalReply(reply);
  }

  #arm(timer: string, after: number, reply: LocalReply): void {
    this.#disarm(timer);
    if (after <= 0 || this.#over) return;
    this.#timers.set(
      timer,
      setTimeout(() => {
        this.#give(reply);
      }, after),
    );
  }

  #disarm(timer: string): void {
    const armed = this.#timers.get(timer);
    if (armed === undefined) return;
    clearTimeout(armed);
    this.#timers.delete(timer);
  }

  #finish(): void {
    this.#over = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  onDestroy(): void {
    this.#exchange?.cancel();
    this.#finish();
  }
}

/** The name of the first header whose value would be more than one line. */
function invalidHeader(headers: HeaderMap): string | undefined {
  let found: string | undefined;
  headers.forEach((name, value) => {
    if (found === undefined && /[\0\r\n]/.test(value)) found = name;
  });
  return found;
}
