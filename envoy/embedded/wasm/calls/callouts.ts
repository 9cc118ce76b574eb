import { HeaderMap } from '../../header-map.ts';
import type { WasmInstance } from '../instance.ts';
import { decodePairs } from '../pairs.ts';
import { Result } from '../result.ts';
import type { HostFunction } from '../vm.ts';

/** Without these no request can be sent. */
const required = [':method', ':path', ':authority'];

export function calloutCalls(instance: WasmInstance): Record<string, HostFunction> {
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
      const cluster = vm.readText(uri, uriLength, 'utf8');
      const headerBytes = vm.read(headers, headersLength);
      const bodyBytes = vm.read(body, bodyLength);
      const trailerBytes = vm.read(trailers, trailersLength);
      if (cluster === undefined || headerBytes === undefined || bodyBytes === undefined || trailerBytes === undefined) {
        return Result.InvalidMemoryAccess;
      }
      const request = new HeaderMap(decodePairs(headerBytes));
      const root = effective?.root;
      if (root === undefined || (timeout | 0) < 0 || !client.hasCluster(cluster)) return Result.BadArgument;
      if (required.some((name) => !request.has(name))) return Result.BadArgument;
      if (bodyBytes.length > 0) request.set('content-length', String(bodyBytes.length));
      const token = instance.nextCalloutToken();
      const cancel = client.send(
        cluster,
        { headers: request, body: bodyBytes, trailers: new HeaderMap(decodePairs(trailerBytes)), timeout },
        (outcome) => {
          root.answered(token, outcome);
        },
      );
      if (cancel === undefined) return Result.InternalFailure;
      root.callouts.set(token, cancel);
      return vm.writeU32(outToken, token) ? Result.Ok : Result.InvalidMemoryAccess;
    },

    // gRPC services cannot be reached: the answer Envoy gives for a service that is not configured.
    proxy_grpc_call: () => Result.ParseFailure,
    proxy_grpc_stream: () => Result.ParseFailure,
    proxy_grpc_close: () => Result.NotFound,
    proxy_grpc_cancel: () => Result.NotFound,
    proxy_grpc_send: () => Result.NotFound,
    envoy_resolve_dns: () => Result.InternalFailure,
  };
}
