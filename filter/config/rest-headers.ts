import { HYPHEN, lowerCase } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, equals, length, literal, pointer, span, startsWith } from '../bytes/span';
import { names, namesIn } from '../bytes/name-list';
import { isMadeOf } from './values';

/** Headers that a REST service may be sent by a tool. */

/** Framing, routing and what this gateway tells others are not a tool's to say. */
const RESERVED = names(
  'host connection keep-alive proxy-connection content-length transfer-encoding upgrade http2-settings te trailer ' +
    'expect via accept-encoding content-encoding last-event-id',
);
const MCP = literal('mcp-');
const X_MCP = literal('x-mcp-');
const X_ENVOY = literal('x-envoy-');
/** The other characters of a token (RFC 9110 §5.6.2), in lower case. */
const TOKEN_CHARACTERS = literal("!#$%&'*+-.^_`|~");

export function lowered(name: Span, arena: Arena): Span {
  const size = length(name) as usize;
  const at = arena.allocate(max<usize>(size, 1));
  for (let i: usize = 0; i < size; i++) store<u8>(at + i, lowerCase(load<u8>(pointer(name) + i)) as u8);
  return span(at, size as u32);
}

/** @param name in lower case */
export function isRestHeader(name: Span, arena: Arena): bool {
  if (length(name) === 0 || !isMadeOf(name, TOKEN_CHARACTERS) || load<u8>(pointer(name)) === HYPHEN) return false;
  if (startsWith(name, MCP) || startsWith(name, X_MCP) || startsWith(name, X_ENVOY)) return false;
  const reserved = namesIn(RESERVED, arena);
  for (let i = 0; i < reserved.count; i++) if (equals(reserved.at(i), name)) return false;
  return true;
}
