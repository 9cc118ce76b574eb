import { open, seal } from '../../../filter/crypto/aead';
import * as chacha20 from '../../../filter/crypto/chacha20';
import * as poly1305 from '../../../filter/crypto/poly1305';

export function aeadSeal(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: i32,
  text: usize,
  length: i32,
  out: usize,
): void {
  seal(key, nonce, aad, aadLength, text, length, out);
}

export function aeadOpen(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: i32,
  sealed: usize,
  length: i32,
  out: usize,
): bool {
  return open(key, nonce, aad, aadLength, sealed, length, out);
}

/** RFC 8439 §2.4 with any first block, as the vectors of A.1 and A.2 ask for. */
export function chacha20Crypt(key: usize, nonce: usize, counter: u32, text: usize, length: i32, out: usize): void {
  chacha20.start(key, nonce, counter);
  chacha20.crypt(text, length, out);
}

/** RFC 8439 §2.6 */
export function chacha20Block(key: usize, nonce: usize, counter: u32, out: usize): void {
  chacha20.start(key, nonce, counter);
  memory.copy(out, chacha20.block(), chacha20.BLOCK_SIZE);
}

const LAST = memory.data(16);

/** RFC 8439 §2.5. The AEAD tags whole blocks only; a message of any length ends in a shorter one, closed by a 1. */
export function poly1305Tag(key: usize, message: usize, length: i32, tag: usize): void {
  const rest = (length as usize) & 15;
  const whole = (length as usize) - rest;
  poly1305.start(key);
  poly1305.absorb(message, length >> 4, poly1305.WHOLE);
  if (rest > 0) {
    memory.fill(LAST, 0, 16);
    memory.copy(LAST, message + whole, rest);
    store<u8>(LAST + rest, 1);
    poly1305.absorb(LAST, 1, 0);
  }
  poly1305.finish(tag);
}
