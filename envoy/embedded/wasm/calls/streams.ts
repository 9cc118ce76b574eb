import { HeaderMap } from '../../header-map.ts';
import type { WasmInstance } from '../instance.ts';
import { decodePairs } from '../pairs.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';

const highestGrpcStatus = 16;
/** The VM's own, which no plugin is in. */
const vmContext = 0;

export function streamCalls(instance: WasmInstance): Record<string, HostCall> {
  const resume = (type: number): WasmResult => instance.effective?.continueStream(type) ?? WasmResult.BadArgument;
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
      const detailsText = vm.text(details, detailsLength);
      const bodyBytes = vm.bytes(body, bodyLength);
      const headerBytes = vm.bytes(headers, headersLength);
      if (detailsText === undefined || bodyBytes === undefined || headerBytes === undefined) {
        return WasmResult.InvalidMemoryAccess;
      }
      effective?.sendLocalReply({
        status,
        body: bodyBytes,
        headers: new HeaderMap(decodePairs(headerBytes)),
        details: detailsText.replace(/\s/g, '_'),
        ...(grpcStatus >= 0 && grpcStatus <= highestGrpcStatus ? { grpcStatus } : {}),
      });
      return WasmResult.Ok;
    },

    proxy_continue_stream: resume,
    proxy_close_stream: (type: number) => instance.effective?.closeStream(type) ?? WasmResult.BadArgument,

    proxy_set_effective_context: (id: number) => {
      if (id !== vmContext && instance.context(id) === undefined) return WasmResult.BadArgument;
      instance.vm.setEffective(id);
      return WasmResult.Ok;
    },

    // For a plugin that said on_done = 0, and is done now.
    proxy_done: () => {
      const root = instance.effective?.root;
      if (!root?.isParked) return WasmResult.NotFound;
      instance.vm.afterCall(() => {
        root.end();
      });
      return WasmResult.Ok;
    },

    // ABI 0.1.0
    proxy_continue_request: () => resume(0),
    proxy_continue_response: () => resume(1),
    proxy_clear_route_cache: () => {
      instance.effective?.changes(0);
      return WasmResult.Ok;
    },
  };
}
