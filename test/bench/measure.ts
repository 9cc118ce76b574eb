import type { ChildProcess } from 'node:child_process';
import type { Call, Load } from './load.ts';
import { cpuOf, put } from './processes.ts';

export interface Measured extends Load {
  /** µs of Envoy per call. */
  readonly cpu: number;
}

export const CONNECTIONS = 16;

/** Makes one call over and over for a time. @param pid of Envoy @param seconds how long */
export async function measure(
  pid: number,
  load: ChildProcess,
  port: number,
  request: Call,
  seconds: number,
  connections = CONNECTIONS,
): Promise<Measured> {
  const before = cpuOf(pid);
  const done = await put(load, { port, request, connections, seconds, requests: Number.MAX_SAFE_INTEGER });
  return { ...done, cpu: (cpuOf(pid) - before) / done.calls };
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
