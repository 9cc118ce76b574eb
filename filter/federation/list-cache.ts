import { Noun, NounRow } from '../mcp/nouns';
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
const LISTS = slotTable(literal('sluice/list/'), 1024);
/**
 * Which list that is and how long it is good, for each request to look at: a list would be copied and deciphered whole.
 * A number is drawn anew for each list.
 *
 *     │ expires, seconds since 1970 (4) │ number (8) │
 */
const NUMBERS = slotTable(literal('sluice/list-number/'), 1024);
const NUMBER_SIZE: usize = 8;
/** A larger list is asked for each time: reading a slot copies all of it, and a worker's memory never shrinks. */
const MOST = 1 << 20;

/**
 * The list that is kept of a server and still good, or null: there is none, ask the server. Until the end of the callback.
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
  const entry = NUMBERS.read(ownerOf(NUMBERS, noun.noun, server, session, client, keys, scratch), keys, scratch);
  if (entry === NONE || !isGood(entry, server, now)) return null;
  const number = load<u64>(pointer(entry), 4);
  const owner = ownerOf(LISTS, noun.noun, server, session, client, keys, scratch);
  const list = openedList(owner, number);
  return list === null ? open(noun, owner, number, session.revision, keys) : list;
}

/** The list of that number; null where its slot has another's, or another list. */
function open(noun: NounRow, owner: Span, number: u64, revision: Revision, keys: KeyRing): OpenedList | null {
  if (!hasRoom(MOST * 4)) return null;
  const list = newOpenedList(owner, number);
  const entry = LISTS.read(owner, keys, list.arena);
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
  const number = random(NUMBER_SIZE, arena);
  const list = newWriter(arena, (call.bytes as usize) + 64).bytes(number);
  for (let i = 0; i < call.pages.count; i++) {
    const page = changetype<Page>(call.pages.at(i) as usize);
    list
      .byte(page.isSound ? 1 : 0)
      .u32(length(page.document) as u32)
      .bytes(page.document);
  }
  const noun = call.noun.noun;
  LISTS.write(ownerOf(LISTS, noun, server, session, client, keys, arena), list.written, keys, arena);
  const entry = newWriter(arena, 12)
    .u32(now + server.cacheTtl)
    .bytes(number);
  NUMBERS.write(ownerOf(NUMBERS, noun, server, session, client, keys, arena), entry.written, keys, arena);
}

/** Not for one session where there is none. */
function isKept(server: Server, session: Session): bool {
  return server.cacheTtl > 0 && !(server.cacheScope === CacheScope.Session && isOfRequest(session));
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
