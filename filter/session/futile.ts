import { Arena } from '../bytes/arena';
import { Span, fingerprint as hash, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { isWithin, owner, slotTable } from './slots';
import { Session } from './token';

/**
 * Pairs of a session and a server for which a new session changed nothing: what looked like a lost session was the
 * server's answer to the call, and for a while it is taken as that.
 *
 *     │ since, seconds (4) │ of the upstream session that was opened for a call that was not repeated (8), or 0 │
 */
const TABLE = slotTable(literal('sluice/futile/'), 1024);
/** Seconds. */
const WHILE: u32 = 60;
const ANY: u64 = 0;

export function markFutile(session: Session, server: u64, now: u32, keys: KeyRing, arena: Arena): void {
  write(session, server, ANY, now, keys, arena);
}

/** The client was told to send its call again, which is the repetition: should that fail alike, it was futile. */
export function markResendable(
  session: Session,
  server: u64,
  opened: Span,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): void {
  write(session, server, hash(opened), now, keys, arena);
}

/** @param lost the id that the server is said not to know */
export function isFutile(session: Session, server: u64, lost: Span, now: u32, keys: KeyRing, arena: Arena): bool {
  const entry = TABLE.read(owner(TABLE, session.id, server, arena), keys, arena);
  if (entry === NONE || !isWithin(load<u32>(pointer(entry)), now, WHILE)) return false;
  const opened = load<u64>(pointer(entry), 4);
  return opened === ANY || opened === hash(lost);
}

function write(session: Session, server: u64, opened: u64, now: u32, keys: KeyRing, arena: Arena): void {
  const entry = newWriter(arena, 12).u32(now).u64(opened).written;
  TABLE.write(owner(TABLE, session.id, server, arena), entry, keys, arena);
}
