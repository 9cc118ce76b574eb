// Imports of the proxy-wasm ABI 0.2.1, one line each; host/ alone calls these. A file named env.ts imports from module
// "env" by itself: no decorator, so that prettier, eslint and tsc read this folder as they read any other.
// Results are a Status; what is handed back lies where `proxy_on_memory_allocate` put it, its address in `out…`.

export declare function proxy_log(level: i32, message: usize, length: usize): i32;
export declare function proxy_get_header_map_pairs(map: i32, outData: usize, outLength: usize): i32;
export declare function proxy_add_header_map_value(
  map: i32,
  name: usize,
  nameLength: usize,
  value: usize,
  valueLength: usize,
): i32;
export declare function proxy_replace_header_map_value(
  map: i32,
  name: usize,
  nameLength: usize,
  value: usize,
  valueLength: usize,
): i32;
export declare function proxy_remove_header_map_value(map: i32, name: usize, nameLength: usize): i32;
export declare function proxy_get_buffer_bytes(
  buffer: i32,
  start: usize,
  length: usize,
  outData: usize,
  outLength: usize,
): i32;
export declare function proxy_set_buffer_bytes(
  buffer: i32,
  start: usize,
  length: usize,
  data: usize,
  dataLength: usize,
): i32;
export declare function proxy_get_property(path: usize, pathLength: usize, outData: usize, outLength: usize): i32;
export declare function proxy_set_property(path: usize, pathLength: usize, value: usize, valueLength: usize): i32;
export declare function proxy_define_metric(type: i32, name: usize, nameLength: usize, outId: usize): i32;
export declare function proxy_increment_metric(id: u32, offset: i64): i32;
export declare function proxy_record_metric(id: u32, value: u64): i32;
export declare function proxy_send_local_response(
  status: i32,
  details: usize,
  detailsLength: usize,
  body: usize,
  bodyLength: usize,
  headers: usize,
  headersLength: usize,
  grpcStatus: i32,
): i32;
export declare function proxy_continue_stream(stream: i32): i32;
export declare function proxy_http_call(
  cluster: usize,
  clusterLength: usize,
  headers: usize,
  headersLength: usize,
  body: usize,
  bodyLength: usize,
  trailers: usize,
  trailersLength: usize,
  timeout: i32,
  outToken: usize,
): i32;
export declare function proxy_set_effective_context(context: i32): i32;
export declare function proxy_get_shared_data(
  key: usize,
  keyLength: usize,
  outData: usize,
  outLength: usize,
  outCas: usize,
): i32;
export declare function proxy_set_shared_data(
  key: usize,
  keyLength: usize,
  data: usize,
  dataLength: usize,
  cas: u32,
): i32;
export declare function proxy_get_current_time_nanoseconds(outTime: usize): i32;
export declare function proxy_register_shared_queue(name: usize, nameLength: usize, outToken: usize): i32;
export declare function proxy_enqueue_shared_queue(token: u32, data: usize, dataLength: usize): i32;
export declare function proxy_dequeue_shared_queue(token: u32, outData: usize, outLength: usize): i32;
export declare function proxy_set_tick_period_milliseconds(period: u32): i32;
