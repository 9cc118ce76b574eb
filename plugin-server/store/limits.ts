/** Larger modules are refused before they are read; so they are by Istio's agent. Ours has some 100 KiB, Go's some MiB. */
export const moduleLimit = 256 * 1024 * 1024;

/** What one server holds in memory, at most. */
export const storeLimits = { artifacts: 10_000, bytes: 4 * 1024 * 1024 * 1024 } as const;

export type StoreLimits = { readonly [Limit in keyof typeof storeLimits]: number };
