import { isTokenCharacter, lowerCase } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, fingerprint, length, limit, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Kind, kindOf, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { KeyRing } from '../model/keyring';
import { Server } from '../model/server';
import { owner, slotTable } from '../session/slots';
import { UpstreamCall } from '../upstream/call';
import { credentialScope } from '../upstream/credentials';
import { Item, Page } from '../upstream/page';

/**
 * Which arguments of a server's tools are repeated in headers, by `x-mcp-header` in their schemas (MCP 2026-07-28, HTTP
 * headers, SEP-2243): from the last list of it that came, for calls of clients with sessions, which do not know of it.
 *
 *     table:         │ expires, seconds since 1970 (4) │ { fingerprint of a tool's name (8) │ size (4) │ declaration … } … │
 *     declaration:   │ size of a name (1) │ the name, in lower case … │ depth (1) │ { size (2) │ name of a member … } … │
 */
const PARAMS = slotTable(literal('sluice/params/'), 1024, 2);
/** Seconds: for so long a declaration that is new is not known. */
const KEPT: u32 = 60;
const HEAD: usize = 4;
const ENTRY: usize = 12;
/** Bytes of a table. A larger one is made anew for each call. */
const MOST: i32 = 1 << 18;
/** What is beyond that is not repeated: so many of a tool, members within each other, bytes of a name of a header or a member. */
const MOST_DECLARATIONS: i32 = 64;
const DEEPEST: i32 = 8;
const MOST_OF_HEADER: i32 = 128;
const MOST_OF_MEMBER: i32 = 1024;

const X_MCP_HEADER = literal('x-mcp-header');
const INPUT_SCHEMA = literal('inputSchema');
const PROPERTIES = literal('properties');
const EMPTY = literal('');

/** What is declared of a tool in a list that has come; empty: nothing. Kept for the calls to come. @param name its own */
export function declaredIn(call: UpstreamCall, name: Span, client: Span, now: u32, keys: KeyRing, arena: Arena): Span {
  const table = tableOf(call, now, arena);
  if (length(table) <= MOST) PARAMS.write(ownerOf(call.server, client, keys, arena), table, keys, arena);
  return declarationsOf(table, name);
}

/** Keeps what is declared in a list. @param client the client's headers */
export function keepDeclarations(call: UpstreamCall, client: Span, now: u32, keys: KeyRing, arena: Arena): void {
  if (!call.failed) declaredIn(call, EMPTY, client, now, keys, arena);
}

/** What is declared of a tool; empty: nothing; NONE: no list that was kept and is still good says it. @param name its own */
export function keptDeclarations(
  server: Server,
  name: Span,
  client: Span,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): Span {
  const table = PARAMS.read(ownerOf(server, client, keys, arena), keys, arena);
  if (table === NONE || length(table) < (HEAD as i32)) return NONE;
  const expires = load<u32>(pointer(table));
  // One that is good for longer than any is was kept before the clock was set back.
  return now >= expires || expires - now > KEPT ? NONE : declarationsOf(table, name);
}

/** Reads declarations one after the other: `name`, then as many steps as `depth` says, to be taken all. */
@unmanaged
export class DeclarationReader {
  private at: usize;
  private end: usize;
  /** In lower case. */
  name: Span;
  depth: u32;

  next(): bool {
    if (this.at === this.end) return false;
    const size = load<u8>(this.at);
    this.name = span(this.at + 1, size);
    this.depth = load<u8>(this.at + 1 + (size as usize));
    this.at += 2 + (size as usize);
    return true;
  }

  /** The name of a member, the outermost first. */
  step(): Span {
    const size = load<u16>(this.at);
    const name = span(this.at + 2, size);
    this.at += 2 + (size as usize);
    return name;
  }

  open(declarations: Span): DeclarationReader {
    this.at = pointer(declarations);
    this.end = limit(declarations);
    return this;
  }
}

/** @param declarations of one tool */
export function readDeclarations(declarations: Span, arena: Arena): DeclarationReader {
  return make<DeclarationReader>(arena).open(declarations);
}

function declarationsOf(table: Span, name: Span): Span {
  const sought = fingerprint(name);
  for (let at = pointer(table) + HEAD; at < limit(table);) {
    const size = load<u32>(at, 8);
    if (load<u64>(at) === sought) return span(at + ENTRY, size);
    at += ENTRY + (size as usize);
  }
  return EMPTY;
}

function tableOf(call: UpstreamCall, now: u32, arena: Arena): Span {
  const table = newWriter(arena, 64).u32(now + KEPT);
  const path = newList(arena);
  for (let p = 0; p < call.pages.count; p++) {
    const page = changetype<Page>(call.pages.at(p) as usize);
    for (let i = 0; i < page.items.count; i++) addTool(table, changetype<Item>(page.items.at(i) as usize), path, arena);
  }
  return table.written;
}

function addTool(table: Writer, item: Item, path: List, arena: Arena): void {
  const name = textOf(item.name, arena);
  if (name === NONE) return;
  const declarations = newWriter(arena, 64);
  const schema = member(item.object, INPUT_SCHEMA, arena);
  addDeclared(declarations, member(schema, PROPERTIES, arena), path, MOST_DECLARATIONS, arena);
  if (declarations.size === 0) return;
  table
    .u64(fingerprint(name))
    .u32(declarations.size as u32)
    .bytes(declarations.written);
}

/** @param path that leads there, of Span. @param most that may be added. @returns how many more may be */
function addDeclared(out: Writer, properties: Span, path: List, most: i32, arena: Arena): i32 {
  if (properties === NONE || kindOf(properties) !== Kind.Object || path.count === DEEPEST) return most;
  for (const walk = walkThrough(properties, arena); walk.next() && most > 0;) {
    const name = walk.key(arena);
    if (name === NONE || length(name) > MOST_OF_MEMBER || kindOf(walk.value) !== Kind.Object) continue;
    path.push(name);
    const header = member(walk.value, X_MCP_HEADER, arena);
    const text: Span = header === NONE || kindOf(header) !== Kind.String ? NONE : textOf(header, arena);
    if (text !== NONE && isToken(text)) {
      write(out, text, path);
      most--;
    }
    most = addDeclared(out, member(walk.value, PROPERTIES, arena), path, most, arena);
    path.count--;
  }
  return most;
}

/** RFC 9110 §5.6.2 */
function isToken(text: Span): bool {
  if (length(text) === 0 || length(text) > MOST_OF_HEADER) return false;
  for (let at = pointer(text); at < limit(text); at++) if (!isTokenCharacter(load<u8>(at))) return false;
  return true;
}

function write(out: Writer, header: Span, path: List): void {
  out.u8(length(header) as u32);
  for (let at = pointer(header); at < limit(header); at++) out.byte(lowerCase(load<u8>(at)) as u8);
  out.u8(path.count as u32);
  for (let i = 0; i < path.count; i++) out.u16(length(path.at(i)) as u32).bytes(path.at(i));
}

function ownerOf(server: Server, client: Span, keys: KeyRing, arena: Arena): Span {
  const whose = credentialScope(server.credentials, client, keys, arena);
  return owner(PARAMS, whose, server.fingerprint, arena);
}
