import { BodyBuffer } from '../body-buffer.ts';
import type { AsyncClient, AsyncRequest, AsyncResponse, Cancel } from '../async-client.ts';
import { HeaderMap } from '../header-map.ts';
import type { ClusterManager } from './cluster-manager.ts';
import type { ResetReason, ResponseReceiver, UpstreamExchange } from './exchange.ts';
import { routerReplyTo, timeoutBody } from './replies.ts';

/** http.async_response_buffer_limit */
const mostBytes = 32 << 20;

/** Callouts of one worker. (envoy: http/async_client_impl.cc) */
export class WorkerAsyncClient implements AsyncClient {
  readonly #clusters: ClusterManager;

  constructor(clusters: ClusterManager) {
    this.#clusters = clusters;
  }

  hasCluster(name: string): boolean {
    return this.#clusters.get(name) !== undefined;
  }

  send(cluster: string, request: AsyncRequest, done: (outcome: AsyncResponse | 'reset') => void): Cancel | undefined {
    const pool = this.#clusters.get(cluster)?.pool;
    if (pool === undefined || pool.isFull) return undefined;
    const call = new Call(done);
    const receiver: ResponseReceiver = {
      onConnected: () => undefined,
      onHeaders: (headers, endStream) => {
        call.onHeaders(headers, endStream);
      },
      onData: (data, endStream) => {
        call.onData(data, endStream);
      },
      onTrailers: (trailers) => {
        call.onTrailers(trailers);
      },
      onReset: (reason) => {
        call.onReset(reason);
      },
      onPressure: () => undefined,
    };
    return call.start(pool.exchange(receiver, request.headers), request);
  }
}

/** One callout: the response is collected whole, or is a reset. */
class Call {
  readonly #done: (outcome: AsyncResponse | 'reset') => void;
  #exchange: UpstreamExchange | undefined;
  #timer: NodeJS.Timeout | undefined;
  #headers: HeaderMap | undefined;
  readonly #body = new BodyBuffer();
  readonly #startedAt = performance.now();
  #over = false;

  constructor(done: (outcome: AsyncResponse | 'reset') => void) {
    this.#done = done;
  }

  start(exchange: UpstreamExchange, { headers, body, trailers, timeout }: AsyncRequest): Cancel {
    this.#exchange = exchange;
    if (timeout > 0) {
      this.#timer = setTimeout(() => {
        this.#onTimeout();
      }, timeout);
    }
    headers.set('x-envoy-internal', 'true');
    if (timeout > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(timeout));
    if (!headers.has(':scheme')) headers.set(':scheme', 'http');
    const hasBody = body.length > 0;
    const hasTrailers = trailers.size > 0;
    exchange.sendHeaders(headers, !hasBody && !hasTrailers);
    if (hasBody) exchange.sendData(new BodyBuffer(body), !hasTrailers);
    if (hasTrailers) exchange.sendTrailers(trailers);
    return () => {
      this.#finish(undefined);
      exchange.cancel();
    };
  }

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#headers = headers;
    headers.set('x-envoy-upstream-service-time', String(Math.floor(performance.now() - this.#startedAt)));
    if (endStream) this.#complete(undefined);
  }

  onData(data: BodyBuffer, endStream: boolean): void {
    this.#body.move(data);
    if (this.#body.length > mostBytes) {
      this.#exchange?.cancel();
      this.#finish('reset');
    } else if (endStream) {
      this.#complete(undefined);
    }
  }

  onTrailers(trailers: HeaderMap): void {
    this.#complete(trailers);
  }

  /** Without headers there is Envoy's own answer; with them, it broke off. */
  onReset(reason: ResetReason): void {
    if (this.#headers !== undefined) {
      this.#finish('reset');
      return;
    }
    const { status, body } = routerReplyTo(reason);
    this.#finish(ownAnswer(status, String(body)));
  }

  #onTimeout(): void {
    this.#exchange?.cancel();
    this.#finish(this.#headers === undefined ? ownAnswer(504, timeoutBody) : 'reset');
  }

  #complete(trailers: HeaderMap | undefined): void {
    if (this.#headers === undefined) return;
    this.#finish({ headers: this.#headers, body: this.#body.read(), trailers });
  }

  #finish(outcome: AsyncResponse | 'reset' | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    if (outcome !== undefined) this.#done(outcome);
  }
}

function ownAnswer(status: number, text: string): AsyncResponse {
  const body = Buffer.from(text);
  const headers = new HeaderMap([
    [':status', String(status)],
    ['content-length', String(body.length)],
    ['content-type', 'text/plain'],
  ]);
  return { headers, body, trailers: undefined };
}
