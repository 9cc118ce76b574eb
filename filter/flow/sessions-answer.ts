import { scratch } from '../bytes/arena';
import { Span, length, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Era } from '../mcp/eras';
import { InputReader, newInputReader, Takes } from '../response/input-reader';
import { isEventStream, isJsonType } from '../upstream/answer';
import { Exchange } from './exchange';
import { crosses } from './translation';

/**
 * The answer of a server with sessions to a client of 2026-07-28. What it has that the client's revision does not have does
 * not go on: requests, messages of the log that were not asked for, and the error that asks for pages to be opened.
 */

/** Reads such an answer; null: it is another one. @param contentType of the answer */
export function sessionsReader(exchange: Exchange, contentType: Span): InputReader | null {
  if (exchange.message.era !== Era.Stateless || !crosses(exchange, exchange.plan.forward.upstream)) return null;
  const isStream = isEventStream(contentType);
  if (!isStream && !isJsonType(contentType)) return null;
  const reader = newInputReader(isStream, exchange.gateway.limits.event, Takes.OfSessions, !isStream, exchange.arena);
  reader.loggedFrom = exchange.target.loggedFrom;
  reader.opensUrls = exchange.target.opensUrls;
  return reader;
}

/** The same of a body that is here whole. Nobody responds to requests in it: the server has ended its answer. */
export function inClientsEra(exchange: Exchange, contentType: Span, body: Span): Span {
  const reader = exchange.isAimed && body !== NONE ? sessionsReader(exchange, contentType) : null;
  if (reader === null) return body;
  const text = reader.write(body, scratch);
  const end = reader.end(scratch);
  return newWriter(exchange.arena, (length(text) + length(end)) as usize)
    .bytes(text)
    .bytes(end).written;
}
