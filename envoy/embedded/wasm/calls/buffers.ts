import { BodyBuffer } from '../../body-buffer.ts';
import { BufferType, bufferTypes } from '../../../../proxy-wasm/types.ts';
import type { WasmInstance } from '../instance.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';

const EMPTY = new Uint8Array(0);

/** Outside of their callbacks these read as empty; all others are not found. */
const bodies: ReadonlySet<number> = new Set([BufferType.RequestBody, BufferType.ResponseBody]);

export function bufferCalls(instance: WasmInstance): Record<string, HostCall> {
  const find = (type: number): BodyBuffer | Uint8Array | undefined =>
    instance.effective?.buffer(type) ?? (bodies.has(type) ? EMPTY : undefined);

  const get = (type: number, start: number, length: number, outData: number, outLength: number): WasmResult => {
    if (type >>> 0 >= bufferTypes) return WasmResult.BadArgument;
    const buffer = find(type);
    if (buffer === undefined) return WasmResult.NotFound;
    const from = start >>> 0;
    const size = Math.min(length >>> 0, Math.max(0, buffer.length - from));
    if (!(buffer instanceof BodyBuffer))
      return instance.vm.give(buffer.subarray(from, from + size), outData, outLength);
    return instance.vm.giveWritten(
      size,
      (target, at) => {
        buffer.copyTo(target, at, from, size);
      },
      outData,
      outLength,
    );
  };

  return {
    proxy_get_buffer_bytes: get,

    proxy_get_buffer_status: (type: number, outLength: number, outFlags: number) => {
      if (type >>> 0 >= bufferTypes) return WasmResult.BadArgument;
      const buffer = find(type);
      if (buffer === undefined) return WasmResult.NotFound;
      const written = instance.vm.writeU32(outLength, buffer.length) && instance.vm.writeU32(outFlags, 0);
      return written ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
    },

    proxy_set_buffer_bytes: (type: number, start: number, length: number, data: number, size: number) => {
      if (type >>> 0 >= bufferTypes) return WasmResult.BadArgument;
      const context = instance.effective;
      const buffer = context?.buffer(type);
      const bytes = instance.vm.bytes(data, size);
      if (bytes === undefined) return WasmResult.InvalidMemoryAccess;
      if (buffer === undefined && !bodies.has(type)) return WasmResult.NotFound;
      if (!(buffer instanceof BodyBuffer)) return WasmResult.BadArgument;
      const result = replace(buffer, start >>> 0, length >>> 0, bytes);
      if (result === WasmResult.Ok) context?.written(type);
      return result;
    },

    // ABI 0.1.0
    proxy_get_configuration: (outData: number, outLength: number) =>
      get(BufferType.PluginConfiguration, 0, 0xffffffff, outData, outLength),
  };
}

/** At the front any number of bytes is replaced, behind the end there is only adding. (envoy: Buffer::copyFrom) */
function replace(buffer: BodyBuffer, start: number, length: number, bytes: Uint8Array): WasmResult {
  if (start === 0) {
    buffer.drain(length);
    buffer.prepend(bytes);
    return WasmResult.Ok;
  }
  if (start < buffer.length) return WasmResult.BadArgument;
  buffer.append(bytes);
  return WasmResult.Ok;
}
