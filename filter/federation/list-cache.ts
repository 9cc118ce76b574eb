import { Arena } from '../bytes/arena';
import { Span, span, length, literal, pointer, limit, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { CacheScope, Server } from '../config/gateway';
import { KeyRing } from '../session/keyring';
import { owner, slotTable } from '../session/slots';
import { Session } from '../session/token';
import { credentialScope } from './credentials';
import { Lane } from './fanout';
import { Page, readPage } from './page';

/**
 * A server's list as it was received, before any policy, which runs on every read: what one caller may not see must not
 * decide what another does. Shared by all, by those with the same credentials, or for one session.
 *
 *     │ expires, seconds since 1970 (4) │ { length (4) │ page … } … │
 */
const TABLE = slotTable(literal('sluice/list/'), 1024);
/** A larger list is asked for each time: reading a slot copies all of it, and a worker's memory never shrinks. */
const MOST = 1 << 20;

/** Fills the lane with pages that are still good. False: there are none, ask the server. @param client its headers */
export function takeCached(lane: Lane, session: Session, client: Span, now: u32, keys: KeyRing, arena: Arena): bool {
  const server = lane.server;
  if (server.cacheTtl === 0) return false;
  const entry = TABLE.read(ownerOf(server, session, client, keys, arena), keys, arena);
  if (entry === NONE) return false;
  const expires = load<u32>(pointer(entry));
  // One that is good for longer than any is was kept before the clock was set back.
  if (now >= expires || expires - now > server.cacheTtl) return false;
  for (let at = pointer(entry) + 4; at < limit(entry);) {
    const size = load<u32>(at);
    lane.pages.push(changetype<usize>(readPage(span(at + 4, size), session.revision, arena)) as u64);
    at += 4 + (size as usize);
  }
  lane.cached = true;
  return true;
}

/** @param client the client's headers */
export function keep(lane: Lane, session: Session, client: Span, now: u32, keys: KeyRing, arena: Arena): void {
  const server = lane.server;
  if (server.cacheTtl === 0 || lane.bytes > (MOST as u64)) return;
  const entry = newWriter(arena, (lane.bytes as usize) + 64).u32(now + server.cacheTtl);
  for (let i = 0; i < lane.pages.count; i++) {
    const page: Span = changetype<Page>(lane.pages.at(i) as usize).document;
    entry.u32(length(page) as u32).bytes(page);
  }
  TABLE.write(ownerOf(server, session, client, keys, arena), entry.written, keys, arena);
}

function ownerOf(server: Server, session: Session, client: Span, keys: KeyRing, arena: Arena): Span {
  let whose: Span = NONE;
  if (server.cacheScope === CacheScope.Session) whose = session.id;
  else if (server.cacheScope === CacheScope.Credential)
    whose = credentialScope(server.credentials, client, keys, arena);
  return owner(TABLE, whose, server.fingerprint, arena);
}
