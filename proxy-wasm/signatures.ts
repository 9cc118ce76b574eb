// What modules may import and what the host calls, with their types, as measured on Envoy 1.40.0. (cpp-host: exports.h, wasm.h)
import type { AbiVersion, FunctionType, HostType } from './abi.ts';

type Parameters = Readonly<Record<string, readonly HostType[]>>;

const none = [] as const;
const one = ['i32'] as const;
const two = [...one, 'i32'] as const;
const three = [...two, 'i32'] as const;
const four = [...three, 'i32'] as const;
const five = [...four, 'i32'] as const;
const six = [...five, 'i32'] as const;
const eight = [...six, 'i32', 'i32'] as const;
const nine = [...eight, 'i32'] as const;
const ten = [...nine, 'i32'] as const;
const twelve = [...ten, 'i32', 'i32'] as const;

/** Module `env`: what the runtimes of languages want. */
const runtimeFunctions = {
  pthread_equal: two,
  emscripten_notify_memory_growth: one,
} as const satisfies Parameters;

/** Module `env`: the host calls of all ABI versions. Each returns a WasmResult. */
export const hostFunctions = {
  proxy_log: three,
  proxy_get_log_level: one,
  proxy_get_status: three,
  proxy_set_property: four,
  proxy_get_property: four,
  proxy_send_local_response: eight,
  proxy_get_shared_data: five,
  proxy_set_shared_data: five,
  proxy_register_shared_queue: three,
  proxy_resolve_shared_queue: five,
  proxy_dequeue_shared_queue: three,
  proxy_enqueue_shared_queue: three,
  proxy_get_header_map_value: five,
  proxy_add_header_map_value: five,
  proxy_replace_header_map_value: five,
  proxy_remove_header_map_value: three,
  proxy_get_header_map_pairs: three,
  proxy_set_header_map_pairs: three,
  proxy_get_header_map_size: two,
  proxy_get_buffer_status: three,
  proxy_get_buffer_bytes: five,
  proxy_set_buffer_bytes: five,
  proxy_http_call: ten,
  proxy_grpc_call: twelve,
  proxy_grpc_stream: nine,
  proxy_grpc_close: one,
  proxy_grpc_cancel: one,
  proxy_grpc_send: four,
  proxy_set_tick_period_milliseconds: one,
  proxy_get_current_time_nanoseconds: one,
  proxy_define_metric: four,
  proxy_increment_metric: ['i32', 'i64'],
  proxy_record_metric: ['i32', 'u64'],
  proxy_get_metric: two,
  proxy_set_effective_context: one,
  proxy_done: none,
  proxy_call_foreign_function: six,
  proxy_get_configuration: two,
  proxy_continue_request: none,
  proxy_continue_response: none,
  proxy_clear_route_cache: none,
  proxy_continue_stream: one,
  proxy_close_stream: one,
  envoy_resolve_dns: three,
} as const satisfies Parameters;

const firstAbi: readonly AbiVersion[] = ['0.1.0'];
const streamAbis: readonly AbiVersion[] = ['0.2.0', '0.2.1'];
/** Where a host call is not there in every version. */
const versionsOf: ReadonlyMap<string, readonly AbiVersion[]> = new Map([
  ['proxy_get_configuration', firstAbi],
  ['proxy_continue_request', firstAbi],
  ['proxy_continue_response', firstAbi],
  ['proxy_clear_route_cache', firstAbi],
  ['proxy_continue_stream', streamAbis],
  ['proxy_close_stream', streamAbis],
  ['proxy_get_log_level', ['0.2.1']],
]);

/** Modules `wasi_unstable` and `wasi_snapshot_preview1`. Each returns an errno; some differ from the standard, so does Envoy. */
export const wasiFunctions = {
  args_get: two,
  args_sizes_get: two,
  clock_res_get: two,
  clock_time_get: ['i32', 'u64', 'i32'],
  environ_get: two,
  environ_sizes_get: two,
  fd_advise: ['i32', 'u64', 'u64', 'i32'],
  fd_allocate: ['i32', 'u64', 'u64'],
  fd_close: one,
  fd_datasync: one,
  fd_fdstat_get: two,
  fd_fdstat_set_flags: two,
  fd_fdstat_set_rights: ['i32', 'u64', 'u64'],
  fd_filestat_get: two,
  fd_filestat_set_size: ['i32', 'u64'],
  fd_filestat_set_times: ['i32', 'u64', 'u64', 'i32'],
  fd_pread: [...three, 'u64', 'i32'],
  fd_prestat_dir_name: three,
  fd_prestat_get: two,
  fd_pwrite: [...three, 'u64', 'i32'],
  fd_read: four,
  fd_readdir: [...three, 'u64', 'i32'],
  fd_renumber: two,
  fd_seek: ['i32', 'i64', 'i32', 'i32'],
  fd_sync: one,
  fd_tell: two,
  fd_write: four,
  path_create_directory: three,
  path_filestat_get: five,
  path_filestat_set_times: [...four, 'u64', 'u64', 'i32'],
  path_link: six,
  path_open: [...five, 'u64', 'u64', 'i32', 'i32'],
  path_readlink: six,
  path_remove_directory: three,
  path_rename: six,
  path_symlink: four,
  path_unlink_file: three,
  poll_oneoff: four,
  proc_exit: one,
  random_get: two,
  sched_yield: none,
  sock_accept: three,
  sock_recv: six,
  sock_send: five,
  sock_shutdown: two,
} as const satisfies Parameters;

