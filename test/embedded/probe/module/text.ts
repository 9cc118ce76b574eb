import { Span, span, pointer, length, fingerprint } from '../../../../filter/bytes/span';

/** The bytes of a text, for one host call: nothing of the probe is ever collected. */
export function bytesOf(text: string): Span {
  const size = String.UTF8.byteLength(text);
  const at = heap.alloc(max(size, 1));
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
  return span(at, size as u32);
}

/** As it is. */
export function textOf(bytes: Span): string {
  return String.UTF8.decodeUnsafe(pointer(bytes), length(bytes) as usize);
}

const SHOWN = 80;

/** In one line: printable ASCII and escapes, or what identifies it where it is long. */
export function shown(bytes: Span): string {
  const size = length(bytes);
  if (size > SHOWN) return `{${size} bytes, ${(fingerprint(bytes) as u32).toString(16)}}`;
  let text = '"';
  for (let i = 0; i < size; i++) {
    const byte = load<u8>(pointer(bytes) + (i as usize));
    if (byte === 0x0a) text += '\\n';
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte < 16 ? '0' : ''}${(byte as u32).toString(16)}`;
  }
  return `${text}"`;
}

/** Bytes of a word of a script: `\n`, `\xNN`, all else as it stands. */
export function unescaped(word: string): Span {
  const at = heap.alloc(max(word.length, 1));
  let size: u32 = 0;
  for (let i = 0; i < word.length; i++) {
    let byte = word.charCodeAt(i);
    if (byte === 0x5c && word.charAt(i + 1) === 'n') {
      byte = 0x0a;
      i++;
    } else if (byte === 0x5c && word.charAt(i + 1) === 'x') {
      byte = I32.parseInt(word.substr(i + 2, 2), 16);
      i += 3;
    }
    store<u8>(at + (size as usize), byte as u8);
    size++;
  }
  return span(at, size);
}

const results = ['Ok', 'NotFound', 'BadArgument', 'SerializationFailure', 'ParseFailure', 'BadExpression'].concat([
  'InvalidMemoryAccess',
  'Empty',
  'CasMismatch',
  'ResultMismatch',
  'InternalFailure',
  'BrokenConnection',
  'Unimplemented',
]);

/** The ABI's name of a result. */
export function resultName(result: i32): string {
  return result >= 0 && result < results.length ? results[result] : result.toString();
}
