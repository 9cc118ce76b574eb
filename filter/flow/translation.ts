import { CLOSING_BRACE, COLON, COMMA, OPENING_BRACE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, after, first, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Kind, kindOf, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { Era, eraOf } from '../mcp/eras';
import { isOfStatelessMeta } from '../mcp/request-meta';
import { Upstream } from '../session/token';
import { requestMeta } from '../upstream/stateless-message';
import { OUR_INFO } from '../version';
import { Exchange } from './exchange';

/**
 * A client's request, for a server of the other era: what differs is what the request says of itself in `params._meta`.
 * All other bytes stay as they are. It is made of the whole message, so one that is too large to be held is refused.
 */
const META = literal('_meta');
const META_OPEN = literal('"_meta":');
const NO_CAPABILITIES = literal('{}');
const EMPTY_OBJECT = literal('{}');

/** Whether the server is of another era than the client. */
export function crosses(exchange: Exchange, upstream: Upstream): bool {
  return exchange.target.tool === null && eraOf(upstream.revision) !== exchange.message.era;
}

/** Makes the body that the server gets. */
export function translate(exchange: Exchange): void {
  const message = exchange.message;
  const target = exchange.target;
  const body = message.body;
  const params = message.envelope.text(body, message.envelope.params);
  const meta = member(params, META, scratch);
  const isFromStateless = message.era === Era.Stateless;
  const text = isFromStateless ? withoutClaim(meta) : claiming(params, meta);
  // Of `params` that has no `_meta` the first member is pushed back.
  const from = (meta === NONE ? pointer(params) + 1 : pointer(meta)) - pointer(body);
  const to = meta === NONE ? from : from + (length(meta) as usize);
  const out = newWriter(exchange.arena, (length(body) + length(text) + length(target.put)) as usize);
  if ((from as u32) < target.cutFrom) {
    writePart(out, body, 0, from as u32).bytes(text);
    writePart(out, body, to as u32, target.cutFrom).bytes(target.put);
    target.body = out.bytes(after(body, target.cutTo)).written;
  } else {
    writePart(out, body, 0, target.cutFrom).bytes(target.put);
    writePart(out, body, target.cutTo, from as u32).bytes(text);
    target.body = out.bytes(after(body, to as u32)).written;
  }
}

function writePart(out: Writer, body: Span, from: u32, to: u32): Writer {
  return out.bytes(after(first(body, to), from));
}

/** `_meta` without what the era with sessions does not have: a server of both would take it for a request of the other. */
function withoutClaim(meta: Span): Span {
  if (meta === NONE || kindOf(meta) !== Kind.Object) return EMPTY_OBJECT;
  const out = newWriter(scratch, length(meta) as usize).byte(OPENING_BRACE);
  for (const walk = walkThrough(meta, scratch); walk.next();) {
    const name = textOf(walk.name, scratch);
    if (name !== NONE && isOfStatelessMeta(name)) continue;
    if (out.size > 1) out.byte(COMMA);
    out.bytes(walk.name).byte(COLON).bytes(walk.value);
  }
  return out.byte(CLOSING_BRACE).written;
}

/** `_meta` with it. What a server could ask of a client that has a session does not come across, so there is nothing. */
function claiming(params: Span, meta: Span): Span {
  const claim = requestMeta(NO_CAPABILITIES, OUR_INFO, scratch);
  const isObject = meta !== NONE && kindOf(meta) === Kind.Object;
  const out = newWriter(scratch, ((length(claim) + length(meta)) as usize) + 16);
  if (meta === NONE) {
    out.bytes(META_OPEN).bytes(claim);
    return (walkThrough(params, scratch).next() ? out.byte(COMMA) : out).written;
  }
  if (!isObject || !walkThrough(meta, scratch).next()) return claim;
  return out
    .bytes(first(claim, (length(claim) - 1) as u32))
    .byte(COMMA)
    .bytes(after(meta, 1)).written;
}
