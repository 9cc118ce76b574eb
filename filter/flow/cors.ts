import { COMMA, DOT, HYPHEN, SPACE, UNDERSCORE, isDigit, isLetter } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { HeaderList, headerIn, newHeaderList, readPairs } from '../bytes/pairs';
import {
  Span,
  after,
  equalsIgnoringCase,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  startsWith,
  trim,
  NONE,
} from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Gateway } from '../model/gateway';
import * as header from '../mcp/headers';
import { Exchange, Outcome } from './exchange';

/**
 * What a browser is told so that a page of an allowed origin can use the gateway (Fetch §3.2, the CORS protocol).
 * Credentials of the browser's own (cookies) are never allowed: a page sends its token itself.
 */
const ACCESS_CONTROL = literal('access-control-');
const ALLOW_ORIGIN = literal('access-control-allow-origin');
const ALLOW_METHODS = literal('access-control-allow-methods');
const ALLOW_HEADERS = literal('access-control-allow-headers');
const MAX_AGE = literal('access-control-max-age');
const EXPOSE_HEADERS = literal('access-control-expose-headers');
const REQUEST_HEADERS = literal('access-control-request-headers');

const METHODS = literal('GET, POST, DELETE');
const HEADERS = literal(
  'content-type, authorization, mcp-session-id, mcp-protocol-version, last-event-id, mcp-method, mcp-name, ' +
    'x-mcp-virtualserver',
);
/** The headers of a response that a page may read. */
const EXPOSED = literal('mcp-session-id, x-mcp-gateway, www-authenticate');
/** Two hours, the most that Chromium keeps. The origin of every request is checked all the same. */
const SECONDS = literal('7200');
const ORIGIN = literal('origin');
const ANY = literal('*');
/** Arguments that a tool's schema mirrors into headers (MCP 2026-07-28): only the caller knows their names. */
const PARAMETER = literal('mcp-param-');

/** Answers the question whether a page may send what it wants to send. */
export function preflight(exchange: Exchange): Outcome {
  const outcome = exchange.answer(204, NONE);
  const asked = headerIn(exchange.request.pairs, REQUEST_HEADERS, exchange.arena);
  exchange.plan.reply.headers
    .add(ALLOW_METHODS, METHODS)
    .add(ALLOW_HEADERS, allowedHeaders(exchange.gateway, asked, exchange.arena))
    .add(MAX_AGE, SECONDS);
  return outcome;
}

function allowedHeaders(gateway: Gateway, asked: Span, arena: Arena): Span {
  const allowed = newWriter(arena, 256).bytes(HEADERS);
  for (let i = 0; i < gateway.servers.count; i++) {
    const passed = gateway.serverAt(i).credentials.headers;
    for (let j = 0; j < passed.count; j++) separated(allowed).bytes(passed.at(j));
  }
  for (let rest = asked; length(rest) > 0;) {
    const comma = indexOf(rest, COMMA);
    const name = trim(comma < 0 ? rest : first(rest, comma as u32));
    if (isParameter(name)) separated(allowed).bytes(name);
    rest = comma < 0 ? NONE : after(rest, (comma as u32) + 1);
  }
  return allowed.written;
}

function separated(list: Writer): Writer {
  return list.byte(COMMA).byte(SPACE);
}

/** What is echoed has to be the name of a header and no more. */
function isParameter(name: Span): bool {
  const size = length(PARAMETER);
  if (length(name) <= size || !equalsIgnoringCase(first(name, size as u32), PARAMETER)) return false;
  for (let at = pointer(name); at < limit(name); at++) {
    const c = load<u8>(at);
    if (!isLetter(c) && !isDigit(c) && c !== HYPHEN && c !== UNDERSCORE && c !== DOT) return false;
  }
  return true;
}

/** On a reply of ours. @param page the origin that may read it */
export function shareReply(headers: HeaderList, page: Span): void {
  headers.add(ALLOW_ORIGIN, page).add(header.VARY, ORIGIN).add(EXPOSE_HEADERS, EXPOSED);
}

/**
 * On a response that passes: what an upstream says about origins speaks of the upstream, and would open the gateway to
 * pages that it does not know (`*` is what many servers send).
 * @param page the origin that may read it, or NONE
 * @returns edits; a value of NONE removes the header
 */
export function shareResponse(response: Span, page: Span, arena: Arena): HeaderList {
  const edits = newHeaderList(arena);
  for (const pairs = readPairs(response, arena); pairs.next();) {
    if (startsWith(pairs.name, ACCESS_CONTROL)) edits.add(pairs.name, NONE);
  }
  if (page === NONE) return edits;
  return edits.add(ALLOW_ORIGIN, page).add(EXPOSE_HEADERS, EXPOSED).add(header.VARY, varied(response, arena));
}

/** RFC 9110 §12.5.5: the response differs by origin as well, so a cache must not give one page's to another. */
function varied(response: Span, arena: Arena): Span {
  const writer = newWriter(arena, 64);
  for (const pairs = readPairs(response, arena); pairs.next();) {
    if (!equalsIgnoringCase(pairs.name, header.VARY)) continue;
    if (equalsIgnoringCase(trim(pairs.value), ANY)) return ANY;
    writer.bytes(pairs.value).byte(COMMA).byte(SPACE);
  }
  return writer.bytes(ORIGIN).written;
}
