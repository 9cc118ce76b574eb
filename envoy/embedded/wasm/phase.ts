// When a module may make which host call. (cpp-host: wasm.cc startVm, wasm.h allocMemory; measured on Envoy 1.40.0)
import { wasiFunctions } from '../../../proxy-wasm/signatures.ts';

/** `start`: `_initialize`, `main` or `_start` runs; `malloc`: the host wants memory. */
export type Phase = 'start' | 'malloc' | undefined;

const notDuringStart: readonly string[] = ['fd_close', 'fd_read', 'fd_seek', 'path_open', 'proc_exit', 'sched_yield'];
const duringStart = new Set([
  'proxy_log',
  'emscripten_notify_memory_growth',
  ...Object.keys(wasiFunctions).filter((name) => !notDuringStart.includes(name)),
]);
/** A malloc that grows the memory traps if it tells so: emscripten_notify_memory_growth is not among them. */
const duringMalloc = new Set(['proxy_log', 'fd_write', 'clock_time_get', 'poll_oneoff']);

export function isAllowedIn(phase: Phase, name: string): boolean {
  if (phase === undefined) return true;
  return (phase === 'start' ? duringStart : duringMalloc).has(name);
}
