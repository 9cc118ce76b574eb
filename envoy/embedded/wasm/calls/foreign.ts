import { deflateSync, inflateSync } from 'node:zlib';
import type { WasmInstance } from '../instance.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';

type Foreign = (instance: WasmInstance, argument: Uint8Array) => Uint8Array | WasmResult;

const EMPTY = new Uint8Array(0);
const mostInflated = 32 << 20;

/** The functions of Envoy's own that need nothing but their argument. */
const functions: Readonly<Record<string, Foreign>> = {
  compress: (_, argument) => deflateSync(argument),
  uncompress: (_, argument) => {
    try {
      return inflateSync(argument, { maxOutputLength: mostInflated });
    } catch {
      return WasmResult.SerializationFailure;
    }
  },
  clear_route_cache: ({ effective }) => {
    effective?.changes(0);
    return EMPTY;
  },
};

export function foreignCalls(instance: WasmInstance): Record<string, HostCall> {
  return {
    proxy_call_foreign_function: (
      name: number,
      nameLength: number,
      data: number,
      length: number,
      outData: number,
      outLength: number,
    ) => {
      const called = instance.vm.text(name, nameLength, 'utf8');
      const argument = instance.vm.bytes(data, length);
      if (called === undefined || argument === undefined) return WasmResult.InvalidMemoryAccess;
      const foreign = Object.hasOwn(functions, called) ? functions[called] : undefined;
      if (foreign === undefined) return WasmResult.NotFound;
      const answer = foreign(instance, argument);
      return answer instanceof Uint8Array ? instance.vm.give(answer, outData, outLength) : answer;
    },
  };
}
