import { Arena } from '../bytes/arena';
import { Span, length, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/** The identity of a gateway that asks for none. */
export const NOBODY = literal('');

/**
 * Whom a token is for, unambiguously: each part with its length, as a subject may hold any byte.
 * @param gateway its name: two gateways with the same keys are two
 * @param named the virtual server that the path names, empty for the endpoint itself: a session that was begun on one
 * path is unknown on every other. What `root` gives to the endpoint is not part of it, since a change of configuration
 * ends no session
 * @param identity see `identityOf`, or NOBODY
 */
export function audienceOf(gateway: Span, endpoint: Span, named: Span, identity: Span, arena: Arena): Span {
  return newWriter(arena, 128)
    .u32(length(gateway) as u32)
    .bytes(gateway)
    .u32(length(endpoint) as u32)
    .bytes(endpoint)
    .u32(length(named) as u32)
    .bytes(named)
    .bytes(identity).written;
}

const HTTP_SSE = literal('HTTP+SSE');

/**
 * The same for the address of an event stream of HTTP+SSE: such an address is no session id, and a session id no address.
 * No other audience has anything behind its identity, whose parts tell their lengths.
 */
export function audienceOfStream(audience: Span, arena: Arena): Span {
  return newWriter(arena, 160).bytes(audience).bytes(HTTP_SSE).written;
}

/**
 * One subject of one issuer, to which a session is bound: a session id that leaks is of no use to anybody else (MCP
 * security best practices, session hijacking). A subject is unique for its issuer (RFC 7519 §4.1.2), so both count.
 */
export function identityOf(issuer: Span, subject: Span, arena: Arena): Span {
  return newWriter(arena, 128)
    .u32(length(issuer) as u32)
    .bytes(issuer)
    .u32(length(subject) as u32)
    .bytes(subject).written;
}

/** The subject of an identity; NONE where that is NOBODY or absent. */
export function subjectOf(identity: Span): Span {
  if (length(identity) === 0) return NONE;
  const at = pointer(identity) + sizeof<u32>() + (load<u32>(pointer(identity)) as usize);
  return span(at + sizeof<u32>(), load<u32>(at));
}
