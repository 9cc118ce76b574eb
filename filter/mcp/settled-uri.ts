import {
  AT_SIGN,
  BACKSLASH,
  COLON,
  DELETE,
  HASH,
  PERCENT,
  QUESTION_MARK,
  SLASH,
  SPACE,
  UPPER_A,
  ZERO,
} from '../bytes/ascii';
import { hasDotSegment } from '../bytes/dot-segments';
import { isNameOf, names } from '../bytes/name-list';
import {
  Span,
  after,
  between,
  equals,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  startsWith,
} from '../bytes/span';
import { schemeLength } from './resource-uri';

/**
 * Whether a server that parses a URI reads it as it is written. The servers of the SDKs give what they are asked for to a URL
 * parser (WHATWG URL), and look for what comes of it: of `file:///public/../secret`, `FILE:///secret`, `file:/secret` and
 * `file:///sec<tab>ret` that is `file:///secret`. A pattern goes by what is written, so none can decide on these.
 *
 * Not looked at are escapes, which bytes/escapes.ts puts into one form, and characters that a URI has to escape, such as a blank,
 * where they stand as they are.
 */
export function isSettled(uri: Span): bool {
  if (hasBlanks(uri)) return false;
  const size = schemeLength(uri);
  const scheme = first(uri, size as u32);
  for (let i = 0; i < size; i++) if (isUpper(load<u8>(pointer(uri) + (i as usize)))) return false;
  const path = withoutQuery(uri);
  const behind = size === 0 ? path : after(path, (size as u32) + 1);
  if (hasDotSegment(behind)) return false;
  if (!isNameOf(SPECIAL, scheme)) return !startsWith(behind, SLASHES) || isSettledAuthority(authorityIn(behind), false);
  if (!startsWith(behind, SLASHES) || indexOf(behind, BACKSLASH) >= 0) return false;
  const authority = authorityIn(behind);
  if (equals(scheme, FILE) ? equals(authority, LOCALHOST) : length(authority) === 0) return false;
  return isSettledAuthority(authority, true);
}

const FILE = literal('file');
/** Schemes whose URLs have a host, and may be written with a backslash for a slash (WHATWG URL, special schemes). */
const SPECIAL = names('file https http wss ws ftp');
const LOCALHOST = literal('localhost');
const SLASHES = literal('//');
/** Ports that a parser leaves out beside their scheme. */
const OWN_PORTS = names('443 80 21');

/** Characters that a parser takes out: line breaks and tabs everywhere, and all of the kind at both ends. */
function hasBlanks(uri: Span): bool {
  for (let at = pointer(uri); at < limit(uri); at++) {
    const c = load<u8>(at);
    const isAtAnEnd = at === pointer(uri) || at + 1 === limit(uri);
    if (c < SPACE || c === DELETE || (c === SPACE && isAtAnEnd)) return true;
  }
  return false;
}

function withoutQuery(uri: Span): Span {
  for (let at = pointer(uri); at < limit(uri); at++) {
    const c = load<u8>(at);
    if (c === QUESTION_MARK || c === HASH) return between(pointer(uri), at);
  }
  return uri;
}

/** @param behind what follows the colon of the scheme, two slashes first */
function authorityIn(behind: Span): Span {
  const rest = after(behind, 2);
  const slash = indexOf(rest, SLASH);
  return slash < 0 ? rest : first(rest, slash as u32);
}

/** @param isHost a parser changes the letters of the host */
function isSettledAuthority(authority: Span, isHost: bool): bool {
  let from = pointer(authority);
  let port: usize = 0;
  for (let at = from; at < limit(authority); at++) {
    const c = load<u8>(at);
    if (c === COLON) port = at + 1;
    if (c !== AT_SIGN) continue;
    // An empty user or password is left out.
    if (at === from || port === at) return false;
    from = at + 1;
    port = 0;
  }
  for (let at = from; isHost && at < limit(authority); at++) {
    const c = load<u8>(at);
    if (isUpper(c) || c === PERCENT) return false;
  }
  return port === 0 || isSettledPort(between(port, limit(authority)));
}

function isSettledPort(port: Span): bool {
  return length(port) > 0 && load<u8>(pointer(port)) !== ZERO && !isNameOf(OWN_PORTS, port);
}

function isUpper(c: u32): bool {
  return c >= UPPER_A && c < (UPPER_A as u32) + 26;
}
