import { mapTypes } from '../../../../proxy-wasm/types.ts';
import type { Context } from '../context.ts';
import type { HeaderMap } from '../../header-map.ts';
import type { WasmInstance } from '../instance.ts';
import { decodePairs, pairsLength, writePairs } from '../pairs.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';

export function headerCalls(instance: WasmInstance): Record<string, HostCall> {
  const find = (type: number): { map: HeaderMap | undefined; missing: WasmResult } => {
    const { effective } = instance;
    return { map: effective?.headers(type), missing: effective?.missingMap ?? WasmResult.BadArgument };
  };

  /** Runs a change of a map that may be changed now. */
  const change = (type: number, apply: (map: HeaderMap) => void): WasmResult => {
    if (type >>> 0 >= mapTypes) return WasmResult.BadArgument;
    const context: Context | undefined = instance.effective;
    const map = context?.writableHeaders(type);
    if (map === undefined || context === undefined) return WasmResult.BadArgument;
    context.changes(type);
    apply(map);
    return WasmResult.Ok;
  };

  const changeOne =
    (apply: (map: HeaderMap, name: string, value: string) => void): HostCall =>
    (type: number, name: number, nameLength: number, value: number, valueLength: number) => {
      const key = instance.vm.text(name, nameLength);
      const text = instance.vm.text(value, valueLength);
      if (key === undefined || text === undefined) return WasmResult.InvalidMemoryAccess;
      return change(type, (map) => {
        apply(map, key.toLowerCase(), text);
      });
    };

  return {
    proxy_get_header_map_value: (type: number, name: number, length: number, outData: number, outLength: number) => {
      if (type >>> 0 >= mapTypes) return WasmResult.BadArgument;
      const key = instance.vm.text(name, length);
      if (key === undefined) return WasmResult.InvalidMemoryAccess;
      const { map, missing } = find(type);
      if (map === undefined) return missing;
      const value = map.get(key.toLowerCase());
      return value === undefined
        ? WasmResult.NotFound
        : instance.vm.giveWritten(
            value.length,
            (target, at) => {
              target.write(value, at, 'latin1');
            },
            outData,
            outLength,
          );
    },

    proxy_get_header_map_pairs: (type: number, outData: number, outLength: number) => {
      if (type >>> 0 >= mapTypes) return WasmResult.BadArgument;
      // A map that is not there now is an empty one here, and here only.
      const flat = find(type).map?.flat ?? [];
      return instance.vm.giveWritten(
        pairsLength(flat),
        (target, at) => {
          writePairs(flat, target, at);
        },
        outData,
        outLength,
      );
    },

    proxy_get_header_map_size: (type: number, out: number) => {
      if (type >>> 0 >= mapTypes) return WasmResult.BadArgument;
      const { map, missing } = find(type);
      if (map === undefined) return missing;
      return instance.vm.writeU32(out, map.byteSize) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
    },

    proxy_add_header_map_value: changeOne((map, name, value) => {
      map.append(name, value);
    }),

    proxy_replace_header_map_value: changeOne((map, name, value) => {
      map.set(name, value);
    }),

    proxy_remove_header_map_value: (type: number, name: number, length: number) => {
      const key = instance.vm.text(name, length);
      if (key === undefined) return WasmResult.InvalidMemoryAccess;
      return change(type, (map) => {
        map.remove(key.toLowerCase());
      });
    },

    proxy_set_header_map_pairs: (type: number, data: number, length: number) => {
      const bytes = instance.vm.bytes(data, length);
      if (bytes === undefined) return WasmResult.InvalidMemoryAccess;
      return change(type, (map) => {
        map.clear();
        for (const [name, value] of decodePairs(bytes)) map.add(name, value);
      });
    },
  };
}
