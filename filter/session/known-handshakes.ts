import { Arena } from '../bytes/arena';
import { Span, length, limit, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { isWithin, owner, slotTable } from './slots';

/**
 * What servers answered to an introduction. The same introduction is answered from here for a while: nothing has to be
 * opened, and the next client waits for nobody. A server that gave a session is asked each time, as a session is one
 * client's, but where `sessions.open` is `lazy`: then the session is opened when it is first needed.
 *
 *     │ since, seconds (4) │ revision (1) │ keeps sessions (1) │ offers (4) │
 *     │ length of what follows (4) │ capabilities … │ instructions … │
 */
const TABLE = slotTable(literal('sluice/handshakes/'), 1024, 2);
/** Seconds, as long as a server that cannot be reached is left alone. A server that is upgraded is seen as what it is then. */
const LIFETIME: u32 = 10;
/** With sessions: a client that needs the server meets it as it is when the session is opened. */
const LIFETIME_WITH_SESSIONS: u32 = 60;
const HEAD: usize = 14;
/** More is not worth a slot. */
const MOST: u32 = 64 << 10;

@unmanaged
export class KnownHandshake {
  revision: u32;
  /** It gave a session: there is none yet for who asks now. */
  keepsSessions: bool;
  /** Bits of Capability. */
  offers: u32;
  /** As the server wrote them, or NONE. */
  capabilities: Span;
  instructions: Span;
}

/**
 * Reads what is known into `known`. False: nothing is, ask the server.
 * @param introduction digest of all that the server would be told
 */
export function recallHandshake(
  known: KnownHandshake,
  fingerprint: u64,
  introduction: Span,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): bool {
  const entry = TABLE.read(owner(TABLE, introduction, fingerprint, arena), keys, arena);
  if (entry === NONE) return false;
  const at = pointer(entry);
  known.keepsSessions = load<u8>(at, 5) !== 0;
  if (!isWithin(load<u32>(at), now, known.keepsSessions ? LIFETIME_WITH_SESSIONS : LIFETIME)) return false;
  known.revision = load<u8>(at, 4);
  known.offers = load<u32>(at, 6);
  const size = load<u32>(at, 10);
  const behind = at + HEAD + (size as usize);
  known.capabilities = size === 0 ? NONE : span(at + HEAD, size);
  known.instructions = behind === limit(entry) ? NONE : span(behind, (limit(entry) - behind) as u32);
  return true;
}

/** @param introduction digest of all that the server was told */
export function rememberHandshake(
  known: KnownHandshake,
  fingerprint: u64,
  introduction: Span,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): void {
  const size = (known.capabilities as u32) + (known.instructions as u32);
  if (size > MOST) return;
  const entry = newWriter(arena, (size as usize) + HEAD)
    .u32(now)
    .u8(known.revision)
    .u8(known.keepsSessions ? 1 : 0)
    .u32(known.offers)
    .u32(length(known.capabilities) as u32)
    .bytes(known.capabilities)
    .bytes(known.instructions);
  TABLE.write(owner(TABLE, introduction, fingerprint, arena), entry.written, keys, arena);
}
