import {
  CLOSING_BRACKET,
  COLON,
  DOT,
  HYPHEN,
  OPENING_BRACKET,
  QUESTION_MARK,
  UNDERSCORE,
  isDigit,
  isLetter,
} from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { headerIn } from '../bytes/pairs';
import { Span, after, first, length, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Gateway } from '../model/gateway';
import { Exchange } from './exchange';
import { behindEndpoint } from './request';

/**
 * Where the documents are by which a client finds out where to get a token (RFC 9728 §3.1): one for the endpoint, one for
 * each virtual server below it; and one without a path, where clients look last, which is the endpoint's, too.
 */
const WELL_KNOWN = literal('/.well-known/oauth-protected-resource');
const SCHEME = literal(':scheme');
const SCHEME_END = literal('://');

/** What follows the endpoint in the path of such a document, as `behindEndpoint` says it; NONE: it is none of ours. */
export function behindMetadata(path: Span, gateway: Gateway): Span {
  if (gateway.resource === null || path === NONE || !startsWith(path, WELL_KNOWN)) return NONE;
  const rest = after(path, WELL_KNOWN as u32);
  if (length(rest) === 0 || load<u8>(pointer(rest)) === QUESTION_MARK) return first(rest, 0);
  return behindEndpoint(rest, gateway.endpoint);
}

/** Where the document for the path of this request is, or NONE where there is none. */
export function metadataUrl(exchange: Exchange, arena: Arena): Span {
  const gateway = exchange.gateway;
  if (gateway.resource === null) return NONE;
  const origin = originOf(exchange);
  const behind = behindEndpoint(exchange.request.path, gateway.endpoint);
  if (origin === NONE) return NONE;
  const writer = newWriter(arena, 256).bytes(origin).bytes(WELL_KNOWN).bytes(gateway.endpoint);
  // What no virtual server is called has no document, and may be any text.
  const isKnown = length(behind) > 0 && gateway.virtualServer(after(behind, 1)) !== null;
  return (isKnown ? writer.bytes(behind) : writer).written;
}

/** `https://mcp.example.com`: as configured, else as the request says, or NONE where that could not be part of a URL. */
export function originOf(exchange: Exchange): Span {
  if (exchange.gateway.publicUrl !== NONE) return exchange.gateway.publicUrl;
  const scheme = headerIn(exchange.request.pairs, SCHEME, exchange.arena);
  const authority = exchange.request.authority;
  if (scheme === NONE || !isHostText(authority)) return NONE;
  return newWriter(exchange.arena, 64).bytes(scheme).bytes(SCHEME_END).bytes(authority).written;
}

/** Characters of names, addresses and ports (RFC 3986 §3.2.2), none of which ends a quoted string. */
function isHostText(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) if (!isHostCharacter(load<u8>(at))) return false;
  return length(text) > 0;
}

function isHostCharacter(c: u8): bool {
  if (isLetter(c) || isDigit(c) || c === DOT || c === HYPHEN || c === COLON) return true;
  return c === OPENING_BRACKET || c === CLOSING_BRACKET || c === UNDERSCORE;
}
