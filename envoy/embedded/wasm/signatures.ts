// Functions of the ABI and their signatures: what a module may import, and how what it exports has to look.
import type { Signature } from './bytecode.ts';

export type AbiVersion = '0.1.0' | '0.2.0' | '0.2.1';

/** Exported marker functions; the first of them in a module says its ABI. (cpp-host: bytecode_util.cc) */
export const abiMarkers: ReadonlyMap<string, AbiVersion> = new Map([
  ['proxy_abi_version_0_1_0', '0.1.0'],
  ['proxy_abi_version_0_2_0', '0.2.0'],
  ['proxy_abi_version_0_2_1', '0.2.1'],
]);

type Signatures = Readonly<Record<string, Signature>>;

const common: Signatures = {
  proxy_log: 'iii>i',
  proxy_get_status: 'iii>i',
  proxy_set_property: 'iiii>i',
  proxy_get_property: 'iiii>i',
  proxy_send_local_response: 'iiiiiiii>i',
  proxy_get_shared_data: 'iiiii>i',
  proxy_set_shared_data: 'iiiii>i',
  proxy_register_shared_queue: 'iii>i',
  proxy_resolve_shared_queue: 'iiiii>i',
  proxy_dequeue_shared_queue: 'iii>i',
  proxy_enqueue_shared_queue: 'iii>i',
  proxy_get_header_map_value: 'iiiii>i',
  proxy_add_header_map_value: 'iiiii>i',
  proxy_replace_header_map_value: 'iiiii>i',
  proxy_remove_header_map_value: 'iii>i',
  proxy_get_header_map_pairs: 'iii>i',
  proxy_set_header_map_pairs: 'iii>i',
  proxy_get_header_map_size: 'ii>i',
  proxy_get_buffer_status: 'iii>i',
  proxy_get_buffer_bytes: 'iiiii>i',
  proxy_set_buffer_bytes: 'iiiii>i',
  proxy_http_call: 'iiiiiiiiii>i',
  proxy_grpc_call: 'iiiiiiiiiiii>i',
  proxy_grpc_stream: 'iiiiiiiii>i',
  proxy_grpc_close: 'i>i',
  proxy_grpc_cancel: 'i>i',
  proxy_grpc_send: 'iiii>i',
  proxy_set_tick_period_milliseconds: 'i>i',
  proxy_get_current_time_nanoseconds: 'i>i',
  proxy_define_metric: 'iiii>i',
  proxy_increment_metric: 'iI>i',
  proxy_record_metric: 'iI>i',
  proxy_get_metric: 'ii>i',
  proxy_set_effective_context: 'i>i',
  proxy_done: '>i',
  proxy_call_foreign_function: 'iiiiii>i',
  envoy_resolve_dns: 'iii>i',
};
const streams: Signatures = { proxy_continue_stream: 'i>i', proxy_close_stream: 'i>i' };

/** Imports from module `env`. (cpp-host: wasm.cc registerCallbacks) */
export const hostFunctions: Readonly<Record<AbiVersion, Signatures>> = {
  '0.1.0': {
    ...common,
    proxy_get_configuration: 'ii>i',
    proxy_continue_request: '>i',
    proxy_continue_response: '>i',
    proxy_clear_route_cache: '>i',
  },
  '0.2.0': { ...common, ...streams },
  '0.2.1': { ...common, ...streams, proxy_get_log_level: 'i>i' },
};

/** Further imports from `env`. */
export const runtimeFunctions: Signatures = { emscripten_notify_memory_growth: 'i>', pthread_equal: 'ii>i' };

