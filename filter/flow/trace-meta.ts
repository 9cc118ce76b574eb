import { CLOSING_BRACE, COLON, COMMA, QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { valuesIn } from '../bytes/pairs';
import { hasRoom } from '../bytes/room';
import { Span, equals, length, literal, pointer, NONE } from '../bytes/span';
import { newSplices } from '../bytes/splices';
import { newWriter, Writer } from '../bytes/writer';
import { Kind, kindOf, member, strip, walkThrough } from '../json/reader';
import { writeEscaped } from '../json/text';
import { Shape } from '../mcp/shape';
import { BAGGAGE, traceList, TRACEPARENT, TRACESTATE } from '../mcp/trace-context';
import { Exchange } from './exchange';
import { saidParent } from './trace-context';

/**
 * What the headers of a request say of its trace, as members of its message, where `headers.traceToMeta` asks for that: a
 * server that gets messages alone, as behind a bridge to stdio, is in the same trace then. What `_meta` says of it by itself
 * stays, and so does every other byte.
 */
const PARAMS = literal('params');
const META = literal('_meta');
const META_OPEN = literal('"_meta":{');
/** Bytes that frame the members: three names, their quotes, and an object around them. */
const FRAME: usize = 96;

/** Whether the body of a request is to be held for that, as far as it may be. */
export function waitsForTrace(exchange: Exchange): bool {
  if (!exchange.gateway.traceToMeta || exchange.isResponse) return false;
  const headers = exchange.request.received;
  return saidParent(headers, scratch) !== NONE || traceList(valuesIn(headers, BAGGAGE, scratch)) !== NONE;
}

/** Makes the body that the server gets, where something is to be added. All edits that come before it are in it. */
export function putTraceInMeta(exchange: Exchange): void {
  const message = exchange.message;
  if (!exchange.gateway.traceToMeta || !message.whole || message.isPutBack) return;
  // In how few parts a body comes must not decide what its server gets.
  if (message.envelope.shape !== Shape.Request || message.size > exchange.gateway.limits.heldBody) return;
  const target = exchange.target;
  const isMade = target.replacesBody;
  const body = isMade ? target.body : message.body;
  const params = isMade ? member(strip(body), PARAMS, scratch) : message.envelope.text(body, message.envelope.params);
  if (params === NONE || kindOf(params) !== Kind.Object) return;
  const meta = member(params, META, scratch);
  if (meta !== NONE && kindOf(meta) !== Kind.Object) return;
  const text = addition(exchange, params, meta);
  if (text === NONE || !hasRoom(((length(body) + length(text)) as u64) * 2)) return;
  const at = (pointer(meta === NONE ? params : meta) - pointer(body)) as u32;
  const splices = newSplices(scratch);
  splices.add(at + 1, at + 1, text);
  if (!isMade) splices.add(target.cutFrom, target.cutTo, target.put);
  target.body = splices.applied(body, exchange.arena);
}

/** What comes behind the brace that opens `meta`, or `params` where that has none. NONE: nothing. */
function addition(exchange: Exchange, params: Span, meta: Span): Span {
  const headers = exchange.request.received;
  const baggage = has(meta, BAGGAGE) ? NONE : traceList(valuesIn(headers, BAGGAGE, scratch));
  // A `tracestate` belongs to the `traceparent` beside it: one of the message must not get that of the headers.
  const isSaid = has(meta, TRACEPARENT) || has(meta, TRACESTATE);
  const parent: Span = isSaid ? NONE : saidParent(headers, scratch);
  const state = parent === NONE ? NONE : traceList(valuesIn(headers, TRACESTATE, scratch));
  if (parent === NONE && baggage === NONE) return NONE;
  // Each byte may need one that escapes it.
  const size = ((length(parent) + length(state) + length(baggage)) as usize) * 2;
  const out = newWriter(scratch, FRAME + size);
  if (meta === NONE) out.bytes(META_OPEN);
  const from = out.size;
  write(out, from, TRACEPARENT, parent);
  write(out, from, TRACESTATE, state);
  write(out, from, BAGGAGE, baggage);
  if (meta === NONE) out.byte(CLOSING_BRACE);
  return (walkThrough(meta === NONE ? params : meta, scratch).next() ? out.byte(COMMA) : out).written;
}

function has(meta: Span, name: Span): bool {
  if (meta === NONE) return false;
  for (const walk = walkThrough(meta, scratch); walk.next();) if (equals(walk.key(scratch), name)) return true;
  return false;
}

/** @param from where the first member stands. @param text NONE: there is no such member */
function write(out: Writer, from: i32, name: Span, text: Span): void {
  if (text === NONE) return;
  if (out.size > from) out.byte(COMMA);
  out.byte(QUOTE).bytes(name).byte(QUOTE).byte(COLON).byte(QUOTE);
  writeEscaped(out, text);
  out.byte(QUOTE);
}
