import { QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { textOf, writeEscaped } from '../json/text';
import { Reason } from '../mcp/errors';
import { textOfHeader } from '../mcp/header-text';
import { Method, methodRow, methodText } from '../mcp/methods';
import { CLIENT_CAPABILITIES_KEY, PROTOCOL_VERSION_KEY } from '../mcp/request-meta';
import { STATELESS, STATELESS_JSON } from '../mcp/revisions';
import { Shape } from '../mcp/shape';
import { requestSession } from '../session/request-session';
import { refuseVersion } from './access';
import { Exchange, Outcome } from './exchange';
import { mayShare } from './sharing';
import { mayPass } from './unknown-method';

/**
 * Requests of the era without sessions (MCP 2026-07-28): each says of itself what it speaks, in its body and once more in
 * its headers. Who reads the body has to hold the two against each other (MCP, HTTP headers): a server that goes by the
 * one would run what was decided on by the other.
 */
const NO_METHOD = literal('there is not exactly one Mcp-Method');
const NO_NAME = literal('there is not exactly one Mcp-Name');
const BAD_NAME = literal('Mcp-Name is in none of its two forms');
const OTHER_METHOD = literal('Mcp-Method');
const OTHER_NAME = literal('Mcp-Name');
const OTHER_VERSION = literal('MCP-Protocol-Version');
const NULL = literal('null');

/** By the whole message. The order of the checks is that of what a client must mend first. */
export function admitStateless(exchange: Exchange): Outcome {
  const message = exchange.message;
  const envelope = message.envelope;
  const request = exchange.request;
  message.method = envelope.method;
  if (envelope.shape === Shape.Response) return exchange.refuse(Reason.UnexpectedResponse);
  // Nothing that it could be about lasts longer than its request; and MCP defines no headers for it.
  if (envelope.shape === Shape.Notification) return exchange.answer(202, NONE);
  if (envelope.claim === 0) return exchange.refuse(Reason.IncompleteMeta, PROTOCOL_VERSION_KEY);
  if (!envelope.declaresCapabilities) return exchange.refuse(Reason.IncompleteMeta, CLIENT_CAPABILITIES_KEY);
  const claim = textOf(envelope.text(message.body, envelope.claim), scratch);
  const version = request.protocolVersion;
  if (version === NONE || claim === NONE || !equals(version, claim)) return differs(exchange, OTHER_VERSION);
  if (!envelope.claimIsStateless) {
    return refuseVersion(exchange, Reason.UnsupportedModernVersion, asJson(claim), STATELESS_JSON);
  }
  const method = textOf(envelope.methodIn(message.body), scratch);
  if (request.mcpMethod === NONE) return exchange.refuse(Reason.HeaderMismatch, NO_METHOD);
  if (method === NONE || !equals(request.mcpMethod, method)) return differs(exchange, OTHER_METHOD);
  const row = methodRow(message.method);
  const isServed = message.method === Method.Unknown ? mayPass(exchange) : row.isServedIn(message.era);
  if (!isServed) return exchange.refuse(Reason.MethodNotFound, method);
  if (request.hasMcpName ? row.hasNameHeader : row.needsNameHeader) {
    if (!takesName(exchange)) return Outcome.Reply;
    if (!isNamed(exchange)) return differs(exchange, OTHER_NAME);
  }
  if (mayShare(exchange)) keepMeta(exchange);
  return admitted(exchange);
}

/** The session with a server that it turns out to need may be opened when its body is there no longer. */
function keepMeta(exchange: Exchange): void {
  const message = exchange.message;
  const meta = message.envelope.text(message.body, message.envelope.meta);
  message.meta = message.isKept ? meta : exchange.arena.copy(meta);
}

/** By the part of a message that makes it releasable: its headers fix its era, and the rest can only confirm it. */
export function releaseStateless(exchange: Exchange): Outcome {
  return takesName(exchange) && isDecided(exchange) ? admitted(exchange) : Outcome.Reply;
}

/** Whether the name has come, and is that of the headers, as the method is. If not, `plan.reply` says why. */
export function isDecided(exchange: Exchange): bool {
  const method = exchange.message.envelope.method;
  if (!equals(exchange.request.mcpMethod, methodText(method))) return agrees(exchange, OTHER_METHOD, false);
  return agrees(exchange, OTHER_NAME, isNamed(exchange));
}

/** Whether its headers alone fix the era of a message, and say what it asks for. */
export function isByHeaders(exchange: Exchange): bool {
  const request = exchange.request;
  const version = request.protocolVersion;
  return version !== NONE && equals(version, STATELESS) && request.mcpMethod !== NONE && request.mcpName !== NONE;
}

function admitted(exchange: Exchange): Outcome {
  exchange.caller.session = requestSession(exchange.gateway.keys.sealing, exchange.seconds, exchange.arena);
  return Outcome.Serve;
}

/** Reads the name that the headers say. False where they say none; `plan.reply` then says so. */
export function takesName(exchange: Exchange): bool {
  const named = exchange.request.mcpName;
  const name = named === NONE ? NONE : textOfHeader(named, exchange.arena);
  if (name === NONE) exchange.refuse(Reason.HeaderMismatch, named === NONE ? NO_NAME : BAD_NAME);
  exchange.named = name;
  return name !== NONE;
}

/** Whether the body asks for what the headers say. */
function isNamed(exchange: Exchange): bool {
  const token = exchange.message.envelope.keyIn(exchange.message.body);
  const name = token === NONE ? NONE : textOf(token, scratch);
  return name !== NONE && equals(name, exchange.named);
}

/** Whether the name has come by which the prefix can be taken out. */
export function hasName(exchange: Exchange): bool {
  return exchange.message.envelope.isRoutableWithin(u32.MAX_VALUE);
}

/** Whether a message that was decided on by its headers keeps to them. If not, `plan.reply` says why. */
export function keepsToHeaders(exchange: Exchange): bool {
  const envelope = exchange.message.envelope;
  if (envelope.method !== exchange.message.method) return agrees(exchange, OTHER_METHOD, false);
  return agrees(exchange, OTHER_NAME, hasName(exchange)) && agrees(exchange, OTHER_VERSION, envelope.claimIsStateless);
}

export function refuseMethodHeader(exchange: Exchange): Outcome {
  return exchange.refuse(Reason.HeaderMismatch, NO_METHOD);
}

function differs(exchange: Exchange, header: Span): Outcome {
  return exchange.refuse(Reason.HeaderMismatch, header);
}

/** @param does whether the body says what the header does. If not, `plan.reply` says so */
function agrees(exchange: Exchange, header: Span, does: bool): bool {
  if (!does) differs(exchange, header);
  return does;
}

/** A text as JSON; `null` where there is none. */
export function asJson(text: Span): Span {
  if (text === NONE) return NULL;
  const writer = newWriter(scratch, 32).byte(QUOTE);
  writeEscaped(writer, text);
  return writer.byte(QUOTE).written;
}
