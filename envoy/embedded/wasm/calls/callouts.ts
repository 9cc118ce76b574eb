import { HeaderMap } from '../../header-map.ts';
import type { WasmInstance } from '../instance.ts';
import { decodePairs } from '../pairs.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';

/** Without these no request can be sent. */
const required = [':method', ':path', ':authority'];

/** `host` is `:authority` by another name; of a pseudo-header that comes twice the values are joined, as of others. */
function requestOf(pairs: Uint8Array): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of decodePairs(pairs)) headers.append(name === 'host' ? ':authority' : name, value);
  return headers;
}

export function calloutCalls(instance: WasmInstance): Record<string, HostCall> {
  const { client } = instance.surroundings;
  return {
    proxy_http_call: (
      uri: number,
      uriLength: number,
      headers: number,
      headersLength: number,
      body: number,
      bodyLength: number,
      trailers: number,
      trailersLength: number,
      timeout: number,
      outToken: number,
    ) => {
      const { vm, effective } = instance;
      const cluster = vm.text(uri, uriLength, 'utf8');
      const headerBytes = vm.bytes(headers, headersLength);
      const bodyBytes = vm.bytes(body, bodyLength);
      const trailerBytes = vm.bytes(trailers, trailersLength);
      if (cluster === undefined || headerBytes === undefined || bodyBytes === undefined || trailerBytes === undefined) {
        return WasmResult.InvalidMemoryAccess;
      }
      const request = requestOf(headerBytes);
      const root = effective?.root;
      if (root === undefined || (timeout | 0) < 0 || !client.hasCluster(cluster)) return WasmResult.BadArgument;
      if (required.some((name) => !request.has(name))) return WasmResult.BadArgument;
      if (bodyBytes.length > 0) request.set('content-length', String(bodyBytes.length));
      const token = instance.nextCalloutToken();
      const cancel = client.send(
        cluster,
        { headers: request, body: bodyBytes, trailers: new HeaderMap(decodePairs(trailerBytes)), timeout },
        (outcome) => {
          root.answered(token, outcome);
        },
      );
      if (cancel === undefined) return WasmResult.InternalFailure;
      root.callouts.set(token, cancel);
      return vm.writeU32(outToken, token) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess;
    },

    // gRPC services cannot be reached: the answer Envoy gives for a service that is not configured.
    proxy_grpc_call: () => WasmResult.ParseFailure,
    proxy_grpc_stream: () => WasmResult.ParseFailure,
    proxy_grpc_close: () => WasmResult.NotFound,
    proxy_grpc_cancel: () => WasmResult.NotFound,
    proxy_grpc_send: () => WasmResult.NotFound,
    envoy_resolve_dns: () => WasmResult.InternalFailure,
  };
}
