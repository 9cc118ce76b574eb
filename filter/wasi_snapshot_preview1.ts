// Imports of WASI, of which every Envoy has these; named after their module for the same reason as env.ts.

export declare function random_get(data: usize, length: usize): i32;
export declare function environ_sizes_get(outCount: usize, outSize: usize): i32;
export declare function environ_get(outPointers: usize, outData: usize): i32;
