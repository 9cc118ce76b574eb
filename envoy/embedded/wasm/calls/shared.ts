import type { WasmInstance } from '../instance.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';

export function sharedCalls(instance: WasmInstance): Record<string, HostCall> {
  const { shared } = instance.surroundings;
  const text = (pointer: number, length: number): string | undefined => instance.vm.text(pointer, length);
  return {
    proxy_get_shared_data: (key: number, length: number, outData: number, outLength: number, outCas: number) => {
      const name = text(key, length);
      if (name === undefined) return WasmResult.InvalidMemoryAccess;
      const found = shared.get(instance.vmId, name);
      if (found === undefined) return WasmResult.NotFound;
      const given = instance.vm.give(found.bytes, outData, outLength);
      if (given !== WasmResult.Ok) return given;
      return instance.vm.writeU32(outCas, found.cas) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
    },

    proxy_set_shared_data: (key: number, length: number, data: number, size: number, cas: number) => {
      const name = text(key, length);
      const bytes = instance.vm.bytes(data, size);
      if (name === undefined || bytes === undefined) return WasmResult.InvalidMemoryAccess;
      return shared.set(instance.vmId, name, bytes, cas >>> 0) ? WasmResult.Ok : WasmResult.CasMismatch;
    },

    proxy_register_shared_queue: (queue: number, length: number, out: number) => {
      const name = text(queue, length);
      const root = instance.effective?.root;
      if (name === undefined || root === undefined) return WasmResult.InvalidMemoryAccess;
      const token = shared.register(instance.vmId, name, () => {
        instance.queueReady(root, token);
      });
      return instance.vm.writeU32(out, token) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
    },

    proxy_resolve_shared_queue: (vm: number, vmLength: number, queue: number, length: number, out: number) => {
      const vmId = text(vm, vmLength);
      const name = text(queue, length);
      if (vmId === undefined || name === undefined) return WasmResult.InvalidMemoryAccess;
      const token = shared.resolve(vmId, name);
      if (token === undefined) return WasmResult.NotFound;
      return instance.vm.writeU32(out, token) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
    },

    proxy_enqueue_shared_queue: (token: number, data: number, size: number) => {
      const bytes = instance.vm.bytes(data, size);
      if (bytes === undefined) return WasmResult.InvalidMemoryAccess;
      const queue = shared.queue(token);
      if (queue === undefined) return WasmResult.NotFound;
      queue.items.push(bytes);
      queue.notify();
      return WasmResult.Ok;
    },

    proxy_dequeue_shared_queue: (token: number, outData: number, outLength: number) => {
      const queue = shared.queue(token);
      if (queue === undefined) return WasmResult.NotFound;
      const item = queue.items.shift();
      return item === undefined ? WasmResult.Empty : instance.vm.give(item, outData, outLength);
    },
  };
}