/** The only imports without a result. */
const silent: readonly string[] = ['emscripten_notify_memory_growth', 'proc_exit'];
const wasiModules: readonly string[] = ['wasi_unstable', 'wasi_snapshot_preview1'];

/** What the host has under this name for a module of this version: the name of the table and of the entry in it. */
export type HostImport = { readonly params: readonly HostType[] } & (
  | { readonly table: 'runtime'; readonly name: keyof typeof runtimeFunctions }
  | { readonly table: 'host'; readonly name: keyof typeof hostFunctions }
  | { readonly table: 'wasi'; readonly name: keyof typeof wasiFunctions }
);

export function hostImport(module: string, name: string, abi: AbiVersion): HostImport | undefined {
  if (wasiModules.includes(module)) {
    return isKey(wasiFunctions, name) ? { table: 'wasi', name, params: wasiFunctions[name] } : undefined;
  }
  if (module !== 'env') return undefined;
  if (isKey(runtimeFunctions, name)) return { table: 'runtime', name, params: runtimeFunctions[name] };
  if (!isKey(hostFunctions, name) || versionsOf.get(name)?.includes(abi) === false) return undefined;
  return { table: 'host', name, params: hostFunctions[name] };
}

/** As a module has to declare it. */
export function importType({ name, params }: HostImport): FunctionType {
  return {
    params: params.map((type) => (type === 'u64' ? 'i64' : type)),
    results: silent.includes(name) ? [] : ['i32'],
  };
}

/** What the host calls in modules: how many i32 go in, and whether one comes out. */
type Callback = readonly [params: number, returns: 0 | 1];

/** Never hidden by a capability restriction. */
const entryPoints: Readonly<Record<string, Callback>> = {
  _initialize: [0, 0],
  _start: [0, 0],
  main: [2, 1],
  __main_void: [0, 1],
  malloc: [1, 1],
  proxy_on_memory_allocate: [1, 1],
};

const callbacks: Readonly<Record<string, Callback>> = {
  proxy_validate_configuration: [2, 1],
  proxy_on_vm_start: [2, 1],
  proxy_on_configure: [2, 1],
  proxy_on_tick: [1, 0],
  proxy_on_context_create: [2, 0],
  proxy_on_new_connection: [1, 1],
  proxy_on_downstream_data: [3, 1],
  proxy_on_upstream_data: [3, 1],
  proxy_on_downstream_connection_close: [2, 0],
  proxy_on_upstream_connection_close: [2, 0],
  proxy_on_request_headers: [3, 1],
  proxy_on_request_body: [3, 1],
  proxy_on_request_trailers: [2, 1],
  proxy_on_request_metadata: [2, 1],
  proxy_on_response_headers: [3, 1],
  proxy_on_response_body: [3, 1],
  proxy_on_response_trailers: [2, 1],
  proxy_on_response_metadata: [2, 1],
  proxy_on_http_call_response: [5, 0],
  proxy_on_grpc_receive: [3, 0],
  proxy_on_grpc_close: [3, 0],
  proxy_on_grpc_receive_initial_metadata: [3, 0],
  proxy_on_grpc_receive_trailing_metadata: [3, 0],
  proxy_on_queue_ready: [2, 0],
  proxy_on_foreign_function: [3, 0],
  proxy_on_done: [1, 1],
  proxy_on_log: [1, 0],
  proxy_on_delete: [1, 0],
  envoy_on_resolve_dns: [3, 0],
  envoy_on_stats_update: [2, 0],
};
/** ABI 0.1.0 does not tell whether the stream ends with its headers, and has no foreign functions. */
const firstCallbacks: Readonly<Record<string, Callback>> = {
  ...Object.fromEntries(Object.entries(callbacks).filter(([name]) => name !== 'proxy_on_foreign_function')),
  proxy_on_request_headers: [2, 1],
  proxy_on_response_headers: [2, 1],
};

/** The callbacks of a version. */
export function callbackTypes(abi: AbiVersion): ReadonlyMap<string, FunctionType> {
  return typesOf(abi === '0.1.0' ? firstCallbacks : callbacks);
}

export const entryPointTypes: ReadonlyMap<string, FunctionType> = typesOf(entryPoints);

function typesOf(table: Readonly<Record<string, Callback>>): ReadonlyMap<string, FunctionType> {
  return new Map(
    Object.entries(table).map(([name, [params, returns]]) => [
      name,
      { params: Array<string>(params).fill('i32'), results: Array<string>(returns).fill('i32') },
    ]),
  );
}

function isKey<T extends object>(table: T, name: string): name is string & keyof T {
  return Object.hasOwn(table, name);
}
