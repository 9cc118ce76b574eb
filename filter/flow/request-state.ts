import { QUOTE } from '../bytes/ascii';
import { Arena, make, scratch } from '../bytes/arena';
import { Span, after, first, length, NONE } from '../bytes/span';
import { newSplices } from '../bytes/splices';
import { newWriter, Writer } from '../bytes/writer';
import { textOf } from '../json/text';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { CallerText, openCallerText, TextKind } from '../session/caller-text';
import { Exchange } from './exchange';
import { refuseTooLarge } from './limits';
import { isByHeaders } from './stateless';

/**
 * `params.requestState` (MCP 2026-07-28, multi round-trip requests): what a server gave to a client that it asks for input,
 * and gets back with the same request. Clients get it sealed (response/replacements.ts); here the server gets its own back,
 * byte by byte. What is absent stays so, and the empty one is one.
 */

/** A state that is on its way in a body that was sent on before its end. */
@unmanaged
export class PassingState {
  /** What has come of it. */
  kept: Writer;
  /** Its end has come. */
  isDone: bool;
}

/** Whether a request may have one that has to be opened. */
function opensState(exchange: Exchange): bool {
  return exchange.gateway.sealsForCallers && exchange.message.era === Era.Stateless;
}

/** Whether a body that could go on before its end has to come whole: a state in it has to be put in place of another. */
export function waitsForState(exchange: Exchange): bool {
  if (!exchange.gateway.sealsForCallers || !isByHeaders(exchange)) return false;
  const envelope = exchange.message.envelope;
  return envelope.requestState !== 0 || envelope.hasOtherState || envelope.isInState;
}

/**
 * Whether a message of a client with a session brings none. Such a client was given no state: what it brings could be that of
 * another caller, or of its own making, to a server that takes it for one that it gave. If it does, `plan.reply` says so.
 */
export function bringsNoState(exchange: Exchange): bool {
  const envelope = exchange.message.envelope;
  if (exchange.message.era === Era.Stateless || !exchange.gateway.sealsForCallers) return true;
  return (envelope.requestState === 0 && !envelope.hasOtherState) || refuseState(exchange);
}

/** Puts the server's own state into the body that it gets. False: it is none, and `plan.reply` says so. */
export function restoreState(exchange: Exchange): bool {
  const message = exchange.message;
  const envelope = message.envelope;
  if (!message.whole || !opensState(exchange)) return true;
  if (envelope.requestState === 0) return !envelope.hasOtherState || refuseState(exchange);
  exchange.target.body = withOwnState(exchange, message.body, exchange.arena);
  return exchange.target.body !== NONE;
}

/** The body as its server gets it, name and state its own. NONE: the state is none, and `plan.reply` says so. */
function withOwnState(exchange: Exchange, body: Span, arena: Arena): Span {
  const envelope = exchange.message.envelope;
  const target = exchange.target;
  const at = envelope.requestState;
  const state = ownState(exchange, envelope.text(body, at));
  if (state === NONE) return NONE;
  const splices = newSplices(scratch);
  splices.add(target.cutFrom, target.cutTo, target.put);
  splices.add((at >> 32) as u32, at as u32, state);
  return splices.applied(body, arena);
}

/**
 * The beginning of a body that goes on before its end, as its server gets it. NONE: the state in it is none.
 * @param edited the same where there is no state in it
 */
export function beginningWithState(exchange: Exchange, body: Span, edited: Span): Span {
  const envelope = exchange.message.envelope;
  if (!opensState(exchange)) return edited;
  if (envelope.hasOtherState) return refusedState(exchange);
  if (envelope.requestState === 0) return edited;
  const state = newPassingState(exchange.arena);
  state.isDone = true;
  exchange.message.state = state;
  return withOwnState(exchange, body, scratch);
}

/**
 * What goes on of a part of a body that was sent on before its end: the part itself, but for a state. NONE: that is none,
 * or too long, and `plan.reply` says so.
 * @param part that was read last
 */
export function partWithState(exchange: Exchange, part: Span): Span {
  const message = exchange.message;
  const envelope = message.envelope;
  if (!opensState(exchange)) return part;
  if (envelope.hasOtherState) return refusedState(exchange);
  const begun = message.state;
  const from = (message.passed - (length(part) as u64)) as u32;
  if (envelope.isInState) {
    const state = begun === null ? newPassingState(exchange.arena) : begun;
    message.state = state;
    const before: u32 = begun === null ? envelope.stateFrom - from : 0;
    state.kept.bytes(after(part, before));
    const most = exchange.gateway.limits.heldBody;
    if ((state.kept.size as u32) <= most) return first(part, before);
    refuseTooLarge(exchange, state.kept.size as u64);
    return NONE;
  }
  if (envelope.requestState === 0 || (begun !== null && begun.isDone)) return part;
  const to = (envelope.requestState as u32) - from;
  const state = begun === null ? newPassingState(exchange.arena) : begun;
  message.state = state;
  state.isDone = true;
  const before: u32 = begun === null ? ((envelope.requestState >> 32) as u32) - from : 0;
  state.kept.bytes(after(first(part, to), before));
  const own = ownState(exchange, state.kept.written);
  if (own === NONE) return NONE;
  return newWriter(scratch, (length(part) + length(own)) as usize)
    .bytes(first(part, before))
    .bytes(own)
    .bytes(after(part, to)).written;
}

/** Bytes of a body that were sent on that are kept here. */
export function keptOfState(exchange: Exchange): u32 {
  const state = exchange.message.state;
  return state === null || state.isDone ? 0 : (state.kept.size as u32);
}

/** The server's state, a token. NONE: it is none. @param token as the client sends it */
function ownState(exchange: Exchange, token: Span): Span {
  const server = exchange.target.server;
  const characters = textOf(token, scratch);
  const keys = exchange.gateway.keys;
  const audience = exchange.caller.audience;
  const text: CallerText | null =
    characters === NONE ? null : openCallerText(TextKind.RequestState, keys, audience, characters, scratch);
  if (text === null || !text.isOf(server.fingerprint)) return refusedState(exchange);
  return newWriter(scratch, (length(text.original) as usize) + 2)
    .byte(QUOTE)
    .bytes(text.original)
    .byte(QUOTE).written;
}

function refusedState(exchange: Exchange): Span {
  refuseState(exchange);
  return NONE;
}

function refuseState(exchange: Exchange): bool {
  exchange.refuse(Reason.BadRequestState, NONE, exchange.target.server.name);
  return false;
}

function newPassingState(arena: Arena): PassingState {
  const state = make<PassingState>(arena);
  state.kept = newWriter(arena, 0);
  return state;
}
