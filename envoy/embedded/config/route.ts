// A route, read and checked. Times are milliseconds, 0 is none.

export interface Route {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction | DirectResponse;
  readonly responseHeadersToAdd: readonly HeaderOption[];
}

export interface RouteMatch {
  readonly path:
    | { readonly kind: 'prefix' | 'path' | 'path_separated_prefix'; readonly value: string }
    | { readonly kind: 'safe_regex'; readonly value: RegExp };
  readonly headers: readonly HeaderMatch[];
}

export interface HeaderMatch {
  readonly name: string;
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'present';
  readonly value: string;
  readonly invert: boolean;
}

export interface RouteAction {
  readonly kind: 'route';
  readonly cluster: { readonly kind: 'name' | 'header'; readonly value: string };
  /** For the whole response; Envoy's default is 15 s. */
  readonly timeout: number;
  /** undefined: the listener's stream_idle_timeout */
  readonly idleTimeout: number | undefined;
  readonly maxStreamDuration: number;
  readonly retry: RetryPolicy | undefined;
}

export interface RetryPolicy {
  /** `connect-failure`, `refused-stream`, … */
  readonly on: readonly string[];
  readonly retries: number;
  readonly perTryTimeout: number;
  readonly perTryIdleTimeout: number;
}

export interface DirectResponse {
  readonly kind: 'direct_response';
  readonly status: number;
  readonly body: string;
}

export interface HeaderOption {
  readonly name: string;
  readonly value: string;
  readonly append: 'APPEND_IF_EXISTS_OR_ADD' | 'ADD_IF_ABSENT' | 'OVERWRITE_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS';
}
