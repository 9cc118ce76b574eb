// The numbers that a module names maps and buffers by.

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
