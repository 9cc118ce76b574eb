import { Arena, scratch } from '../bytes/arena';
import { Span, equals, fingerprint, first, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Session } from '../session/token';
import { get, set } from './shared';

/**
 * Sessions that a DELETE ended on this Envoy, in a fixed table of shared slots: there is no delete and no listing in the
 * host's store, so its size must not depend on how many there were. An entry that another overwrites only lets a holder
 * go on with a token that is still good: no privilege is gained. Entries hold nothing secret: a token id opens nothing.
 */
const SLOTS: u64 = 4096;
const TABLE = literal('sluice/ended/');

function keyOf(session: Session, arena: Arena): Span {
  return newWriter(arena, 24)
    .bytes(TABLE)
    .decimal(fingerprint(session.id) % SLOTS).written;
}

export function markEnded(session: Session): void {
  set(keyOf(session, scratch), session.id);
}

export function isEnded(session: Session): bool {
  const mark = get(keyOf(session, scratch));
  return mark !== NONE && equals(first(mark, 16), session.id);
}
