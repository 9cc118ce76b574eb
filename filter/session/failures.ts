import { Arena, make } from '../bytes/arena';
import { Span, after, first, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { KeyRing } from '../model/keyring';
import { owner, slotTable } from './slots';

/**
 * What each server failed at last, for the status of the gateway: one entry for all workers of an Envoy.
 *
 *     │ when, seconds (4) │ reason (1) │ detail … │
 */
const TABLE = slotTable(literal('sluice/failure/'), 1024, 2);
const HEAD: u32 = 5;
/** Bytes of the detail. */
const MOST_DETAIL: i32 = 256;

@unmanaged
export class LastFailure {
  /** Seconds since 1970. */
  at: u32;
  reason: Reason;
  detail: Span;
}

/** @param detail of any content */
export function noteFailure(
  fingerprint: u64,
  reason: Reason,
  detail: Span,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): void {
  const entry = newWriter(arena, HEAD + MOST_DETAIL)
    .u32(now)
    .u8(reason)
    .bytes(length(detail) > MOST_DETAIL ? first(detail, MOST_DETAIL) : detail);
  TABLE.write(owner(TABLE, NONE, fingerprint, arena), entry.written, keys, arena);
}

/** Null: it has not failed, or nobody remembers. */
export function lastFailure(fingerprint: u64, keys: KeyRing, arena: Arena): LastFailure | null {
  const entry = TABLE.read(owner(TABLE, NONE, fingerprint, arena), keys, arena);
  if (entry === NONE || length(entry) < (HEAD as i32)) return null;
  const found = make<LastFailure>(arena);
  found.at = load<u32>(pointer(entry));
  found.reason = load<u8>(pointer(entry), 4);
  found.detail = after(entry, HEAD);
  return found;
}
