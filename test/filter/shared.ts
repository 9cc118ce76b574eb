import { CAS_MISMATCH, type Inside, NOT_FOUND, OK } from './imports.ts';
import type { Imports } from './wasm.ts';

/** What all workers of an Envoy share, by key. */
export type Shared = Map<string, { readonly value: Buffer; readonly cas: number }>;

export function sharedImports(inside: Inside, shared: Shared): Imports {
  return {
    proxy_get_shared_data: (key = 0, keySize = 0, outAt = 0, outSize = 0, outCas = 0) => {
      const name = inside.memory.text(key, keySize);
      const found = shared.get(name);
      inside.note(() => `get_shared_data ${tableOf(name)}: ${found === undefined ? 'nothing' : 'found'}`);
      if (found === undefined) return NOT_FOUND;
      inside.memory.hand(found.value, outAt, outSize);
      inside.memory.writeU32(outCas, found.cas);
      return OK;
    },
    proxy_set_shared_data: (key = 0, keySize = 0, data = 0, dataSize = 0, cas = 0) => {
      const name = inside.memory.text(key, keySize);
      const found = shared.get(name);
      inside.note(() => `set_shared_data ${tableOf(name)}`);
      if (cas !== 0 && found !== undefined && found.cas !== cas >>> 0) return CAS_MISMATCH;
      shared.set(name, { value: inside.memory.read(data, dataSize), cas: (found?.cas ?? 0) + 1 });
      return OK;
    },
  };
}

/** Slots are found by a hash, which says nothing to a reader. */
function tableOf(key: string): string {
  return key.replace(/\d+$/, '…');
}
