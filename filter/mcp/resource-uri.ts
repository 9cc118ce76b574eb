import { COLON, DOT, HYPHEN, PLUS, SLASH, isDigit, isLetter } from '../bytes/ascii';
import { Span, after, equalsIgnoringCase, first, indexOf, length, literal, pointer, NONE } from '../bytes/span';

/**
 * How the uri of a resource, or the uriTemplate of a template, tells the server that it belongs to: the server's name and
 * a slash stand behind `scheme:` and, where it follows, `//`; at the beginning where there is no literal scheme.
 *
 *     file:///repo/a   ◀──▶  file://git//repo/a          urn:x            ◀──▶  urn:git/x
 *     ui://form        ◀──▶  ui://git/form               {+path}          ◀──▶  git/{+path}
 *     test://{id}/x    ◀──▶  test://git/{id}/x           https://x.org/   ◀──▶  https://x.org/
 *
 * What a marked template expands to is the marked form of what the bare one expands to, since nothing that an expression
 * stands for comes before the mark. These functions work on texts; for a text in JSON, `offsetBehind` of json/text.ts
 * gives the same place in the string token, as everything before it is ASCII.
 */

const SLASHES = literal('//');
const HTTPS = literal('https');

/** The offset in a server's own uri at which its mark is inserted; -1: the uri stays as it is. */
export function markAt(uri: Span): i32 {
  return isWeb(uri) ? -1 : behindScheme(uri);
}

/** What `markAtOfAll` returns where it is not the same for all. */
export const UNDECIDED = -2;

/** What `markAt` returns for every uri that begins so. */
export function markAtOfAll(beginning: Span): i32 {
  const size = schemeLength(beginning);
  // Two more bytes tell whether slashes follow.
  if (size > 0) return length(beginning) >= size + 3 ? markAt(beginning) : UNDECIDED;
  for (let i = 0; i < length(beginning); i++) {
    if (!maySpell(load<u8>(pointer(beginning) + (i as usize)), i)) return 0;
  }
  return UNDECIDED;
}

/**
 * The part of a uri where a server's name stands if the uri is marked, as a part of it that is followed by a slash; NONE
 * where none can stand. `pointer` and `length` tell the range: the mark is this part and the slash.
 */
export function markedName(uri: Span): Span {
  const at = markAt(uri);
  if (at < 0) return NONE;
  const behind = after(uri, at as u32);
  const size = indexOf(behind, SLASH);
  return size > 0 ? first(behind, size as u32) : NONE;
}

/** Whether clients may fetch it by themselves, so that it is never changed (MCP: common URI schemes). */
export function isWeb(uri: Span): bool {
  const size = schemeLength(uri);
  return equalsIgnoringCase(first(uri, size as u32), HTTPS) && hasSlashes(uri, size + 1);
}

function behindScheme(uri: Span): i32 {
  const size = schemeLength(uri);
  if (size === 0) return 0;
  return hasSlashes(uri, size + 1) ? size + 3 : size + 1;
}

/** Without its colon; 0: it has none (RFC 3986 §3.1). */
export function schemeLength(uri: Span): i32 {
  const end = length(uri);
  for (let i = 0; i < end; i++) {
    const c = load<u8>(pointer(uri) + (i as usize));
    if (c === COLON) return i;
    if (!maySpell(c, i)) return 0;
  }
  return 0;
}

/** Whether a character may stand at that place of a scheme. */
function maySpell(c: u32, at: i32): bool {
  return isLetter(c) || (at > 0 && (isDigit(c) || c === PLUS || c === HYPHEN || c === DOT));
}

function hasSlashes(uri: Span, at: i32): bool {
  return length(uri) >= at + 2 && load<u16>(pointer(uri) + (at as usize)) === load<u16>(pointer(SLASHES));
}
