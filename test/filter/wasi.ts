import { type Inside, OK } from './imports.ts';
import type { Imports } from './wasm.ts';

const NONCE_SIZE = 8;

/** What a module gets of its surroundings. @param seed of the randomness, which is the same in every run */
export function wasiImports(inside: Inside, environment: Readonly<Record<string, string>>, seed: number): Imports {
  const variables = Object.entries(environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  const random = randomBytes(seed);
  return {
    random_get: (at = 0, size = 0) => {
      // A VM names itself among all others of its process when it first registers a queue.
      inside.note(() => `random_get ${size}`, ...(size === NONCE_SIZE ? (['configuring'] as const) : []));
      inside.memory.write(at, Uint8Array.from({ length: size }, random));
      return OK;
    },
    environ_sizes_get: (outCount = 0, outSize = 0) => {
      inside.note(() => 'environ_sizes_get', 'configuring');
      inside.memory.writeU32(outCount, variables.length);
      inside.memory.writeU32(outSize, Buffer.concat(variables).length);
      return OK;
    },
    environ_get: (pointers = 0, data = 0) => {
      inside.note(() => 'environ_get', 'configuring');
      let at = data;
      for (const [index, variable] of variables.entries()) {
        inside.memory.writeU32(pointers + 4 * index, at);
        inside.memory.write(at, variable);
        at += variable.length;
      }
      return OK;
    },
  };
}

/** xorshift32. */
function randomBytes(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
}
