import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Beyond it nothing is read, be it a configuration or a module. */
const mostBytes = 64 << 20;

/**
 * Reads a file that a configuration or a command line names: nothing endless, and nothing that has to be waited for.
 * @throws Error with the reason
 */
export function readLimited(path: string): Uint8Array {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe would keep us until someone writes
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error(`${path} is not a file`);
    if (stat.size > mostBytes) throw new Error(`${path} has ${stat.size} bytes; at most ${mostBytes} are read`);
    const bytes = Buffer.alloc(stat.size);
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(file, bytes, read, bytes.length - read, read);
      if (count === 0) break;
      read += count;
    }
    return bytes.subarray(0, read);
  } finally {
    closeSync(file);
  }
}
