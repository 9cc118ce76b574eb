import { type Inside, NOT_FOUND, OK } from './imports.ts';
import type { Imports } from './wasm.ts';

/** What the host knows about a request, by path with dots: `destination.address`. */
export type Properties = ReadonlyMap<string, string>;

/** @param rootId of the root context that is being configured, or undefined */
export function propertyImports(inside: Inside, rootId: () => string | undefined): Imports {
  return {
    proxy_get_property: (path = 0, pathSize = 0, outAt = 0, outSize = 0) => {
      const name = inside.memory.text(path, pathSize).replaceAll('\0', '.');
      inside.note(() => `get_property ${name}`, 'configuring');
      const own = rootId();
      if (own !== undefined && name !== 'plugin_root_id') throw new Error(`no property ${name} for a configuration`);
      const value = own === undefined ? inside.place('get_property').property(name) : Buffer.from(own);
      if (value === undefined) return NOT_FOUND;
      return inside.memory.hand(value, outAt, outSize);
    },
    proxy_set_property: (path = 0, pathSize = 0, value = 0, valueSize = 0) => {
      const name = inside.memory.text(path, pathSize);
      const content = inside.memory.read(value, valueSize);
      // A mark of one filter for another is no text.
      inside.note(() => `set_property ${name}${OF_RECORD.test(name) ? ` ${content.toString()}` : ''}`);
      inside.place('set_property').setAttribute(name, content);
      return OK;
    },
  };
}

/** Attributes for the access log. */
export const OF_RECORD = /^mcp_[a-z]+$/;
