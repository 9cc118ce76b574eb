import type { HeaderMap } from './header-map.ts';

export interface AsyncRequest {
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
  readonly trailers: HeaderMap;
  /** Milliseconds until the whole response has to be here; 0: for ever. */
  readonly timeout: number;
}

/** A whole response: an upstream's, or Envoy's own 503 and 504. */
export interface AsyncResponse {
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
  readonly trailers: HeaderMap | undefined;
}

/**
 * Requests that no client has asked for: callouts of modules, the fetching of modules. (envoy: AsyncClient)
 * Each worker has its own, with connections of its own.
 */
export interface AsyncClient {
  hasCluster(name: string): boolean;
  /**
   * Sends; `done` comes later, once: the response, or `reset` where it broke off or was too large (32 MiB).
   * @returns undefined where it failed at once (no endpoint, circuit breakers): `done` never comes then
   */
  send(cluster: string, request: AsyncRequest, done: (outcome: AsyncResponse | 'reset') => void): Cancel | undefined;
}

/** Ends a request; `done` does not come any more. */
export type Cancel = () => void;
