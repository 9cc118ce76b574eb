import { HYPHEN, LOWER_A, hexDigit, hexValue, isDigit } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, span, pointer, length, NONE } from '../bytes/span';
import { Writer } from '../bytes/writer';

/**
 * An upstream's session id, packed: most servers use UUIDs, which need 16 bytes of their 36. What has to be known to come
 * to the instance that opened the session stands before the id.
 *
 *     │ length of the rest (2) │ form (1) │ [ length (1) │ endpoint ] │ [ length (2) │ cookie ] │ bytes │
 *     form: 0 none, 1 UUID, 2 as it is; 128 more where there is an endpoint, 64 more where there is a cookie
 */
const enum Form {
  None,
  Uuid,
  Verbatim,
}

const HAS_ENDPOINT: u32 = 128;
const HAS_COOKIE: u32 = 64;
const FORMS: u32 = 63;
const UUID_TEXT = 36;
const UUID_BYTES = 16;

/**
 * @param endpoint of at most MAX_ENDPOINT bytes, or NONE
 * @param cookie of at most MAX_COOKIE bytes, or NONE
 */
export function packId(writer: Writer, id: Span, endpoint: Span, cookie: Span): void {
  const form = id === NONE ? Form.None : isUuid(id) ? Form.Uuid : Form.Verbatim;
  const size = form === Form.Uuid ? UUID_BYTES : length(id);
  const sizeOfEndpoint = endpoint === NONE ? 0 : 1 + length(endpoint);
  const sizeOfCookie = cookie === NONE ? 0 : 2 + length(cookie);
  const flags = (endpoint === NONE ? 0 : HAS_ENDPOINT) | (cookie === NONE ? 0 : HAS_COOKIE);
  writer.u16(1 + sizeOfEndpoint + sizeOfCookie + size).u8(form | flags);
  if (endpoint !== NONE) writer.u8(length(endpoint)).bytes(endpoint);
  if (cookie !== NONE) writer.u16(length(cookie)).bytes(cookie);
  if (form === Form.Uuid) {
    for (let i = 0; i < UUID_TEXT; i += 2) {
      if (isDash(i)) i++;
      writer.u8((hexAt(id, i) << 4) | hexAt(id, i + 1));
    }
  } else if (form === Form.Verbatim) writer.bytes(id);
}

/** @param packed what packId wrote, its length included */
export function unpackId(packed: Span, arena: Arena): Span {
  const at = pointer(packed);
  const before = 3 + sizeOfEndpoint(at) + sizeOfCookie(at);
  switch ((load<u8>(at, 2) as u32) & FORMS) {
    case Form.Uuid:
      return uuidText(at + (before as usize), arena);
    case Form.Verbatim:
      return span(at + (before as usize), 2 + (load<u16>(at) as u32) - before);
    default:
      return NONE;
  }
}

/** The endpoint in the same, or NONE. */
export function unpackEndpoint(packed: Span): Span {
  const at = pointer(packed);
  return sizeOfEndpoint(at) === 0 ? NONE : span(at + 4, load<u8>(at, 3));
}

/** The cookie in the same, or NONE. */
export function unpackCookie(packed: Span): Span {
  const at = pointer(packed);
  const cookie = at + 3 + (sizeOfEndpoint(at) as usize);
  return sizeOfCookie(at) === 0 ? NONE : span(cookie + 2, load<u16>(cookie));
}

/** Bytes, its length included. @param at what packId wrote */
function sizeOfEndpoint(at: usize): u32 {
  return ((load<u8>(at, 2) as u32) & HAS_ENDPOINT) === 0 ? 0 : 1 + (load<u8>(at, 3) as u32);
}

/** Bytes, its length included. @param at what packId wrote */
function sizeOfCookie(at: usize): u32 {
  if (((load<u8>(at, 2) as u32) & HAS_COOKIE) === 0) return 0;
  return 2 + (load<u16>(at + 3 + (sizeOfEndpoint(at) as usize)) as u32);
}

function isDash(index: i32): bool {
  return index === 8 || index === 13 || index === 18 || index === 23;
}

function hexAt(text: Span, index: i32): u32 {
  return hexValue(load<u8>(pointer(text) + (index as usize)));
}

/** Only the lower-case form (RFC 9562 §4): anything else must come back as it was written. */
function isUuid(text: Span): bool {
  if (length(text) !== UUID_TEXT) return false;
  for (let i = 0; i < UUID_TEXT; i++) {
    const c: u32 = load<u8>(pointer(text) + (i as usize));
    if (isDash(i) ? c !== HYPHEN : !(isDigit(c) || c - LOWER_A < 6)) return false;
  }
  return true;
}

function uuidText(bytes: usize, arena: Arena): Span {
  const out = arena.allocate(UUID_TEXT);
  let from = bytes;
  for (let i = 0; i < UUID_TEXT; i++) {
    if (isDash(i)) {
      store<u8>(out + (i as usize), HYPHEN);
      continue;
    }
    const byte = load<u8>(from++);
    store<u8>(out + (i as usize), hexDigit(byte >> 4));
    store<u8>(out + (++i as usize), hexDigit(byte & 15));
  }
  return span(out, UUID_TEXT);
}
