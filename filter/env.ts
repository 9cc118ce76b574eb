// Imports of the proxy-wasm ABI 0.2.1, one line each. A file named env.ts imports from module "env" by itself: no
// decorator, so that prettier, eslint and tsc read this folder as they read any other. host/ alone calls these.
// Pointers to results (`out…`) are written by the host; the memory they name is ours to free.

export declare function proxy_log(level: i32, message: usize, length: usize): i32;
export declare function proxy_get_log_level(outLevel: usize): i32;
