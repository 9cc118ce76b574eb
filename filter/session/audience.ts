import { Arena } from '../bytes/arena';
import { Span, length } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/** Whom a token is for, unambiguously: each part with its length, as a subject may hold any byte. */
export function audienceOf(endpoint: Span, arena: Arena): Span {
  return newWriter(arena, 64)
    .u32(length(endpoint) as u32)
    .bytes(endpoint).written;
}
