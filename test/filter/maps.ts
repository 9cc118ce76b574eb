import { type Inside, OK } from './imports.ts';
import { decodePairs, encodePairs, type Headers } from './pairs.ts';
import type { Imports } from './wasm.ts';

const MAPS = new Map([
  [0, 'request'],
  [1, 'request trailers'],
  [2, 'response'],
  [6, 'callout'],
]);

/** Header maps. @param find those of a number, to be edited in their place */
export function mapImports(inside: Inside, find: (map: number) => Headers): Imports {
  const latin = (pointer: number, length: number): string => inside.memory.read(pointer, length).toString('latin1');
  return {
    proxy_get_header_map_pairs: (map = 0, outAt = 0, outSize = 0) => {
      inside.note(() => `get_header_map_pairs ${nameOf(map)}`);
      return inside.memory.hand(encodePairs(find(map)), outAt, outSize);
    },
    proxy_add_header_map_value: (map = 0, name = 0, nameSize = 0, value = 0, valueSize = 0) => {
      inside.note(() => `add_header_map_value ${nameOf(map)} ${latin(name, nameSize)}`);
      return edit(find(map), latin(name, nameSize), latin(value, valueSize), false);
    },
    proxy_replace_header_map_value: (map = 0, name = 0, nameSize = 0, value = 0, valueSize = 0) => {
      inside.note(() => `replace_header_map_value ${nameOf(map)} ${latin(name, nameSize)}`);
      return edit(find(map), latin(name, nameSize), latin(value, valueSize), true);
    },
    proxy_remove_header_map_value: (map = 0, name = 0, nameSize = 0) => {
      inside.note(() => `remove_header_map_value ${nameOf(map)} ${latin(name, nameSize)}`);
      return edit(find(map), latin(name, nameSize), undefined, true);
    },
  };
}

function edit(headers: Headers, name: string, value: string | undefined, replaces: boolean): number {
  if (value !== undefined) decodePairs(encodePairs([[name, value]]));
  const others = headers.filter(([found]) => found !== name);
  const next = (replaces ? others : headers).slice();
  // A header keeps its place, as in Envoy's map.
  const at = headers.findIndex(([found]) => found === name);
  if (value !== undefined) next.splice(replaces && at >= 0 ? at : next.length, 0, [name, value]);
  headers.splice(0, headers.length, ...next);
  return OK;
}

function nameOf(map: number): string {
  const name = MAPS.get(map);
  if (name === undefined) throw new Error(`${map} is no header map that this host has`);
  return name;
}
