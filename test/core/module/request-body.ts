import { Closing } from '../../../filter/body/closing';
import { KeptBody } from '../../../filter/body/kept-body';
import { make, newArena, scratch } from '../../../filter/bytes/arena';
import { newWriter } from '../../../filter/bytes/writer';
import { literal, Span, span } from '../../../filter/bytes/span';
import { enterByHeaders, passBeginning } from '../../../filter/flow/by-headers';
import { Probe } from '../../../filter/flow/conversation';
import { enter, release } from '../../../filter/flow/dispatch';
import { Exchange, Outcome } from '../../../filter/flow/exchange';
import { mayEnd, passPart } from '../../../filter/flow/passing';
import { afterPart, Next } from '../../../filter/flow/reading';
import * as header from '../../../filter/mcp/headers';
import { opened, postHeaders, sessionHeaders } from './exchange';

/** A request whose body comes in parts: what comes next with it, and what goes on of it. */
const STATELESS = literal('2026-07-28');
const TOOLS_CALL = literal('tools/call');
const arena = newArena(256);
let exchange: Exchange = changetype<Exchange>(0);
let kept: KeptBody = make<KeptBody>(arena);
let closing: Closing = make<Closing>(arena);

function begin(): void {
  kept.release();
  arena.reset();
  kept = make<KeptBody>(arena);
  closing = make<Closing>(arena);
}

/** Begins a POST in the session. @param size what its headers say of the body; negative: nothing */
export function requestOpen(size: i32): void {
  begin();
  const headers = sessionHeaders();
  if (size >= 0) headers.add(header.CONTENT_LENGTH, newWriter(arena, 16).decimal(size as u64).written);
  exchange = opened(headers);
  enter(exchange, span(0, 0), false);
}

/** Begins a call that its headers decide. */
export function requestOpenByHeaders(name: usize, count: u32): Outcome {
  begin();
  const headers = postHeaders()
    .add(header.PROTOCOL_VERSION, STATELESS)
    .add(header.MCP_METHOD, TOOLS_CALL)
    .add(header.MCP_NAME, arena.copy(span(name, count)));
  exchange = opened(headers);
  return enterByHeaders(exchange, span(0, 0), false);
}

/** Reads a part while nothing is decided. */
export function requestRead(part: usize, count: u32, ended: bool, isHeldAhead: bool): Next {
  const envelope = exchange.message.envelope;
  const wasClosed = envelope.isClosed;
  envelope.read(span(part, count));
  kept.take(span(part, count), true, arena);
  return afterPart(exchange, kept.read, wasClosed, ended, isHeldAhead);
}

/** A session is being made sure of. */
export function requestProbe(): void {
  exchange.conversation.probe = Probe.UnderWay;
}

export function requestIsProbed(): bool {
  return exchange.conversation.probe === Probe.Done;
}

export function requestRelease(): Outcome {
  exchange.message.takeBeginning(kept.bytes);
  return release(exchange);
}

/** What goes on of a part; NONE: it is cut off. */
export function requestPass(part: usize, count: u32, ended: bool): Span {
  scratch.reset();
  return passPart(exchange, closing, span(part, count), ended);
}

/** The same where its headers have decided: until the name has come, see `requestIsNamed`. */
export function requestPassBeginning(part: usize, count: u32, ended: bool): Span {
  scratch.reset();
  exchange.message.envelope.read(span(part, count));
  kept.take(span(part, count), true, arena);
  return passBeginning(exchange, kept, closing, span(part, count), ended);
}

export function requestIsNamed(): bool {
  return exchange.message.isNamed;
}

export function requestMayEnd(): bool {
  return mayEnd(exchange, closing);
}
