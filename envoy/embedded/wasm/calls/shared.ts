import type { WasmInstance } from '../instance.ts';
import { Result } from '../result.ts';
import type { HostFunction } from '../vm.ts';

export function sharedCalls(instance: WasmInstance): Record<string, HostFunction> {
  const { shared } = instance.surroundings;
  const text = (pointer: number, length: number): string | undefined => instance.vm.readText(pointer, length);
  return {
    proxy_get_shared_data: (key: number, length: number, outData: number, outLength: number, outCas: number) => {
      const name = text(key, length);
      if (name === undefined) return Result.InvalidMemoryAccess;
      const found = shared.get(instance.vmId, name);
      if (found === undefined) return Result.NotFound;
      const given = instance.vm.give(found.bytes, outData, outLength);
      if (given !== Result.Ok) return given;
      return instance.vm.writeU32(outCas, found.cas) ? Result.Ok : Result.InvalidMemoryAccess;
    },

    proxy_set_shared_data: (key: number, length: number, data: number, size: number, cas: number) => {
      const name = text(key, length);
      const bytes = instance.vm.read(data, size);
      if (name === undefined || bytes === undefined) return Result.InvalidMemoryAccess;
      return shared.set(instance.vmId, name, bytes, cas >>> 0) ? Result.Ok : Result.CasMismatch;
    },

    proxy_register_shared_queue: (queue: number, length: number, out: number) => {
      const name = text(queue, length);
      const root = instance.effective?.root;
      if (name === undefined || root === undefined) return Result.InvalidMemoryAccess;
      const token = shared.register(instance.vmId, name, () => {
        instance.queueReady(root, token);
      });
      return instance.vm.writeU32(out, token) ? Result.Ok : Result.InvalidMemoryAccess;
    },

    proxy_resolve_shared_queue: (vm: number, vmLength: number, queue: number, length: number, out: number) => {
      const vmId = text(vm, vmLength);
      const name = text(queue, length);
      if (vmId === undefined || name === undefined) return Result.InvalidMemoryAccess;
      const token = shared.resolve(vmId, name);
      if (token === undefined) return Result.NotFound;
      return instance.vm.writeU32(out, token) ? Result.Ok : Result.InvalidMemoryAccess;
    },

    proxy_enqueue_shared_queue: (token: number, data: number, size: number) => {
      const bytes = instance.vm.read(data, size);
      if (bytes === undefined) return Result.InvalidMemoryAccess;
      const queue = shared.queue(token);
      if (queue === undefined) return Result.NotFound;
      queue.items.push(bytes);
      queue.notify();
      return Result.Ok;
    },

    proxy_dequeue_shared_queue: (token: number, outData: number, outLength: number) => {
      const queue = shared.queue(token);
      if (queue === undefined) return Result.NotFound;
      const item = queue.items.shift();
      return item === undefined ? Result.Empty : instance.vm.give(item, outData, outLength);
    },
  };
}
