import { decode, encode, encodedLength } from '../../../filter/bytes/base64';

export function base64urlEncodedLength(length: i32): i32 {
  return encodedLength(length);
}

export function base64urlEncode(bytes: usize, length: i32, out: usize): i32 {
  return encode(bytes, length, out);
}

export function base64urlDecode(text: usize, length: i32, out: usize): i32 {
  return decode(text, length, out);
}
