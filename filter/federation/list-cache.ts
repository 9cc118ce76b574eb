import { NounRow } from '../mcp/nouns';
import { Arena, scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, combined, span, length, literal, pointer, limit, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { CacheScope, Server } from '../model/server';
import { KeyRing } from '../model/keyring';
import { owner, SlotTable, slotTable } from '../session/slots';
import { isOfRequest } from '../session/request-session';
import { Session } from '../session/token';
import { Revision } from '../mcp/revisions';
import { random } from '../ports';
import { credentialScope } from '../upstream/credentials';
import { UpstreamCall } from '../upstream/call';
import { Page, readPage, readSoundPage } from '../upstream/page';
import { keepOpened, newOpenedList, openedList, OpenedList } from './opened-lists';

/**
 * A server's list as it was received, before any policy, which runs on every read: what one caller may not see must not
 * decide what another does. Shared by all, by those with the same credentials, or for one session.
 *
 *     │ number (8) │ { 1 where all its items are sound (1) │ length (4) │ page … } … │
 */
const LISTS = slotTable(literal('sluice/list/'), 1024, 2);
/**
 * Which list that is and how long it is good, for each request to look at: a list would be copied and deciphered whole.
 * A number is drawn anew for each list.
 *
 *     │ expires, seconds since 1970 (4) │ number (8) │
 */
const NUMBERS = slotTable(literal('sluice/list-number/'), 1024, 2);
const NUMBER_SIZE: usize = 8;
/** A larger list is asked for each time: reading a slot copies all of it, and a worker's memory never shrinks. */
const MOST = 1 << 20;

/**
 * Seconds that a list is kept because its server says so. Servers that tell their listeners of changes give lists long
 * lifetimes; where these are kept nobody listens, see `MOST_UNHEARD` in freshness.ts.
 */
const MOST_LIFETIME: u32 = 60;
/** Tells lists that are kept for as long as their server says from those that are kept as configured. */
const LASTING: u64 = 1 << 32;

/**
 * The list that is kept of a server as configured and still good, or null: there is none. Until the end of the callback.
 * @param client its headers
 */
export function keptList(
  noun: NounRow,
  server: Server,
  session: Session,
  client: Span,
  now: u32,
  keys: KeyRing,
): OpenedList | null {
  if (!isKept(server, session)) return null;
  const whose = whoseIs(server.cacheScope, server, session, client, keys, scratch);
  return find(noun, server, whose, noun.noun, server.cacheTtl, session, now, keys);
}

/**
 * The same of one that its server (MCP 2026-07-28, caching) lets be kept, for everybody or for those with the same
 * authorization: that is what the server gets to see of a caller, the credentials.
 */
export function lastingList(
  noun: NounRow,
  server: Server,
  session: Session,
  client: Span,
  now: u32,
  keys: KeyRing,
): OpenedList | null {
  if (server.cacheTtl > 0) return null;
  const kind: u64 = LASTING | (noun.noun as u64);
  const shared = find(noun, server, NONE, kind, MOST_LIFETIME, session, now, keys);
  if (shared !== null) return shared;
  const whose = whoseIs(CacheScope.Credential, server, session, client, keys, scratch);
  return whose === NONE ? null : find(noun, server, whose, kind, MOST_LIFETIME, session, now, keys);
}

/** @param kind of list @param most seconds that such a list is kept */
function find(
  noun: NounRow,
  server: Server,
  whose: Span,
  kind: u64,
  most: u32,
  session: Session,
  now: u32,
  keys: KeyRing,
): OpenedList | null {
  const entry = NUMBERS.read(ownerOf(NUMBERS, server, whose, kind, scratch), keys, scratch);
  if (entry === NONE || !isGood(entry, most, now)) return null;
  const number = load<u64>(pointer(entry), 4);
  const owner = ownerOf(LISTS, server, whose, kind, scratch);
  const opened = openedList(owner, number);
  const list = opened === null ? open(noun, owner, NUMBERS.choice, number, session.revision, keys) : opened;
  if (list !== null) list.expires = load<u32>(pointer(entry));
  return list;
}

/** The list of that number; null where its slot has another's, or another list. @param choice of the slot, that of its number */
function open(
  noun: NounRow,
  owner: Span,
  choice: u32,
  number: u64,
  revision: Revision,
  keys: KeyRing,
): OpenedList | null {
  // Read, a list of the smallest items takes ten times its bytes.
  if (!hasRoom(MOST * 12)) return null;
  const list = newOpenedList(owner, number);
  // What is sealed lands in scratch memory: that of a hundred servers at once would be as much as their lists again.
  const before = scratch.mark;
  const entry = LISTS.readAt(choice, owner, keys, list.arena);
  scratch.giveBackTo(before);
  if (entry === NONE || load<u64>(pointer(entry)) !== number) {
    list.retire();
    return null;
  }
  for (let at = pointer(entry) + NUMBER_SIZE; at < limit(entry);) {
    const document = span(at + 5, load<u32>(at + 1));
    const isSound = load<u8>(at) === 1;
    const page = isSound ? readSoundPage(document, noun, list.arena) : readPage(document, noun, revision, list.arena);
    list.pages.push(changetype<usize>(page) as u64);
    at = limit(document);
  }
  keepOpened(list);
  return list;
}

/**
 * Whether there is one of that name: no only where a list that is still good says so.
 * @param client the client's headers
 */
export function mayExist(
  noun: NounRow,
  server: Server,
  name: Span,
  session: Session,
  client: Span,
  now: u32,
  keys: KeyRing,
): bool {
  const list = keptList(noun, server, session, client, now, keys);
  return list === null || list.mayHave(name);
}

/** @param client the client's headers */
export function keep(call: UpstreamCall, session: Session, client: Span, now: u32, keys: KeyRing, arena: Arena): void {
  const server = call.server;
  if (!isKept(server, session) || call.bytes > (MOST as u64)) return;
  const whose = whoseIs(server.cacheScope, server, session, client, keys, arena);
  put(call, whose, call.noun.noun, server.cacheTtl, now, keys, arena);
}

/** Keeps it for as long as its server says, where nothing else is configured. @param client the client's headers */
export function keepLasting(
  call: UpstreamCall,
  session: Session,
  client: Span,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): void {
  const server = call.server;
  if (server.cacheTtl > 0 || call.bytes > (MOST as u64)) return;
  let lifetime: u32 = MOST_LIFETIME;
  let isPublic: bool = true;
  for (let i = 0; i < call.pages.count; i++) {
    const page = changetype<Page>(call.pages.at(i) as usize);
    lifetime = min(lifetime, page.ttl / 1000);
    isPublic = isPublic && page.isPublic;
  }
  if (lifetime === 0 || call.pages.count === 0) return;
  const whose: Span = isPublic ? NONE : whoseIs(CacheScope.Credential, server, session, client, keys, arena);
  put(call, whose, LASTING | (call.noun.noun as u64), lifetime, now, keys, arena);
}

/** @param ttl seconds */
function put(call: UpstreamCall, whose: Span, kind: u64, ttl: u32, now: u32, keys: KeyRing, arena: Arena): void {
  const server = call.server;
  const number = random(NUMBER_SIZE, arena);
  const list = newWriter(arena, (call.bytes as usize) + 64).bytes(number);
  for (let i = 0; i < call.pages.count; i++) {
    const page = changetype<Page>(call.pages.at(i) as usize);
    list
      .byte(page.isSound ? 1 : 0)
      .u32(length(page.document) as u32)
      .bytes(page.document);
  }
  const entry = newWriter(arena, 12)
    .u32(now + ttl)
    .bytes(number);
  NUMBERS.write(ownerOf(NUMBERS, server, whose, kind, arena), entry.written, keys, arena);
  // The slot of its number is its own, as both tables are of one size: nobody reads a megabyte to see whose it is.
  LISTS.writeAt(NUMBERS.choice, ownerOf(LISTS, server, whose, kind, arena), list.written, keys, arena);
}

/** Not for one session where there is none. */
function isKept(server: Server, session: Session): bool {
  return server.cacheTtl > 0 && !(server.cacheScope === CacheScope.Session && isOfRequest(session));
}

/** An entry that is good for longer than any is was kept before the clock was set back. */
function isGood(entry: Span, most: u32, now: u32): bool {
  const expires = load<u32>(pointer(entry));
  return now < expires && expires - now <= most;
}

/** For whom it is kept; NONE: for everybody. */
function whoseIs(scope: CacheScope, server: Server, session: Session, client: Span, keys: KeyRing, arena: Arena): Span {
  if (scope === CacheScope.Session) return session.id;
  return scope === CacheScope.Credential ? credentialScope(server.credentials, client, keys, arena) : NONE;
}

/** What is known of tools stands in the items of an opened list: gateways with other pins have lists of their own. */
function ownerOf(table: SlotTable, server: Server, whose: Span, kind: u64, arena: Arena): Span {
  const which = combined(server.fingerprint, kind);
  return owner(table, whose, server.notesFacts ? combined(which, server.factsFingerprint) : which, arena);
}
