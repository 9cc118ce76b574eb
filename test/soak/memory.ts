// What an Envoy has of this machine's memory, by Linux' own books.
import { readFileSync } from 'node:fs';

const mebi = 1 << 20;

export interface Memory {
  /** Resident, of the whole process: MiB. */
  readonly resident: number;
  /** What all WebAssembly memories have together, in MiB. */
  readonly wasm: number;
}

/** V8 keeps this much address space for each WebAssembly memory, so that an address of 32 bits never leaves it. */
const reserved = 4 * 1024 * mebi;

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  return { resident, wasm: wasmBytes(readFileSync(`/proc/${pid}/maps`, 'utf8')) / mebi };
}

/** What can be written to right in front of what is only kept. @param maps of proc(5) */
function wasmBytes(maps: string): number {
  let sum = 0;
  let before = { end: 0, size: 0, isWritable: false };
  for (const line of maps.split('\n')) {
    const [, from = '', to = '', access = '', path = ''] = /^(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    if (access === '---p' && path === '' && end - start > reserved && before.isWritable && before.end === start)
      sum += before.size;
    before = { end, size: end - start, isWritable: access === 'rw-p' && path === '' };
  }
  return sum;
}

/** Compares what a process needed early with what it needed late. */
export function growth(samples: readonly Memory[], pick: (one: Memory) => number): { early: number; late: number } {
  const part = Math.ceil(samples.length / 4);
  const [early, late] = [samples.slice(part, 2 * part), samples.slice(-part)].map((some) => median(some.map(pick)));
  return { early: early ?? Number.NaN, late: late ?? Number.NaN };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
