import { BodyBuffer } from '../body-buffer.ts';
import type { LocalReply } from '../filter.ts';
import { HeaderMap } from '../header-map.ts';

const grpcContentType = 'application/grpc';
const grpcUnknown = 2;
/** HTTP status → gRPC status. (envoy: grpc/status.cc) */
const grpcStatusOf: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};

/** The response that a local reply is. (envoy: http/utility.cc prepareLocalReply) */
export function responseOf(
  reply: LocalReply,
  request: { readonly headers: HeaderMap },
): { readonly headers: HeaderMap; readonly body: BodyBuffer } {
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  const headers = new HeaderMap([[':status', String(reply.status)]]);
  for (const [name, value] of reply.headers ?? []) headers.add(name, value);
  if (request.headers.get('content-type')?.startsWith(grpcContentType) === true) {
    return trailersOnly(reply, headers, body);
  }
  if (body.length === 0) {
    headers.remove('content-type');
    headers.remove('content-length');
    return { headers, body: new BodyBuffer() };
  }
  headers.set('content-length', String(body.length));
  if (!headers.has('content-type')) headers.set('content-type', 'text/plain');
  // RFC 9110 §9.3.2: a response to HEAD has no body, and the length that it would have.
  return { headers, body: request.headers.get(':method') === 'HEAD' ? new BodyBuffer() : new BodyBuffer(body) };
}

function trailersOnly(
  reply: LocalReply,
  headers: HeaderMap,
  body: Uint8Array,
): { headers: HeaderMap; body: BodyBuffer } {
  headers.set(':status', '200');
  headers.set('content-type', grpcContentType);
  headers.remove('content-length');
  headers.set('grpc-status', String(reply.grpcStatus ?? grpcStatusOf[reply.status] ?? grpcUnknown));
  if (body.length > 0) headers.set('grpc-message', encodeURIComponent(Buffer.from(body).toString('utf8')));
  return { headers, body: new BodyBuffer() };
}
