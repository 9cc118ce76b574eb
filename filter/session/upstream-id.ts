import { HYPHEN, LOWER_A, hexDigit, hexValue, isDigit } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, span, pointer, length, NONE } from '../bytes/span';
import { Writer } from '../bytes/writer';

/**
 * An upstream's session id, packed: most servers use UUIDs, which need 16 bytes of their 36.
 *
 *     │ length of the rest (2) │ form (1) │ bytes │          form: 0 none, 1 UUID, 2 as it is
 */
const enum Form {
  None,
  Uuid,
  Verbatim,
}

const UUID_TEXT = 36;
const UUID_BYTES = 16;

export function packId(writer: Writer, id: Span): void {
  if (id === NONE) {
    writer.u16(1).u8(Form.None);
  } else if (isUuid(id)) {
    writer.u16(1 + UUID_BYTES).u8(Form.Uuid);
    for (let i = 0; i < UUID_TEXT; i += 2) {
      if (isDash(i)) i++;
      writer.u8((hexAt(id, i) << 4) | hexAt(id, i + 1));
    }
  } else {
    writer
      .u16(1 + length(id))
      .u8(Form.Verbatim)
      .bytes(id);
  }
}

/** @param packed what packId wrote, its length included */
export function unpackId(packed: Span, arena: Arena): Span {
  const at = pointer(packed);
  const size = (load<u16>(at) as u32) - 1;
  switch (load<u8>(at, 2) as i32) {
    case Form.Uuid:
      return uuidText(at + 3, arena);
    case Form.Verbatim:
      return span(at + 3, size);
    default:
      return NONE;
  }
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
