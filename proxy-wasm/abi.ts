/** A value as the host sees it: i32 without its sign, u64 an i64 without its sign. */
export type HostType = 'i32' | 'i64' | 'u64';

export type AbiVersion = '0.1.0' | '0.2.0' | '0.2.1';

export interface FunctionType {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

/** What arrives of parameters of these types. */
export type Arguments<Types extends readonly HostType[]> = {
  readonly [Index in keyof Types]: Types[Index] extends 'i32' ? number : bigint;
};
