import { Arena, scratch } from '../bytes/arena';
import { Span, after, equals, first, length, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { offsetBehind, textOf } from '../json/text';
import { markAt, markAtOfAll, markedName, UNDECIDED } from '../mcp/resource-uri';
import { Gateway } from './gateway';
import { exactBytes, rest, STAR } from './glob';
import { overlap } from './overlap';
import { Server } from './server';

/**
 * Which server a resource URI belongs to, by the configuration alone: a read needs no list to find its server, and no
 * server can take another's URI. For every URI of a server that is not on the web, `ownerOfUri` of what a client sees is
 * that server, and without the mark that `markIn` finds it is the server's URI again.
 */

/**
 * The offset at which `server.mark` is inserted into one of the server's own URIs, or URI templates, before a client sees
 * it; -1: the client sees it as it is. Inserting an empty mark, where there is one server, changes nothing.
 */
export function markOffset(gateway: Gateway, server: Server, uri: Span): i32 {
  const owned = server.ownedUris;
  // An owned one that looks as if it were marked is marked once more, or it would be taken for the other server's.
  if (owned !== null && owned.has(uri) && markedBy(gateway, uri) === null) return -1;
  return length(server.mark) === 0 ? -1 : markAt(uri);
}

/** The same for a URI as a string token of JSON: the offset in the token, its quote included. -1 also where it is no text. */
export function markOffsetInToken(gateway: Gateway, server: Server, token: Span, arena: Arena): i32 {
  const uri = textOf(token, arena);
  if (uri === NONE) return -1;
  const at = markOffset(gateway, server, uri);
  return at < 0 ? -1 : (offsetBehind(token, at) as i32);
}

/**
 * The server that a client's URI belongs to; null where the configuration does not say: nobody's, or one on the web,
 * which belongs to the server that lists it.
 */
export function ownerOfUri(gateway: Gateway, uri: Span): Server | null {
  if (gateway.hasOneServer) return gateway.serverAt(0);
  const marked = markedBy(gateway, uri);
  if (marked !== null) return marked;
  for (let i = 0; i < gateway.servers.count; i++) {
    const owned = gateway.serverAt(i).ownedUris;
    if (owned !== null && owned.has(uri)) return gateway.serverAt(i);
  }
  return null;
}

/** The offset of the mark in a client's URI, to be cut out; -1: it has none. Its length is that of `server.mark`. */
export function markIn(server: Server, uri: Span): i32 {
  if (length(server.mark) === 0) return -1;
  const name = markedName(uri);
  return name !== NONE && equals(name, server.name) ? ((pointer(name) - pointer(uri)) as i32) : -1;
}

/** The server's own URI that a client's is for. @param arena may keep it */
export function ownUri(server: Server, uri: Span, arena: Arena): Span {
  const at = markIn(server, uri);
  if (at < 0) return uri;
  return newWriter(arena, length(uri) as usize)
    .bytes(first(uri, at as u32))
    .bytes(after(uri, (at + length(server.mark)) as u32)).written;
}

/** Whether clients may see URIs of the server that a pattern matches: never false where they do. */
export function mayShow(server: Server, pattern: Span): bool {
  if (length(server.mark) === 0) return true;
  const owned = server.ownedUris;
  if (owned !== null && owned.meets(pattern)) return true;
  const at = markAtOfAll(first(pattern, exactBytes(pattern) as u32));
  if (at === UNDECIDED) return true;
  // One on the web may be any server's.
  return at < 0 || overlap(rest(pattern, at), newWriter(scratch, 80).bytes(server.mark).byte(STAR).written);
}

/** What a client sees of a URI, or of a template. @param arena may keep it */
export function shownUri(gateway: Gateway, server: Server, uri: Span, arena: Arena): Span {
  const at = markOffset(gateway, server, uri);
  if (at < 0) return uri;
  return newWriter(arena, (length(uri) + length(server.mark)) as usize)
    .bytes(first(uri, at as u32))
    .bytes(server.mark)
    .bytes(after(uri, at as u32)).written;
}

/**
 * The other form under which a client reaches one of the server's own URIs, or under which a template has some of its own:
 * NONE: there is none. What is owned is shown without the mark, and what a marked template expands to has it all the
 * same. @param arena may keep it
 */
export function otherForm(gateway: Gateway, server: Server, uri: Span, isTemplate: bool, arena: Arena): Span {
  const owned = server.ownedUris;
  if (owned === null || length(server.mark) === 0) return NONE;
  if (markOffset(gateway, server, uri) >= 0) return isTemplate ? uri : NONE;
  const at = markAt(uri);
  if (at < 0) return NONE;
  return newWriter(arena, (length(uri) + length(server.mark)) as usize)
    .bytes(first(uri, at as u32))
    .bytes(server.mark)
    .bytes(after(uri, at as u32)).written;
}

function markedBy(gateway: Gateway, uri: Span): Server | null {
  const name = markedName(uri);
  if (name === NONE) return null;
  for (let i = 0; i < gateway.servers.count; i++) {
    if (equals(gateway.serverAt(i).name, name)) return gateway.serverAt(i);
  }
  return null;
}