/** Imports from `wasi_snapshot_preview1` and `wasi_unstable`. */
export const wasiFunctions: Signatures = {
  args_get: 'ii>i',
  args_sizes_get: 'ii>i',
  clock_res_get: 'ii>i',
  clock_time_get: 'iIi>i',
  environ_get: 'ii>i',
  environ_sizes_get: 'ii>i',
  fd_advise: 'iIIi>i',
  fd_allocate: 'iII>i',
  fd_close: 'i>i',
  fd_datasync: 'i>i',
  fd_fdstat_get: 'ii>i',
  fd_fdstat_set_flags: 'ii>i',
  fd_fdstat_set_rights: 'iII>i',
  fd_filestat_get: 'ii>i',
  fd_filestat_set_size: 'iI>i',
  fd_filestat_set_times: 'iIIi>i',
  fd_pread: 'iiiIi>i',
  fd_prestat_dir_name: 'iii>i',
  fd_prestat_get: 'ii>i',
  fd_pwrite: 'iiiIi>i',
  fd_read: 'iiii>i',
  fd_readdir: 'iiiIi>i',
  fd_renumber: 'ii>i',
  fd_seek: 'iIii>i',
  fd_sync: 'i>i',
  fd_tell: 'ii>i',
  fd_write: 'iiii>i',
  path_create_directory: 'iii>i',
  path_filestat_get: 'iiiii>i',
  path_filestat_set_times: 'iiiiIIi>i',
  path_link: 'iiiiiii>i',
  path_open: 'iiiiiIIii>i',
  path_readlink: 'iiiiii>i',
  path_remove_directory: 'iii>i',
  path_rename: 'iiiiii>i',
  path_symlink: 'iiiii>i',
  path_unlink_file: 'iii>i',
  poll_oneoff: 'iiii>i',
  proc_exit: 'i>',
  random_get: 'ii>i',
  sched_yield: '>i',
  sock_accept: 'iii>i',
  sock_recv: 'iiiiii>i',
  sock_send: 'iiiii>i',
  sock_shutdown: 'ii>i',
};

/** Exports that the host calls. (cpp-host: wasm.h) */
export const callbacks: Signatures = {
  _initialize: '>',
  _start: '>',
  main: 'ii>i',
  __main_void: '>i',
  malloc: 'i>i',
  proxy_on_memory_allocate: 'i>i',
  proxy_validate_configuration: 'ii>i',
  proxy_on_vm_start: 'ii>i',
  proxy_on_configure: 'ii>i',
  proxy_on_tick: 'i>',
  proxy_on_context_create: 'ii>',
  proxy_on_new_connection: 'i>i',
  proxy_on_downstream_data: 'iii>i',
  proxy_on_upstream_data: 'iii>i',
  proxy_on_downstream_connection_close: 'ii>',
  proxy_on_upstream_connection_close: 'ii>',
  proxy_on_request_headers: 'iii>i',
  proxy_on_request_body: 'iii>i',
  proxy_on_request_trailers: 'ii>i',
  proxy_on_request_metadata: 'ii>i',
  proxy_on_response_headers: 'iii>i',
  proxy_on_response_body: 'iii>i',
  proxy_on_response_trailers: 'ii>i',
  proxy_on_response_metadata: 'ii>i',
  proxy_on_http_call_response: 'iiiii>',
  proxy_on_grpc_receive: 'iii>',
  proxy_on_grpc_close: 'iii>',
  proxy_on_grpc_receive_initial_metadata: 'iii>',
  proxy_on_grpc_receive_trailing_metadata: 'iii>',
  proxy_on_queue_ready: 'ii>',
  proxy_on_foreign_function: 'iii>',
  proxy_on_done: 'i>i',
  proxy_on_log: 'i>',
  proxy_on_delete: 'i>',
  envoy_on_resolve_dns: 'iii>',
  envoy_on_stats_update: 'ii>',
};

/** With ABI 0.1.0 header callbacks have no end_of_stream, and done has no result on log. */
export const callbacks010: Signatures = {
  ...callbacks,
  proxy_on_request_headers: 'ii>i',
  proxy_on_response_headers: 'ii>i',
};

/** `i32, i64 -> i32`, as V8's host prints it. */
export function printSignature(signature: Signature): string {
  const names: Readonly<Record<string, string>> = { i: 'i32', I: 'i64', f: 'f32', F: 'f64', v: 'v128', r: 'anyref' };
  const [parameters = '', results = ''] = signature.split('>');
  const print = (types: string): string => {
    const text = Array.from(types, (type) => names[type] ?? 'unknown').join(' ');
    return text === '' ? 'void' : text;
  };
  return `${print(parameters)} -> ${print(results)}`;
}
