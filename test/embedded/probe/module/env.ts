// Imports of the proxy-wasm ABI 0.2.1 that the shipped module has no use for; the others are in filter/env.ts.

export declare function proxy_get_log_level(outLevel: usize): i32;
export declare function proxy_get_status(outCode: usize, outMessage: usize, outLength: usize): i32;
export declare function proxy_get_header_map_value(
  map: i32,
  name: usize,
  nameLength: usize,
  outData: usize,
  outLength: usize,
): i32;
export declare function proxy_get_header_map_size(map: i32, outSize: usize): i32;
export declare function proxy_set_header_map_pairs(map: i32, data: usize, length: usize): i32;
export declare function proxy_get_buffer_status(buffer: i32, outLength: usize, outFlags: usize): i32;
export declare function proxy_get_metric(id: u32, outValue: usize): i32;
export declare function proxy_close_stream(stream: i32): i32;
export declare function proxy_set_tick_period_milliseconds(period: u32): i32;
export declare function proxy_register_shared_queue(name: usize, nameLength: usize, outToken: usize): i32;
export declare function proxy_resolve_shared_queue(
  vmId: usize,
  vmIdLength: usize,
  name: usize,
  nameLength: usize,
  outToken: usize,
): i32;
export declare function proxy_enqueue_shared_queue(token: u32, data: usize, length: usize): i32;
export declare function proxy_dequeue_shared_queue(token: u32, outData: usize, outLength: usize): i32;
export declare function proxy_call_foreign_function(
  name: usize,
  nameLength: usize,
  argument: usize,
  argumentLength: usize,
  outData: usize,
  outLength: usize,
): i32;
export declare function proxy_done(): i32;
