import { QUOTE } from '../bytes/ascii';
import { Span, after, equals, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { writeEscaped } from '../json/text';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { isHostAllowed } from '../policy/host';
import { refuseMethod } from './access';
import { Exchange, Outcome } from './exchange';
import { originOf } from './metadata-url';

const ALLOWED = literal('GET, HEAD, OPTIONS');
const RESOURCE = literal('{"resource":"');
const CLOSE = literal('}');
const ALLOW_ORIGIN = literal('access-control-allow-origin');
const ALLOW_METHODS = literal('access-control-allow-methods');
const ALLOW_HEADERS = literal('access-control-allow-headers');
const ANY = literal('*');
const GET = literal('GET');
const HEAD = literal('HEAD');

/** Answers with the document. @param behind see `behindMetadata` */
export function describeResource(exchange: Exchange, behind: Span): Outcome {
  const gateway = exchange.gateway;
  const request = exchange.request;
  if (!isHostAllowed(gateway.hosts, request.authority, exchange.caller.reach)) {
    return exchange.refuse(Reason.HostForbidden, request.authority);
  }
  const isAsked = equals(request.method, header.OPTIONS);
  if (!isAsked && !equals(request.method, GET) && !equals(request.method, HEAD)) {
    return refuseMethod(exchange, ALLOWED);
  }
  if (length(behind) > 0 && gateway.virtualServer(after(behind, 1)) === null) {
    return exchange.refuse(Reason.UnknownVirtualServer, after(behind, 1));
  }
  const origin = originOf(exchange);
  if (origin === NONE) return exchange.refuse(Reason.HostForbidden, request.authority);
  const outcome = isAsked ? exchange.answer(204, NONE) : exchange.answer(200, documentOf(exchange, origin, behind));
  // It is no secret, and a page that looks for it has no token yet. It may not be answered by origin: caches keep it.
  exchange.plan.reply.headers.add(ALLOW_ORIGIN, ANY);
  if (isAsked) exchange.plan.reply.headers.add(ALLOW_METHODS, ALLOWED).add(ALLOW_HEADERS, header.PROTOCOL_VERSION);
  return outcome;
}

function documentOf(exchange: Exchange, origin: Span, behind: Span): Span {
  const gateway = exchange.gateway;
  const resource = gateway.resource!;
  const writer = newWriter(exchange.arena, 512).bytes(RESOURCE);
  if (resource.identifier !== NONE) writeEscaped(writer, resource.identifier);
  else {
    writeEscaped(writer, origin);
    writer.bytes(gateway.endpoint);
  }
  return writer.bytes(behind).byte(QUOTE).bytes(resource.members).bytes(CLOSE).written;
}
