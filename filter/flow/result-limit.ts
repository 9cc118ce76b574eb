import { scratch } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { Method } from '../mcp/methods';
import { Noun } from '../mcp/nouns';
import { ResultLimit } from '../model/rules';
import { newResultLimiter, ResultLimiter } from '../response/result-limiter';
import { isEventStream } from '../upstream/answer';
import { Exchange } from './exchange';
import { refusalResult } from './refusal';

/** How much of the results of calls goes on to the client. */
const CUT = literal('\\n\\n[The gateway has cut this result, which is larger than ');
const BYTES = literal(' bytes. Call the tool for less, such as a page, a filter or a part, where it can do that.]');

/** Null where its answer may be of any size. @param contentType of the answer */
export function limiterFor(exchange: Exchange, contentType: Span): ResultLimiter | null {
  const limit = limitOf(exchange);
  if (limit === null || limit.most === 0) return null;
  const arena = exchange.arena;
  const size = newWriter(scratch, 16).decimal(limit.most as u64).written;
  const note = newWriter(arena, 192).bytes(CUT).bytes(size).bytes(BYTES).written;
  const refusal = refusalResult(exchange, Reason.ResultTooLarge, size);
  const id = exchange.isForEvents ? NONE : exchange.id;
  const isStream = isEventStream(contentType);
  return newResultLimiter(isStream, limit.most, limit.cuts, exchange.isForEvents, note, refusal, id, arena);
}

/** A stream of a server brings results of any of its tools: which, nobody knows. */
function limitOf(exchange: Exchange): ResultLimit | null {
  if (!exchange.isAimed) return null;
  const server = exchange.target.server;
  if (exchange.isForEvents) return server.results;
  if (exchange.message.method !== Method.ToolsCall) return null;
  return server.rulesOf(Noun.Tools).resultLimitOf(exchange.target.name, server.results);
}

/** The same for a message that is here whole. @param contentType of it. @returns what goes on in its place */
export function withinLimit(exchange: Exchange, contentType: Span, message: Span): Span {
  const limiter = limiterFor(exchange, contentType);
  if (limiter === null) return message;
  const going = exchange.arena.copy(limiter.write(message, scratch));
  const left = limiter.end(scratch);
  if (length(left) === 0) return going;
  return newWriter(exchange.arena, (length(going) + length(left)) as usize)
    .bytes(going)
    .bytes(left).written;
}
