import { type Inside, OK } from './imports.ts';
import type { Imports } from './wasm.ts';

const BUFFERS = new Map([
  [0, 'request'],
  [1, 'response'],
  [4, 'callout'],
  [7, 'configuration'],
]);

/** Bodies, and what else comes as one. @param find that of a number */
export function bufferImports(inside: Inside, find: (buffer: number) => Buffer): Imports {
  return {
    proxy_get_buffer_bytes: (buffer = 0, start = 0, size = 0, outAt = 0, outSize = 0) => {
      const from = start >>> 0;
      const upTo = from + (size >>> 0);
      inside.note(() => `get_buffer_bytes ${nameOf(buffer)} ${from} ${size >>> 0}`, 'configuring');
      return inside.memory.hand(find(buffer).subarray(from, upTo), outAt, outSize);
    },
    proxy_set_buffer_bytes: (buffer = 0, start = 0, size = 0, at = 0, dataSize = 0) => {
      const count = size >>> 0;
      const shown = count === 0xffff_ffff ? 'all' : `first ${count}`;
      inside.note(() => `set_buffer_bytes ${nameOf(buffer)} ${shown} by ${dataSize >>> 0}`);
      if (start !== 0) throw new Error('a host replaces a beginning, not a middle');
      const before = find(buffer);
      inside
        .place('set_buffer_bytes')
        .replaceBuffer(
          buffer,
          Buffer.concat([inside.memory.read(at, dataSize), before.subarray(Math.min(count, before.length))]),
        );
      return OK;
    },
  };
}

function nameOf(buffer: number): string {
  const name = BUFFERS.get(buffer);
  if (name === undefined) throw new Error(`${buffer} is no buffer that this host has`);
  return name;
}
