import { type Context, mapTypes } from '../context.ts';
import type { HeaderMap } from '../../header-map.ts';
import type { WasmInstance } from '../instance.ts';
import { decodePairs, encodePairs } from '../pairs.ts';
import { Result } from '../result.ts';
import type { HostFunction } from '../vm.ts';

/** Maps from here on are not to be changed: gRPC's and those of callouts. */
const firstReadOnly = 4;

export function headerCalls(instance: WasmInstance): Record<string, HostFunction> {
  const find = (type: number): { map: HeaderMap | undefined; missing: Result } => {
    const { effective } = instance;
    return { map: effective?.headers(type), missing: effective?.missingMap ?? Result.BadArgument };
  };

  /** Runs a change of a map that may be changed now. */
  const change = (type: number, apply: (map: HeaderMap) => void): Result => {
    if (type >>> 0 >= mapTypes) return Result.BadArgument;
    const context: Context | undefined = instance.effective;
    const map = type < firstReadOnly ? context?.headers(type) : undefined;
    if (map === undefined || context?.changes(type) !== true) return Result.BadArgument;
    apply(map);
    return Result.Ok;
  };

  const changeOne =
    (apply: (map: HeaderMap, name: string, value: string) => void): HostFunction =>
    (type: number, name: number, nameLength: number, value: number, valueLength: number) => {
      const [key, text] = [instance.vm.readText(name, nameLength), instance.vm.readText(value, valueLength)];
      if (key === undefined || text === undefined) return Result.InvalidMemoryAccess;
      return change(type, (map) => {
        apply(map, key.toLowerCase(), text);
      });
    };

  return {
    proxy_get_header_map_value: (type: number, name: number, length: number, outData: number, outLength: number) => {
      if (type >>> 0 >= mapTypes) return Result.BadArgument;
      const key = instance.vm.readText(name, length);
      if (key === undefined) return Result.InvalidMemoryAccess;
      const { map, missing } = find(type);
      if (map === undefined) return missing;
      const value = map.get(key.toLowerCase());
      return value === undefined ? Result.NotFound : instance.vm.give(Buffer.from(value, 'latin1'), outData, outLength);
    },

    proxy_get_header_map_pairs: (type: number, outData: number, outLength: number) => {
      if (type >>> 0 >= mapTypes) return Result.BadArgument;
      // A map that is not there now is an empty one here, and here only.
      return instance.vm.give(encodePairs(find(type).map ?? []), outData, outLength);
    },

    proxy_get_header_map_size: (type: number, out: number) => {
      if (type >>> 0 >= mapTypes) return Result.BadArgument;
      const { map, missing } = find(type);
      if (map === undefined) return missing;
      return instance.vm.writeU32(out, map.byteSize) ? Result.Ok : Result.InvalidMemoryAccess;
    },

    proxy_add_header_map_value: changeOne((map, name, value) => {
      map.add(name, value);
    }),

    proxy_replace_header_map_value: changeOne((map, name, value) => {
      map.set(name, value);
    }),

    proxy_remove_header_map_value: (type: number, name: number, length: number) => {
      const key = instance.vm.readText(name, length);
      if (key === undefined) return Result.InvalidMemoryAccess;
      return change(type, (map) => {
        map.remove(key.toLowerCase());
      });
    },

    proxy_set_header_map_pairs: (type: number, data: number, length: number) => {
      const bytes = instance.vm.read(data, length);
      if (bytes === undefined) return Result.InvalidMemoryAccess;
      return change(type, (map) => {
        map.clear();
        for (const [name, value] of decodePairs(bytes)) map.add(name, value);
      });
    },
  };
}
