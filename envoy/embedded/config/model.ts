// The part of Envoy's configuration that the embedded host runs, read and checked. Times are milliseconds, 0 is none;
// sizes are bytes.
import type { FilterFactory } from '../filter.ts';
import type { HeaderOption, Route } from './route.ts';

export interface Configuration {
  readonly node: { readonly id: string; readonly cluster: string };
  readonly admin: HostPort | undefined;
  readonly statsTags: readonly { readonly name: string; readonly regex: RegExp }[];
  /** What `layered_runtime` says, static layers merged: `upstream.maintenance_mode.<cluster>` */
  readonly runtime: Readonly<Record<string, unknown>>;
  /** overload_manager: downstream_connections */
  readonly maxConnections: number;
  readonly listeners: readonly Listener[];
  readonly clusters: readonly Cluster[];
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  readonly name: string;
  readonly address: HostPort;
  /** per_connection_buffer_limit_bytes; 1 MiB unless said otherwise */
  readonly bufferLimit: number;
  readonly manager: ConnectionManager;
}

export interface ConnectionManager {
  readonly statPrefix: string;
  readonly codec: 'AUTO' | 'HTTP1' | 'HTTP2';
  readonly useRemoteAddress: boolean;
  /** CIDR blocks of internal_address_config; undefined: private and loopback addresses (Envoy's default) */
  readonly internalAddresses: readonly { readonly address: string; readonly prefix: number }[] | undefined;
  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: 'KEEP_UNCHANGED' | 'REJECT_REQUEST' | 'UNESCAPE_AND_REDIRECT' | 'UNESCAPE_AND_FORWARD';
  /** early_header_mutation_extensions: names to remove */
  readonly earlyRemovals: readonly string[];
  readonly maxRequestHeadersKb: number;
  readonly maxRequestHeaders: number;
  readonly streamErrorOnInvalidHttp: boolean;
  readonly headersWithUnderscores: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER';
  readonly enableTrailersHttp1: boolean;
  readonly acceptHttp10: boolean;
  /** The host of an HTTP/1.0 request without one; '': none, and it is refused */
  readonly defaultHost: string;
  readonly idleTimeout: number;
  readonly maxStreamDuration: number;
  readonly requestHeadersTimeout: number;
  readonly requestTimeout: number;
  readonly streamIdleTimeout: number;
  readonly http2: Http2Windows & { readonly maxConcurrentStreams: number };
  readonly accessLogs: readonly AccessLog[];
  readonly filters: readonly HttpFilter[];
  readonly routes: RouteConfiguration;
}

/** How much may be on its way before it is read, in bytes. */
export interface Http2Windows {
  readonly stream: number;
  readonly connection: number;
}

/** stdout, or a file; a format text, or JSON members in their order. */
export interface AccessLog {
  readonly file: string | undefined;
  readonly format: string | Readonly<Record<string, unknown>>;
}

/** A filter in the chain, the router last. */
export type HttpFilter =
  | { readonly kind: 'wasm'; readonly name: string; readonly plugin: WasmPlugin }
  /** config_discovery from a file */
  | { readonly kind: 'discovered'; readonly name: string; readonly path: string }
  | { readonly kind: 'router'; readonly name: string }
  /** A filter of Envoy's own that the embedded engine has, ready to be made for a stream. */
  | { readonly kind: 'native'; readonly name: string; readonly create: FilterFactory };

/** envoy.extensions.wasm.v3.PluginConfig */
export interface WasmPlugin {
  readonly name: string;
  readonly rootId: string;
  readonly failurePolicy: 'FAIL_CLOSED' | 'FAIL_OPEN' | 'FAIL_RELOAD';
  /** vm_reload backoff base_interval */
  readonly reloadBackoff: number;
  readonly allowOnHeadersStopIteration: boolean;
  /** As the module sees it: a StringValue's text, a BytesValue's bytes, anything else serialized as protobuf. */
  readonly configuration: Uint8Array;
  readonly vm: {
    readonly id: string;
    readonly configuration: Uint8Array;
    readonly code: WasmCode;
    /** Names and values, host_env_keys resolved. */
    readonly environment: Readonly<Record<string, string>>;
    readonly nackOnCodeCacheMiss: boolean;
  };
  /** capability_restriction_config.allowed_capabilities; undefined: all */
  readonly capabilities: readonly string[] | undefined;
}

export type WasmCode =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'remote';
      readonly uri: string;
      readonly cluster: string;
      readonly timeout: number;
      readonly sha256: string;
      readonly retries: number;
      readonly backoff: { readonly base: number; readonly max: number };
    };

export interface RouteConfiguration {
  readonly name: string;
  readonly validateClusters: boolean;
  readonly virtualHosts: readonly VirtualHost[];
}

export interface VirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
}

export interface Cluster {
  readonly name: string;
  readonly discovery: 'STATIC' | 'STRICT_DNS' | 'LOGICAL_DNS';
  readonly endpoints: readonly HostPort[];
  /** The header of a request that names its endpoint (override_host); undefined: none does. */
  readonly endpointHeader: string | undefined;
  readonly mutations: HeaderMutations;
  readonly connectTimeout: number;
  readonly protocol: 'HTTP1' | 'HTTP2';
  /** Whether trailers pass: over HTTP/1.1 only where that is switched on. */
  readonly trailers: boolean;
  readonly windows: Http2Windows;
  readonly idleTimeout: number;
  readonly maxStreamDuration: number;
  readonly maxResponseHeadersKb: number;
  readonly circuitBreakers: {
    readonly maxConnections: number;
    readonly maxPendingRequests: number;
    readonly maxRequests: number;
    readonly maxRetries: number;
  };
  readonly tls: UpstreamTls | undefined;
}

/** What upstream filters do to headers. */
export interface HeaderMutations {
  /** Names, of a request. */
  readonly removed: readonly string[];
  /** To a response; a value may have the operator %UPSTREAM_REMOTE_ADDRESS%. */
  readonly added: readonly HeaderOption[];
}

type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface UpstreamTls {
  readonly sni: string | undefined;
  readonly versions: { readonly least: TlsVersion; readonly most: TlsVersion };
  /** ALPN; none: what the protocol of the cluster is called */
  readonly applicationProtocols: readonly string[];
  /** A file of authorities; undefined: nothing is verified, as in Envoy. */
  readonly trustedCa: string | undefined;
  /** Exact subject alternative names, any of which has to be in the certificate. */
  readonly names: readonly { readonly type: 'DNS' | 'IP_ADDRESS' | 'URI'; readonly exact: string }[];
}
