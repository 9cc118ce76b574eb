import { HYPHEN, isDigit, ZERO } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, after, length, limit, literal, pointer, span, startsWith } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KEY_SIZE } from '../crypto/aead';
import { hmacSha256 } from '../crypto/sha256';
import { Gateway } from '../model/gateway';
import { Session } from './token';

/**
 * The id of an event by which a client learns whether the lists of the gateway have changed since its last one:
 *
 *     generation of the lists (16 hexadecimal digits) │ - │ how often that one was met (1 to 9 digits)
 *
 * It is not sealed: who makes one up is told that the lists have changed. Its second part lets each id be another one than
 * the id before, without which go-sdk gives its session up after five streams.
 */
const PURPOSE = literal('sluice lists');
const GENERATION_DIGITS: u32 = 16;
const MOST_COUNT_DIGITS = 9;
const MOST_COUNT: i32 = 999_999_999;

/** What an id counts to that is of another generation, or of none. */
export const OTHER_GENERATION: i32 = -1;
/** What it counts to where its client was told a first time. */
export const TOLD_ONCE: i32 = 0;
/** What the first id of a stream counts to whose client has nothing to be told. */
export const UP_TO_DATE: i32 = 1;

/**
 * Names what lists are made of: what they depend on in the configuration, and the revision of its catalog. It is the same on
 * all workers and replicas that have both, and the key of the session. Keyed, so that nobody can try configurations.
 */
export function listGeneration(gateway: Gateway, session: Session, arena: Arena): u64 {
  const text = newWriter(arena, 128).bytes(PURPOSE).u64(gateway.listDigest);
  const catalog = gateway.catalog;
  if (catalog !== null) text.bytes(catalog.revision);
  return load<u64>(pointer(hmacSha256(span(session.key.bytes, KEY_SIZE), text.written, arena)));
}

/** @param count at least TOLD_ONCE. @param arena that the id lives in */
export function listEventId(generation: u64, count: i32, arena: Arena): Span {
  return newWriter(arena, 32)
    .hex(generation)
    .byte(HYPHEN)
    .decimal(count as u64).written;
}

/** What an id counts to, or OTHER_GENERATION. @param id as the client sends it: any bytes. @param generation of now */
export function countIn(id: Span, generation: u64, arena: Arena): i32 {
  const start = newWriter(arena, 32).hex(generation).byte(HYPHEN).written;
  if (!startsWith(id, start)) return OTHER_GENERATION;
  const digits = after(id, GENERATION_DIGITS + 1);
  if (length(digits) === 0 || length(digits) > MOST_COUNT_DIGITS) return OTHER_GENERATION;
  let count = 0;
  for (let at = pointer(digits); at < limit(digits); at++) {
    const c = load<u8>(at);
    if (!isDigit(c)) return OTHER_GENERATION;
    count = count * 10 + ((c - ZERO) as i32);
  }
  return count;
}

/** What the next id counts to. @param count of the last one */
export function countAfter(count: i32): i32 {
  return count === MOST_COUNT ? UP_TO_DATE : count + 1;
}
