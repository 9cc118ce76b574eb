import { Arena } from '../bytes/arena';
import { Span, length } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/**
 * Whom a token is for, unambiguously: each part with its length, as a subject may hold any byte.
 * @param named the virtual server that the path names, empty for the endpoint itself: a session that was begun on one
 * path is unknown on every other. What `root` gives to the endpoint is not part of it, since a change of configuration
 * ends no session
 */
export function audienceOf(endpoint: Span, named: Span, arena: Arena): Span {
  return newWriter(arena, 64)
    .u32(length(endpoint) as u32)
    .bytes(endpoint)
    .u32(length(named) as u32)
    .bytes(named).written;
}
