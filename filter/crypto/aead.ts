import * as chacha20 from './chacha20';
import * as poly1305 from './poly1305';

/**
 * AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8) on raw memory.
 *
 *     sealed:         │ ciphertext (n) │ tag (16) │
 *     what is tagged: │ aad, zeroes to a multiple of 16 │ ciphertext, likewise │ length of aad (8) │ n (8) │
 *
 * Key, nonce and aad are read before anything is written to `out`: a sealed text may be opened over its own nonce.
 */
export const KEY_SIZE: i32 = chacha20.KEY_SIZE;
export const NONCE_SIZE: i32 = chacha20.NONCE_SIZE;
export const TAG_SIZE: i32 = poly1305.TAG_SIZE;

const REST: usize = poly1305.BLOCK_SIZE - 1;

/** A block of the tagged text that does not lie in memory as such: padded, or the two lengths. */
const PIECE = memory.data(16, 16);
const TAG = memory.data(16, 16);

/**
 * Writes `length + TAG_SIZE` bytes to `out`, which may be `text`.
 * @param nonce never used before with this key (§4): two messages under one give both away, and the power to forge
 */
export function seal(key: usize, nonce: usize, aad: usize, aadLength: i32, text: usize, length: i32, out: usize): void {
  start(key, nonce, aad, aadLength);
  chacha20.crypt(text, length, out);
  finish(out, length, aadLength);
  v128.store(out + (length as usize), v128.load(TAG));
  wipe();
}

/**
 * False: not sealed with this key, nonce and aad, and `out` is as it was. Else `length - TAG_SIZE` bytes are in `out`,
 * which may be `sealed` or lie before it.
 * @param length of the ciphertext and its tag; may be anything that a stranger sends
 */
export function open(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: i32,
  sealed: usize,
  length: i32,
  out: usize,
): bool {
  if (length < TAG_SIZE) return false;
  const textLength = length - TAG_SIZE;
  start(key, nonce, aad, aadLength);
  finish(sealed, textLength, aadLength);
  // Sixteen bytes in one step: the time does not tell how many of them were right (§4).
  const genuine = !v128.any_true(v128.xor(v128.load(TAG), v128.load(sealed + (textLength as usize))));
  if (genuine) chacha20.crypt(sealed, textLength, out);
  wipe();
  return genuine;
}

/** Block 0 of the key stream is the one-time key (§2.6); the text is encrypted from block 1 on. */
function start(key: usize, nonce: usize, aad: usize, aadLength: i32): void {
  chacha20.start(key, nonce, 0);
  poly1305.start(chacha20.block());
  absorbPadded(aad, aadLength);
}

function finish(ciphertext: usize, length: i32, aadLength: i32): void {
  absorbPadded(ciphertext, length);
  store<u64>(PIECE, aadLength as u64);
  store<u64>(PIECE, length as u64, 8);
  poly1305.absorb(PIECE, 1, poly1305.WHOLE);
  poly1305.finish(TAG);
}

function absorbPadded(text: usize, length: i32): void {
  const rest = (length as usize) & REST;
  const whole = (length as usize) - rest;
  poly1305.absorb(text, (whole / poly1305.BLOCK_SIZE) as i32, poly1305.WHOLE);
  if (rest === 0) return;
  v128.store(PIECE, i64x2(0, 0));
  for (let i: usize = 0; i < rest; i++) store<u8>(PIECE + i, load<u8>(text + whole + i));
  poly1305.absorb(PIECE, 1, poly1305.WHOLE);
}

/** The right tag of a forged message is a secret too: whoever reads it can send that message. */
function wipe(): void {
  chacha20.wipe();
  poly1305.wipe();
  v128.store(TAG, i64x2(0, 0));
}
