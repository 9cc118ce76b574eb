import type { WasmInstance } from '../instance.ts';
import { findProperty } from '../properties.ts';
import { serializeProperty } from '../property-value.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';

export function propertyCalls(instance: WasmInstance): Record<string, HostCall> {
  return {
    proxy_get_property: (path: number, length: number, outData: number, outLength: number) => {
      const text = instance.vm.text(path, length, 'utf8');
      if (text === undefined) return WasmResult.InvalidMemoryAccess;
      const { effective } = instance;
      if (effective === undefined) return WasmResult.NotFound;
      const { plugin } = effective.root;
      const value = findProperty(
        {
          plugin: { name: plugin.name, rootId: plugin.rootId, vmId: plugin.vm.id },
          node: instance.surroundings.node,
          info: effective.info,
          requestHeaders: effective.requestHeaders,
        },
        text.split('\0').filter((segment, index, all) => index < all.length - 1 || segment !== ''),
      );
      if (value === undefined) return WasmResult.NotFound;
      const bytes = serializeProperty(value);
      return bytes === undefined ? WasmResult.SerializationFailure : instance.vm.give(bytes, outData, outLength);
    },

    proxy_set_property: (path: number, length: number, value: number, valueLength: number) => {
      const name = instance.vm.text(path, length, 'utf8');
      const bytes = instance.vm.bytes(value, valueLength);
      if (name === undefined || bytes === undefined) return WasmResult.InvalidMemoryAccess;
      const info = instance.effective?.info;
      if (info === undefined) return WasmResult.NotFound;
      info.filterState.set(`wasm.${name}`, bytes);
      return WasmResult.Ok;
    },
  };
}
