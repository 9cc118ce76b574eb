import { Arena } from '../bytes/arena';
import { Span, after, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { owner, slotTable } from './slots';

/**
 * Tokens that callers' own were exchanged for, for as long as they are good, on all workers of an Envoy. Each is for one
 * server and one token of a caller: whoever has another token, were it of the same caller, has none of these.
 *
 *     │ expires, seconds since 1970 (4) │ token … │
 */
const TABLE = slotTable(literal('sluice/tokens/'), 1024, 2);
const HEAD: u32 = 4;
/** Seconds. None is believed to be good for longer. */
const LONGEST: u32 = 3600;
/** Seconds before its end in which a token is not used any more: the request has a way to go yet. */
const MARGIN: u32 = 10;

/** The token, or NONE. @param scope of the caller's own, see `credentialScope` */
export function keptToken(scope: Span, fingerprint: u64, now: u32, keys: KeyRing, arena: Arena): Span {
  const entry = TABLE.read(owner(TABLE, scope, fingerprint, arena), keys, arena);
  if (entry === NONE || length(entry) < (HEAD as i32)) return NONE;
  const expires = load<u32>(pointer(entry));
  // One that is good for longer than any is was kept before the clock was set back.
  return now < expires && expires - now <= LONGEST ? after(entry, HEAD) : NONE;
}

/** @param lifetime seconds that it is good */
export function keepToken(
  token: Span,
  lifetime: u32,
  scope: Span,
  fingerprint: u64,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): void {
  const time = min(lifetime, LONGEST);
  if (time <= MARGIN) return;
  write(
    newWriter(arena, (length(token) as usize) + 8)
      .u32(now + time - MARGIN)
      .bytes(token).written,
    scope,
    fingerprint,
    keys,
    arena,
  );
}

/** The server does not take it. */
export function forgetToken(scope: Span, fingerprint: u64, keys: KeyRing, arena: Arena): void {
  write(newWriter(arena, 8).u32(0).written, scope, fingerprint, keys, arena);
}

function write(entry: Span, scope: Span, fingerprint: u64, keys: KeyRing, arena: Arena): void {
  TABLE.write(owner(TABLE, scope, fingerprint, arena), entry, keys, arena);
}
