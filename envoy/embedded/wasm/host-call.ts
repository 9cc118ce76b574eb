/** A function that a module imports, by its numbers: i32 without a sign, i64 as bigints. It returns a WasmResult. */
export type HostCall = (...parameters: never[]) => number;
