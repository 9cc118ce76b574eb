import { LINE_FEED } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { headerIn } from '../bytes/pairs';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Method, MethodKind, methodRow } from '../mcp/methods';
import { Noun } from '../mcp/nouns';
import { Limit } from '../model/limit';
import { Obstacle } from '../response/passage';
import { connectStreamTexts, newReplacements } from '../response/replacements';
import { newRewriter, Rewriter } from '../response/rewriter';
import { Session } from '../session/token';
import { eventsIn, writeMessageEvent } from '../sse/events';
import { isEventStream, isJsonType } from '../upstream/answer';
import { Exchange, Outcome } from './exchange';
import { completeRefusal } from './refusal';
import { WORKER_MEMORY } from './limits';
import { withinLimit } from './result-limit';
import { textInStream } from './stream-texts';
import { crosses } from './translation';

connectStreamTexts(textInStream);

/** What a server's answer calls by names of the server's own, and what comes in the place of an answer that breaks off. */
const KEPT_TOO_MUCH = literal(
  'more of its answer would have to be kept than limits.event allows, as a URI or an id in it has no end',
);
const BAD_ADDRESS = literal(
  'its endpoint event names no path of its own: another origin than authority says, nothing, or more than 2,048 bytes',
);
/** Bytes that are kept where they are needed: the id of an event is no longer than that. */
const LEAST_KEPT: u32 = 4 << 10;
const COMPLETE = literal(',"resultType":"complete"');
const COMPLETE_UNCACHED = literal(',"resultType":"complete","ttlMs":0,"cacheScope":"private"');
const EVENT = literal('event: message\ndata: ');

/**
 * Whether something in an answer of this type may have to be rewritten: in an event stream, whose server may ask its
 * client something, and number its events; elsewhere the URIs of resources, which tell their server where there are several.
 */
export function mayBeRewritten(exchange: Exchange, contentType: Span): bool {
  if (!exchange.isAimed) return false;
  if (isEventStream(contentType)) return true;
  if (!isJsonType(contentType)) return false;
  const server = exchange.target.server;
  if (isAboutEvents(exchange) && length(server.prefix) > 0) return true;
  return length(server.mark) > 0 || lacksMembers(exchange) || isSealed(exchange) || mayHaveAnyData(exchange);
}

/**
 * Whether what a tool answers with may be data that the client's era does not have: until 2025-11-25 `structuredContent` is
 * an object, and clients refuse a result where it is not.
 */
function mayHaveAnyData(exchange: Exchange): bool {
  if (exchange.message.era !== Era.Sessions || exchange.message.method !== Method.ToolsCall) return false;
  return crosses(exchange, exchange.plan.forward.upstream);
}

/** Whether its server answers as the era with sessions does, and the client is of the other. */
function lacksMembers(exchange: Exchange): bool {
  return exchange.message.era === Era.Stateless && crosses(exchange, exchange.plan.forward.upstream);
}

function isAboutEvents(exchange: Exchange): bool {
  return methodRow(exchange.message.method).noun === Noun.Events;
}

/** Whether its server's states and tasks are sealed for the caller: both are of the era without sessions. */
function isSealed(exchange: Exchange): bool {
  if (exchange.message.era !== Era.Stateless || !exchange.gateway.sealsForCallers) return false;
  return !exchange.plan.forward.upstream.dialect.hasSessions;
}

/** Null where nothing can have to be rewritten. @param always also there: what it becomes goes on to be held to a size */
export function rewriterFor(exchange: Exchange, contentType: Span, always: bool = false): Rewriter | null {
  if (!always && !mayBeRewritten(exchange, contentType)) return null;
  const arena = exchange.arena;
  const server = exchange.target.server;
  const upstream = exchange.plan.forward.upstream;
  // In the era without sessions servers ask nothing, and number no events.
  const session: Session | null = upstream.dialect.hasSessions ? exchange.caller.session : null;
  const replacements = newReplacements(exchange.gateway, server, session, upstream, arena);
  if (lacksMembers(exchange)) replacements.members = membersOf(exchange);
  if (isSealed(exchange)) {
    replacements.audience = exchange.caller.audience;
    replacements.sealing = exchange.sealing;
  }
  replacements.wrapsStructure = mayHaveAnyData(exchange);
  replacements.isAboutEvents = isAboutEvents(exchange);
  replacements.idAtServer = exchange.target.id;
  replacements.id = exchange.id;
  replacements.progressToken = exchange.target.progressToken;
  if (exchange.isHttpSse) replacements.context = changetype<usize>(exchange);
  return newRewriter(isEventStream(contentType), replacements, max(exchange.gateway.limits.event, LEAST_KEPT), arena);
}

/** MCP 2026-07-28: every result says that it is one, and what a client may keep says for how long. */
function membersOf(exchange: Exchange): Span {
  return methodRow(exchange.message.method).kind === MethodKind.Uri ? COMPLETE_UNCACHED : COMPLETE;
}

/** The same for a body that is here whole. NONE: it cannot be given to the client, and the refusal is ready. */
export function rewritten(exchange: Exchange, contentType: Span, body: Span): Span {
  const rewriter = rewriterFor(exchange, contentType);
  if (rewriter === null || length(body) === 0) return withinLimit(exchange, contentType, exchange.arena.copy(body));
  const text = exchange.arena.copy(rewriter.write(body, scratch));
  const end = rewriter.end(scratch);
  if (rewriter.obstacle !== Obstacle.None) {
    refuseUnrewritten(exchange, rewriter);
    return NONE;
  }
  if (length(end) === 0) return withinLimit(exchange, contentType, text);
  const whole = newWriter(exchange.arena, (length(text) + length(end)) as usize)
    .bytes(text)
    .bytes(end).written;
  return withinLimit(exchange, contentType, whole);
}

/** @param rewriter that has met an obstacle */
export function refuseUnrewritten(exchange: Exchange, rewriter: Rewriter): Outcome {
  if (rewriter.obstacle === Obstacle.Memory) return exchange.overload(WORKER_MEMORY);
  if (rewriter.obstacle === Obstacle.Address) {
    return exchange.refuse(Reason.UpstreamProtocol, BAD_ADDRESS, exchange.target.server.name);
  }
  exchange.meet(Limit.Event);
  return exchange.refuse(Reason.UpstreamProtocol, KEPT_TOO_MUCH, exchange.target.server.name);
}

/**
 * Writes the reply as the last of a response that has begun, where its body may be an event stream by itself, or may have
 * line breaks. @param isDocument the response is one document, else events
 */
export function writeReply(exchange: Exchange, out: Writer, isDocument: bool): void {
  completeRefusal(exchange);
  const reply = exchange.plan.reply;
  if (!isEventStream(headerIn(reply.headers.packed(), header.CONTENT_TYPE, scratch))) {
    if (isDocument) out.bytes(reply.body);
    else writeMessageEvent(out, reply.body);
  } else if (isDocument) out.bytes(lastMessageIn(reply.body));
  else out.bytes(reply.body);
}

/** The response is the last message that its server sends (MCP 2026-07-28, transports). */
function lastMessageIn(events: Span): Span {
  let last = NONE;
  for (const found = eventsIn(events, scratch); found.next();) last = found.data;
  return last;
}

/** Writes the reply as the event of a stream that has begun. */
export function writeReplyEvent(exchange: Exchange, out: Writer): void {
  completeRefusal(exchange);
  out.bytes(EVENT).bytes(exchange.plan.reply.body).byte(LINE_FEED).byte(LINE_FEED);
}
