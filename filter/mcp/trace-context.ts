import { HYPHEN, LOWER_A, LOWER_F, SPACE, TILDE, ZERO, isDigit } from '../bytes/ascii';
import { Span, equals, length, limit, literal, pointer, trim, NONE } from '../bytes/span';

/**
 * The trace context of a message: the same three names are headers (W3C Trace Context, W3C Baggage) and members of
 * `params._meta` (MCP 2026-07-28, distributed tracing; OpenTelemetry's conventions for MCP).
 */
export const TRACEPARENT = literal('traceparent');
export const TRACESTATE = literal('tracestate');
export const BAGGAGE = literal('baggage');

/** Whether a header says it. */
export function isOfTrace(name: Span): bool {
  return equals(name, TRACEPARENT) || equals(name, TRACESTATE) || equals(name, BAGGAGE);
}

/** Bytes of `traceparent` in version 00; in a later one more may follow a hyphen. */
const PARENT_SIZE = 55;
const TRACE_ID: usize = 3;
const TRACE_ID_SIZE: usize = 32;
const PARENT_ID: usize = 36;
const PARENT_ID_SIZE: usize = 16;
const FLAGS: usize = 53;
/** Bytes of a list: what W3C Baggage has every participant pass on. */
const MOST_LIST = 8192;

/** Whether it says a trace and a parent (W3C Trace Context §3.2.2); one that does not is to be taken as none. */
export function isTraceparent(text: Span): bool {
  if (length(text) < PARENT_SIZE || length(text) > MOST_LIST) return false;
  const at = pointer(text);
  if (!areHex(at, 2) || load<u16>(at) === NO_VERSION) return false;
  if (load<u8>(at + TRACE_ID - 1) !== HYPHEN || load<u8>(at + PARENT_ID - 1) !== HYPHEN) return false;
  if (load<u8>(at + FLAGS - 1) !== HYPHEN) return false;
  if (!isId(at + TRACE_ID, TRACE_ID_SIZE) || !isId(at + PARENT_ID, PARENT_ID_SIZE) || !areHex(at + FLAGS, 2))
    return false;
  if (length(text) === PARENT_SIZE) return true;
  return load<u16>(at) !== FIRST_VERSION && load<u8>(at + PARENT_SIZE) === HYPHEN && isPrintable(text);
}

/** `ff` */
const NO_VERSION: u16 = 0x6666;
/** `00` */
const FIRST_VERSION: u16 = 0x3030;

/** What goes into the header of a list, `tracestate` or `baggage`; NONE where it can stand in none. */
export function traceList(text: Span): Span {
  const list = trim(text);
  return length(list) > 0 && length(list) <= MOST_LIST && isPrintable(list) ? list : NONE;
}

/** An id of zeros is none. */
function isId(at: usize, size: usize): bool {
  if (!areHex(at, size)) return false;
  for (let i: usize = 0; i < size; i++) if (load<u8>(at + i) !== ZERO) return true;
  return false;
}

/** Lower-case digits alone. */
function areHex(at: usize, size: usize): bool {
  for (let i: usize = 0; i < size; i++) {
    const c: u32 = load<u8>(at + i);
    if (!isDigit(c) && (c < LOWER_A || c > LOWER_F)) return false;
  }
  return true;
}

function isPrintable(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) {
    const c: u32 = load<u8>(at);
    if (c < SPACE || c > TILDE) return false;
  }
  return true;
}
