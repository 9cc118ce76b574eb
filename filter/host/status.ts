/** Results of host calls, and what callbacks return (proxy-wasm ABI 0.2.1). */
export const enum Status {
  Ok = 0,
  NotFound = 1,
  BadArgument = 2,
  CasMismatch = 8,
  InternalFailure = 10,
}

export const enum Action {
  Continue = 0,
  /** Headers: hold them and read on (with `allow_on_headers_stop_iteration`). Body: keep it, show it whole next time. */
  Pause = 1,
  /** Body: keep this part and take no more from the client than fits; later parts are shown alone. */
  HoldBack = 2,
  /** Body: what is left of this part is thrown away. */
  Discard = 3,
  /** Headers only: hold them and all that follows, which later callbacks of the same filter are not asked about. */
  HoldAll = 3,
}

export const enum HeaderMap {
  Request = 0,
  RequestTrailers = 1,
  Response = 2,
  ResponseTrailers = 3,
  CalloutResponse = 6,
}

export const enum Buffer {
  RequestBody = 0,
  ResponseBody = 1,
  CalloutResponse = 4,
  PluginConfiguration = 7,
}

/** What `proxy_continue_stream` takes. */
export const REQUEST_STREAM = 0;
export const RESPONSE_STREAM = 1;

/** Where host calls write an address and a length. */
export const OUT_DATA = memory.data(4, 8);
export const OUT_LENGTH = memory.data(4, 8);
