import type { HeaderMap } from './header-map.ts';

export interface Address {
  /** Without brackets. */
  readonly address: string;
  readonly port: number;
}

/** What is known of a request while it runs, and what the access log, `get_property` and metrics show of it. (envoy: StreamInfo) */
export interface StreamInfo {
  readonly connectionId: number;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  /** Milliseconds since 1970, with fractions. */
  readonly startTime: number;
  /** Where the client is said to come from: the connection's other end, or X-Forwarded-For where that is trusted. */
  downstreamRemote: Address;
  readonly downstreamDirectRemote: Address;
  readonly downstreamLocal: Address;
  readonly requestHeaders: HeaderMap;
  requestTrailers: HeaderMap | undefined;
  responseHeaders: HeaderMap | undefined;
  responseTrailers: HeaderMap | undefined;
  /** Bytes of bodies. */
  bytesReceived: number;
  bytesSent: number;
  responseCode: number | undefined;
  /** `via_upstream`, `route_not_found`, … */
  responseCodeDetails: string | undefined;
  /** `UF`, `UH`, `NR`, … in the order of being set. */
  readonly responseFlags: Set<string>;
  routeName: string | undefined;
  virtualHost: string | undefined;
  upstreamCluster: string | undefined;
  upstreamHost: Address | undefined;
  /** Bytes by name, such as `wasm.mcp_method`. */
  readonly filterState: Map<string, Uint8Array>;
  /** `metadata.filter_metadata` by the filter's name: what jwt_authn leaves. */
  readonly dynamicMetadata: Record<string, unknown>;
  /** Once the stream is over: milliseconds since 1970, with fractions. */
  endTime: number | undefined;
}
