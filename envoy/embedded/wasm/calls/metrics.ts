import type { WasmInstance } from '../instance.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';

export function metricCalls(instance: WasmInstance): Record<string, HostCall> {
  return {
    proxy_define_metric: (type: number, name: number, length: number, out: number) => {
      const text = instance.vm.text(name, length, 'utf8');
      if (text === undefined) return WasmResult.InvalidMemoryAccess;
      const id = instance.metrics.define(type, text);
      if (id === undefined) return WasmResult.BadArgument;
      return instance.vm.writeU32(out, id) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
    },

    proxy_increment_metric: (id: number, offset: bigint) => instance.metrics.increment(id, BigInt.asIntN(64, offset)),

    proxy_record_metric: (id: number, value: bigint) => instance.metrics.record(id, BigInt.asUintN(64, value)),

    proxy_get_metric: (id: number, out: number) => {
      const value = instance.metrics.value(id);
      if (typeof value === 'number') return value;
      return instance.vm.writeU64(out, value) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
    },
  };
}
