import { Arena } from '../bytes/arena';
import { Span, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { isWithin, owner, slotTable } from './slots';

/**
 * Backoff: servers that could not be reached a moment ago. A list leaves them alone until it is over. `initialize` does so
 * with those that hang, or every client would wait as long as such a handshake; that a server refuses connections is
 * known at once. A call asks them all the same: it has nobody else to ask. The first that asks afterwards extends the
 * backoff for all others, and ends it where the server is back.
 *
 * Only for what is the server's own fault, see `isFault`; and where clients' own credentials pass, for one client's.
 *
 *     │ since, seconds (4) │ it hangs (1) │
 */
const TABLE = slotTable(literal('sluice/absent/'), 1024);
/** Seconds. */
const BACKOFF: u32 = 10;

/** Which servers to leave alone. */
export const enum Whom {
  Unreachable,
  Hanging,
}

/** @param scope whose credentials it was asked with, see `credentialScope` */
export function backOff(fingerprint: u64, scope: Span, hangs: bool, now: u32, keys: KeyRing, arena: Arena): void {
  write(fingerprint, scope, now, hangs, keys, arena);
}

/** Whether to leave the server alone. */
export function isBackingOff(fingerprint: u64, scope: Span, whom: Whom, now: u32, keys: KeyRing, arena: Arena): bool {
  const entry = TABLE.read(owner(TABLE, scope, fingerprint, arena), keys, arena);
  if (isOver(entry)) return false;
  const hangs = load<u8>(pointer(entry), 4) !== 0;
  if (whom === Whom.Hanging && !hangs) return false;
  if (isWithin(load<u32>(pointer(entry)), now, BACKOFF)) return true;
  write(fingerprint, scope, now, hangs, keys, arena);
  return false;
}

/** What is known of a server now. */
export const enum Backoff {
  None,
  Unreachable,
  Hanging,
}

/** The same as a look at it, which changes nothing. */
export function backoffOf(fingerprint: u64, scope: Span, now: u32, keys: KeyRing, arena: Arena): Backoff {
  const entry = TABLE.read(owner(TABLE, scope, fingerprint, arena), keys, arena);
  if (isOver(entry) || !isWithin(load<u32>(pointer(entry)), now, BACKOFF)) return Backoff.None;
  return load<u8>(pointer(entry), 4) !== 0 ? Backoff.Hanging : Backoff.Unreachable;
}

/** The server was reached. */
export function endBackoff(fingerprint: u64, scope: Span, keys: KeyRing, arena: Arena): void {
  const entry = TABLE.read(owner(TABLE, scope, fingerprint, arena), keys, arena);
  if (!isOver(entry)) write(fingerprint, scope, OVER, false, keys, arena);
}

const OVER: u32 = 0;

function isOver(entry: Span): bool {
  return entry === NONE || load<u32>(pointer(entry)) === OVER;
}

function write(fingerprint: u64, scope: Span, since: u32, hangs: bool, keys: KeyRing, arena: Arena): void {
  const entry = newWriter(arena, 8)
    .u32(since)
    .u8(hangs ? 1 : 0).written;
  TABLE.write(owner(TABLE, scope, fingerprint, arena), entry, keys, arena);
}
