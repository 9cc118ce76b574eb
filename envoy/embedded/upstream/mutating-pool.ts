import type { HeaderMutations, HostPort } from '../config/model.ts';
import { formatHostPort } from '../../render/upstream.ts';
import type { HeaderMap } from '../header-map.ts';
import { addHeaders } from '../routing/response-headers.ts';
import type { Pool, ResponseReceiver, UpstreamExchange } from './exchange.ts';

/** What a header's value names: the endpoint that answers. (envoy: formatter) */
const remoteAddress = '%UPSTREAM_REMOTE_ADDRESS%';

/** Changes headers on their way to an endpoint and back, for routed requests and callouts alike. (envoy: upstream HTTP filters) */
export class MutatingPool implements Pool {
  readonly #pool: Pool;
  readonly #mutations: HeaderMutations;

  constructor(pool: Pool, mutations: HeaderMutations) {
    this.#pool = pool;
    this.#mutations = mutations;
  }

  get isFull(): boolean {
    return this.#pool.isFull;
  }

  exchange(receiver: ResponseReceiver, asked: HeaderMap): UpstreamExchange {
    const { removed, added } = this.#mutations;
    let host: HostPort | undefined;
    const exchange = this.#pool.exchange(
      {
        onConnected: (connected) => {
          host = connected;
          receiver.onConnected(connected);
        },
        onHeaders: (headers, endStream) => {
          const address = host === undefined ? '' : formatHostPort(host);
          addHeaders(
            headers,
            added.map((option) => ({ ...option, value: option.value.replaceAll(remoteAddress, address) })),
          );
          receiver.onHeaders(headers, endStream);
        },
        onData: (data, endStream) => {
          receiver.onData(data, endStream);
        },
        onTrailers: (trailers) => {
          receiver.onTrailers(trailers);
        },
        onReset: (reason) => {
          receiver.onReset(reason);
        },
        onPressure: (slow) => {
          receiver.onPressure(slow);
        },
      },
      asked,
    );
    return {
      sendHeaders: (headers, endStream) => {
        const sent = headers.copy();
        for (const name of removed) sent.remove(name);
        exchange.sendHeaders(sent, endStream);
      },
      sendData: (data, endStream) => {
        exchange.sendData(data, endStream);
      },
      sendTrailers: (trailers) => {
        exchange.sendTrailers(trailers);
      },
      cancel: () => {
        exchange.cancel();
      },
      pause: () => {
        exchange.pause();
      },
      resume: () => {
        exchange.resume();
      },
    };
  }

  close(): void {
    this.#pool.close();
  }
}
