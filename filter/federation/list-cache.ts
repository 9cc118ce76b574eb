import { Noun } from '../mcp/nouns';
import { Arena } from '../bytes/arena';
import { Span, combined, fingerprint, span, length, literal, pointer, limit, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { CacheScope, Server } from '../model/server';
import { textOf } from '../json/text';
import { KeyRing } from '../model/keyring';
import { owner, SlotTable, slotTable } from '../session/slots';
import { isOfRequest } from '../session/request-session';
import { Session } from '../session/token';
import { credentialScope } from '../upstream/credentials';
import { UpstreamCall } from '../upstream/call';
import { Item, Page, readPage, readSoundPage } from '../upstream/page';

/**
 * A server's list as it was received, before any policy, which runs on every read: what one caller may not see must not
 * decide what another does. Shared by all, by those with the same credentials, or for one session.
 *
 *     │ expires, seconds since 1970 (4) │ { 1 where all its items are sound (1) │ length (4) │ page … } … │
 */
const LISTS = slotTable(literal('sluice/list/'), 1024);
/**
 * The names in it alone, for each call to look at: a list would be copied and deciphered whole. A server is asked about
 * a name that is not in its list only where two fingerprints are the same.
 *
 *     │ expires, seconds since 1970 (4) │ fingerprint of a name (8) … │
 */
const NAMES = slotTable(literal('sluice/names/'), 1024);
/** A larger list is asked for each time: reading a slot copies all of it, and a worker's memory never shrinks. */
const MOST = 1 << 20;

/** Fills the call with pages that are still good. False: there are none, ask the server. @param client its headers */
export function takeCached(
  call: UpstreamCall,
  session: Session,
  client: Span,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): bool {
  const server = call.server;
  if (!isKept(server, session)) return false;
  const entry = LISTS.read(ownerOf(LISTS, call.noun.noun, server, session, client, keys, arena), keys, arena);
  if (entry === NONE) return false;
  if (!isGood(entry, server, now)) return false;
  for (let at = pointer(entry) + 4; at < limit(entry);) {
    const document = span(at + 5, load<u32>(at + 1));
    const page =
      load<u8>(at) === 1
        ? readSoundPage(document, call.noun, arena)
        : readPage(document, call.noun, session.revision, arena);
    call.pages.push(changetype<usize>(page) as u64);
    at = limit(document);
  }
  call.cached = true;
  return true;
}

/**
 * Whether there is one of that name: no only where a list that is still good says so.
 * @param client the client's headers
 */
export function mayExist(
  noun: Noun,
  server: Server,
  name: Span,
  session: Session,
  client: Span,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): bool {
  if (!isKept(server, session)) return true;
  const entry = NAMES.read(ownerOf(NAMES, noun, server, session, client, keys, arena), keys, arena);
  if (entry === NONE || !isGood(entry, server, now)) return true;
  const sought = fingerprint(name);
  for (let at = pointer(entry) + 4; at < limit(entry); at += 8) if (load<u64>(at) === sought) return true;
  return false;
}

/** @param client the client's headers */
export function keep(call: UpstreamCall, session: Session, client: Span, now: u32, keys: KeyRing, arena: Arena): void {
  const server = call.server;
  if (!isKept(server, session) || call.bytes > (MOST as u64)) return;
  const entry = newWriter(arena, (call.bytes as usize) + 64).u32(now + server.cacheTtl);
  for (let i = 0; i < call.pages.count; i++) {
    const page = changetype<Page>(call.pages.at(i) as usize);
    entry
      .byte(page.isSound ? 1 : 0)
      .u32(length(page.document) as u32)
      .bytes(page.document);
  }
  LISTS.write(ownerOf(LISTS, call.noun.noun, server, session, client, keys, arena), entry.written, keys, arena);
  NAMES.write(
    ownerOf(NAMES, call.noun.noun, server, session, client, keys, arena),
    namesIn(call, now, arena),
    keys,
    arena,
  );
}

/** Not for one session where there is none. */
function isKept(server: Server, session: Session): bool {
  return server.cacheTtl > 0 && !(server.cacheScope === CacheScope.Session && isOfRequest(session));
}

function namesIn(call: UpstreamCall, now: u32, arena: Arena): Span {
  let count = 0;
  for (let i = 0; i < call.pages.count; i++) count += changetype<Page>(call.pages.at(i) as usize).items.count;
  const names = newWriter(arena, 4 + 8 * (count as usize)).u32(now + call.server.cacheTtl);
  for (let i = 0; i < call.pages.count; i++) {
    const items = changetype<Page>(call.pages.at(i) as usize).items;
    for (let j = 0; j < items.count; j++) {
      const name = textOf(changetype<Item>(items.at(j) as usize).name, arena);
      if (name !== NONE) names.u64(fingerprint(name));
    }
  }
  return names.written;
}

/** An entry that is good for longer than any is was kept before the clock was set back. */
function isGood(entry: Span, server: Server, now: u32): bool {
  const expires = load<u32>(pointer(entry));
  return now < expires && expires - now <= server.cacheTtl;
}

function ownerOf(
  table: SlotTable,
  noun: Noun,
  server: Server,
  session: Session,
  client: Span,
  keys: KeyRing,
  arena: Arena,
): Span {
  let whose: Span = NONE;
  if (server.cacheScope === CacheScope.Session) whose = session.id;
  else if (server.cacheScope === CacheScope.Credential)
    whose = credentialScope(server.credentials, client, keys, arena);
  return owner(table, whose, combined(server.fingerprint, noun), arena);
}
