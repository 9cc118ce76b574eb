import { Arena } from '../bytes/arena';
import { Span, length } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/** Whom a token is for, unambiguously: each part with its length, as a subject may hold any byte. */
export function audienceOf(endpoint: Span, arena: Arena): Span {
  return newWriter(arena, 64)
    .u32(length(endpoint) as u32)
    .bytes(endpoint).written;
}

/**
 * The same for one subject of one issuer only: a session id that leaks is of no use to anybody else (MCP security best
 * practices, session hijacking). A subject is unique for its issuer (RFC 7519 §4.1.2), so both are bound.
 */
export function boundTo(audience: Span, issuer: Span, subject: Span, arena: Arena): Span {
  return newWriter(arena, 128)
    .bytes(audience)
    .u32(length(issuer) as u32)
    .bytes(issuer)
    .u32(length(subject) as u32)
    .bytes(subject).written;
}
