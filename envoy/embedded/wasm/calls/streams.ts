import { HeaderMap } from '../../header-map.ts';
import type { WasmInstance } from '../instance.ts';
import { decodePairs } from '../pairs.ts';
import { Result } from '../result.ts';
import type { HostFunction } from '../vm.ts';

const highestGrpcStatus = 16;

export function streamCalls(instance: WasmInstance): Record<string, HostFunction> {
  const resume = (type: number): Result => instance.effective?.continueStream(type) ?? Result.BadArgument;
  return {
    proxy_send_local_response: (
      status: number,
      details: number,
      detailsLength: number,
      body: number,
      bodyLength: number,
      headers: number,
      headersLength: number,
      grpcStatus: number,
    ) => {
      const { vm, effective } = instance;
      const detailsText = vm.readText(details, detailsLength);
      const bodyBytes = vm.read(body, bodyLength);
      const headerBytes = vm.read(headers, headersLength);
      if (detailsText === undefined || bodyBytes === undefined || headerBytes === undefined) {
        return Result.InvalidMemoryAccess;
      }
      effective?.sendLocalReply({
        status,
        body: bodyBytes,
        headers: new HeaderMap(decodePairs(headerBytes)),
        details: detailsText.replace(/\s/g, '_'),
        ...(grpcStatus >= 0 && grpcStatus <= highestGrpcStatus ? { grpcStatus } : {}),
      });
      return Result.Ok;
    },

    proxy_continue_stream: resume,
    proxy_close_stream: (type: number) => instance.effective?.closeStream(type) ?? Result.BadArgument,

    proxy_set_effective_context: (id: number) => {
      if (instance.context(id) === undefined) return Result.BadArgument;
      instance.vm.effective = id;
      return Result.Ok;
    },

    // For a plugin that said on_done = 0, and is done now.
    proxy_done: () => {
      const root = instance.effective?.root;
      if (!root?.isParked) return Result.NotFound;
      instance.vm.afterCall(() => {
        root.end();
      });
      return Result.Ok;
    },

    // ABI 0.1.0
    proxy_continue_request: () => resume(0),
    proxy_continue_response: () => resume(1),
    proxy_clear_route_cache: () => {
      instance.effective?.changes(0);
      return Result.Ok;
    },
  };
}
