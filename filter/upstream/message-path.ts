import { COLON, HASH, QUESTION_MARK, SLASH, SPACE, TILDE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import {
  Span,
  after,
  between,
  equalsIgnoringCase,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  startsWith,
  trim,
  NONE,
} from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Server } from '../model/server';

const SLASHES = literal('//');
const ROOT = literal('/');
/** Bytes; it is sealed into an address that a client sends with each message. */
const MOST: i32 = 2048;

/**
 * The path and query to POST messages to, as a server of HTTP+SSE says it in its `endpoint` event: a reference (RFC 3986
 * §4.1) that is resolved against the path of the stream. NONE: none, or one that leads to another origin than the server's.
 * @param data of the event. @returns valid as long as `data`, `server` and the arena
 */
export function messagePath(data: Span, server: Server, arena: Arena): Span {
  const reference = withoutFragment(trim(data));
  if (length(reference) === 0 || length(reference) > MOST || !isVisible(reference)) return NONE;
  if (startsWith(reference, SLASHES)) return pathBehind(after(reference, SLASHES as u32), server);
  const c = load<u8>(pointer(reference));
  if (c === SLASH) return reference;
  const path = withoutQuery(server.path);
  if (c === QUESTION_MARK) return joined(path, reference, arena);
  const end = indexOfAny(reference);
  if (end < length(reference) && load<u8>(pointer(reference) + (end as usize)) === COLON) {
    const rest = after(reference, (end as u32) + 1);
    return startsWith(rest, SLASHES) ? pathBehind(after(rest, SLASHES as u32), server) : NONE;
  }
  return joined(first(path, folderOf(path)), reference, arena);
}

/** @param rest an authority, and what follows it */
function pathBehind(rest: Span, server: Server): Span {
  let at = pointer(rest);
  while (at < limit(rest) && load<u8>(at) !== SLASH && load<u8>(at) !== QUESTION_MARK) at++;
  if (!equalsIgnoringCase(between(pointer(rest), at), server.authority)) return NONE;
  if (at === limit(rest)) return ROOT;
  return load<u8>(at) === SLASH ? between(at, limit(rest)) : NONE;
}

/** The offset of the first character that ends a scheme or the first segment of a path, or the length. */
function indexOfAny(text: Span): i32 {
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    if (c === COLON || c === SLASH || c === QUESTION_MARK) return (at - pointer(text)) as i32;
  }
  return length(text);
}

function withoutFragment(text: Span): Span {
  const at = indexOf(text, HASH);
  return at < 0 ? text : first(text, at as u32);
}

function withoutQuery(path: Span): Span {
  const at = indexOf(path, QUESTION_MARK);
  return at < 0 ? path : first(path, at as u32);
}

/** Up to and with the last slash. */
function folderOf(path: Span): u32 {
  let end = length(path) as u32;
  while (end > 0 && load<u8>(pointer(path) + ((end - 1) as usize)) !== SLASH) end--;
  return end;
}

function joined(path: Span, reference: Span, arena: Arena): Span {
  return newWriter(arena, (length(path) + length(reference)) as usize)
    .bytes(path)
    .bytes(reference).written;
}

function isVisible(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    if (c <= SPACE || c > TILDE) return false;
  }
  return true;
}
