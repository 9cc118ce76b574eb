import { LINE_FEED } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { Obstacle } from '../response/passage';
import { connectStreamTexts, newReplacements } from '../response/replacements';
import { newRewriter, Rewriter } from '../response/rewriter';
import { isEventStream, isJsonType } from '../upstream/answer';
import { Exchange, Outcome } from './exchange';
import { WORKER_MEMORY } from './limits';
import { textInStream } from './stream-texts';

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
const EVENT = literal('event: message\ndata: ');

/**
 * Whether something in an answer of this type may have to be rewritten: in an event stream, whose server may ask its
 * client something, and number its events; elsewhere the URIs of resources, which tell their server where there are several.
 */
export function mayBeRewritten(exchange: Exchange, contentType: Span): bool {
  if (!exchange.isAimed) return false;
  return isEventStream(contentType) || (length(exchange.target.server.mark) > 0 && isJsonType(contentType));
}

/** Null where nothing can have to be rewritten. */
export function rewriterFor(exchange: Exchange, contentType: Span): Rewriter | null {
  if (!mayBeRewritten(exchange, contentType)) return null;
  const arena = exchange.arena;
  const server = exchange.target.server;
  const upstream = exchange.forward.upstream;
  const replacements = newReplacements(exchange.gateway, server, exchange.caller.session, upstream, arena);
  if (exchange.isHttpSse) replacements.context = changetype<usize>(exchange);
  return newRewriter(isEventStream(contentType), replacements, max(exchange.gateway.limits.event, LEAST_KEPT), arena);
}

/** The same for a body that is here whole. NONE: it cannot be given to the client, and the refusal is ready. */
export function rewritten(exchange: Exchange, contentType: Span, body: Span): Span {
  const rewriter = rewriterFor(exchange, contentType);
  if (rewriter === null || length(body) === 0) return exchange.arena.copy(body);
  const text = exchange.arena.copy(rewriter.write(body, scratch));
  const end = rewriter.end(scratch);
  if (rewriter.obstacle !== Obstacle.None) {
    refuseUnrewritten(exchange, rewriter);
    return NONE;
  }
  if (length(end) === 0) return text;
  return newWriter(exchange.arena, (length(text) + length(end)) as usize)
    .bytes(text)
    .bytes(end).written;
}

/** @param rewriter that has met an obstacle */
export function refuseUnrewritten(exchange: Exchange, rewriter: Rewriter): Outcome {
  if (rewriter.obstacle === Obstacle.Memory) return exchange.overload(WORKER_MEMORY);
  if (rewriter.obstacle === Obstacle.Address) {
    return exchange.refuse(Reason.UpstreamProtocol, BAD_ADDRESS, exchange.target.server.name);
  }
  return exchange.refuse(Reason.UpstreamProtocol, KEPT_TOO_MUCH, exchange.target.server.name);
}

/** Writes the reply as the event of a stream that has begun. */
export function writeReplyEvent(exchange: Exchange, out: Writer): void {
  exchange.completeReply();
  out.bytes(EVENT).bytes(exchange.reply.body).byte(LINE_FEED).byte(LINE_FEED);
}
