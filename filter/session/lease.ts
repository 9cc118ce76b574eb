import { Arena, make } from '../bytes/arena';
import { Span, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { KeyRing } from '../model/keyring';
import { isWithin, owner, slotTable } from './slots';
import { Session } from './token';

/**
 * Who opens a session with a server for a client's session: one request of this Envoy, and all others that need it wait
 * for what it finds. Fifty calls that meet a server which has lost its session would open fifty else.
 *
 *     │ state (1) │ since, nanoseconds (8) │ reason (1) │
 */
const TABLE = slotTable(literal('sluice/lease/'), 1024);

const enum State {
  Free,
  Held,
  /** There is a session now, even should it have the id of the one that was lost. */
  Opened,
  Failed,
}

/** A lease as it was read. */
@unmanaged
export class Lease {
  private owner: Span;
  private state: State;
  private since: u64;
  private reason: Reason;

  read(owner: Span, keys: KeyRing, arena: Arena): Lease {
    this.owner = owner;
    const entry = TABLE.read(owner, keys, arena);
    if (entry === NONE) return this;
    this.state = load<u8>(pointer(entry));
    this.since = load<u64>(pointer(entry), 1);
    this.reason = load<u8>(pointer(entry), 9);
    return this;
  }

  /** @param most nanoseconds that its holder can take */
  isHeld(now: u64, most: u64): bool {
    return this.state === State.Held && isWithin(this.since, now, most);
  }

  /** Whether its holder has opened one since then. */
  isOpenedSince(then: u64, now: u64): bool {
    return this.state === State.Opened && this.since >= then && this.since <= now;
  }

  /** Why its holder failed, where it did since then; else `Reason.None`. */
  failureSince(then: u64, now: u64): Reason {
    return this.state === State.Failed && this.since >= then && this.since <= now ? this.reason : Reason.None;
  }

  /** Right after it was read. False: another was faster. */
  take(now: u64, keys: KeyRing, arena: Arena): bool {
    return TABLE.swap(this.owner, entryOf(State.Held, now, Reason.None, arena), keys, arena);
  }
}

export function leaseOf(session: Session, fingerprint: u64, keys: KeyRing, arena: Arena): Lease {
  return make<Lease>(arena).read(owner(TABLE, session.id, fingerprint, arena), keys, arena);
}

/** By its holder. @param reason why there is no session now, or `Reason.None` */
export function endLease(
  session: Session,
  fingerprint: u64,
  now: u64,
  reason: Reason,
  keys: KeyRing,
  arena: Arena,
): void {
  const state: State = reason === Reason.None ? State.Opened : State.Failed;
  TABLE.write(owner(TABLE, session.id, fingerprint, arena), entryOf(state, now, reason, arena), keys, arena);
}

/** By its holder, who goes away: another has to do it. */
export function leaveLease(session: Session, fingerprint: u64, keys: KeyRing, arena: Arena): void {
  const entry = entryOf(State.Free, 0, Reason.None, arena);
  TABLE.write(owner(TABLE, session.id, fingerprint, arena), entry, keys, arena);
}

function entryOf(state: State, since: u64, reason: Reason, arena: Arena): Span {
  return newWriter(arena, 16).u8(state).u64(since).u8(reason).written;
}
