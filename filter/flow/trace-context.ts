import { Arena } from '../bytes/arena';
import { editedPairs, headerIn, HeaderList, newHeaderList, readPairs } from '../bytes/pairs';
import { Span, equals, length, NONE } from '../bytes/span';
import { textOf } from '../json/text';
import { Range } from '../mcp/envelope';
import { BAGGAGE, isTraceparent, traceList, TRACEPARENT, TRACESTATE } from '../mcp/trace-context';
import { Exchange } from './exchange';

/**
 * A client that says its trace in `params._meta` alone, as MCP has it, says it to servers in headers as well: what reads
 * HTTP only, a mesh or a REST service, is in the same trace then, and so are the messages that the gateway sends for the
 * request. A valid `traceparent` of the client's headers stays as it came, whatever `_meta` says; `_meta` always stays.
 */
export function joinTrace(exchange: Exchange): void {
  const request = exchange.request;
  // Another message of the same batch has its own.
  if (exchange.trace !== null) request.pairs = request.received;
  exchange.trace = null;
  const envelope = exchange.message.envelope;
  if ((envelope.traceparent | envelope.baggage) === 0) return;
  const edits = newHeaderList(exchange.arena);
  const parent = noted(exchange, envelope.traceparent);
  if (parent !== NONE && isTraceparent(parent) && saidParent(request.pairs, exchange.arena) === NONE) {
    // `tracestate` belongs to one `traceparent`: that of the headers goes.
    edits.add(TRACEPARENT, parent).add(TRACESTATE, traceList(noted(exchange, envelope.tracestate)));
  }
  const baggage = traceList(noted(exchange, envelope.baggage));
  if (baggage !== NONE && headerIn(request.pairs, BAGGAGE, exchange.arena) === NONE) edits.add(BAGGAGE, baggage);
  if (edits.count === 0) return;
  exchange.trace = edits;
  request.pairs = editedPairs(request.pairs, edits, exchange.arena).packedIn(exchange.arena);
}

/** Its text, where that is among the bytes that are held; else NONE. It lies in the arena of the stream. */
function noted(exchange: Exchange, at: Range): Span {
  const body = exchange.message.body;
  if (at === 0 || (at as u32) > (length(body) as u32)) return NONE;
  const text = textOf(exchange.message.envelope.text(body, at), exchange.arena);
  return text === NONE ? NONE : exchange.arena.copy(text);
}

/** The `traceparent` of headers, or NONE: it is not valid, or there are two, which say none (W3C Trace Context §3.2). */
export function saidParent(headers: Span, arena: Arena): Span {
  let parent = NONE;
  let count = 0;
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    if (!equals(pairs.name, TRACEPARENT)) continue;
    count++;
    parent = pairs.value;
  }
  return count === 1 && isTraceparent(parent) ? parent : NONE;
}

/** The edits that put it into the headers of the client's own request. */
export function addTrace(edits: HeaderList, exchange: Exchange): void {
  const trace = exchange.trace;
  if (trace === null) return;
  for (let i: u32 = 0; i < trace.count; i++) {
    const name = trace.nameAt(i);
    if (trace.valueAt(i) !== NONE || headerIn(exchange.request.received, name, exchange.arena) !== NONE) {
      edits.add(name, trace.valueAt(i));
    }
  }
}
