import { Arena } from '../bytes/arena';
import { fingerprint, length, literal, pointer, Span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isString, textOf } from '../json/text';
import { KeyRing } from '../model/keyring';
import { random, setSlot, slot } from '../ports';
import { owner, slotTable } from './slots';
import { Session } from './token';

/**
 * Requests that their client has cancelled, for the worker of this Envoy that has the event stream of one: it comes by a
 * connection of its own, to any worker. A mark that another overwrites is missed, and its stream left open.
 *
 *     mark:  │ when, nanoseconds since 1970 (8) │
 *
 * Beside the marks there is one value that changes with each: who watches many streams looks at that alone.
 */
const TABLE = slotTable(literal('sluice/cancelled/'), 4096);
const LATEST = literal('sluice/cancelled-latest/');
const LATEST_SIZE: usize = 8;
const MARK_SIZE = 8;

/** @param requestId a token of JSON, as the client wrote it. @param now nanoseconds since 1970 */
export function markCancelled(session: Session, requestId: Span, now: u64, keys: KeyRing, arena: Arena): void {
  TABLE.write(ownerOf(session, requestId, arena), newWriter(arena, MARK_SIZE).u64(now).written, keys, arena);
  setSlot(latestName(keys, arena), random(LATEST_SIZE, arena));
}

/** When the request was cancelled last, nanoseconds since 1970; 0: never, as far as is known. */
export function cancelledAt(session: Session, requestId: Span, keys: KeyRing, arena: Arena): u64 {
  const mark = TABLE.read(ownerOf(session, requestId, arena), keys, arena);
  return length(mark) === MARK_SIZE ? load<u64>(pointer(mark)) : 0;
}

/** What changes with each mark; 0 while there was none. */
export function latestCancellation(keys: KeyRing, arena: Arena): u64 {
  const value = slot(latestName(keys, arena));
  return value === NONE ? 0 : fingerprint(value);
}

/** An id may be written in several ways where it is a string; `"1"` is not `1`. */
function ownerOf(session: Session, requestId: Span, arena: Arena): Span {
  const text = isString(requestId) ? textOf(requestId, arena) : NONE;
  const hash = text === NONE ? fingerprint(requestId) : ~fingerprint(text);
  return owner(TABLE, session.id, hash, arena);
}

function latestName(keys: KeyRing, arena: Arena): Span {
  return newWriter(arena, 64).bytes(LATEST).bytes(keys.gateway).written;
}
