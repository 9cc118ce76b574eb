import { Arena } from '../bytes/arena';
import { Span, length, limit, pointer, span } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/** SHA-256 (FIPS 180-4 §6.2), and the keyed hash that is made of it, HMAC (RFC 2104). */
export const DIGEST_SIZE: usize = 32;

const BLOCK: usize = 64;
const ROUNDS: usize = 64;
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

/** Fractional parts of the square roots of the first 8 primes, and of the cube roots of the first 64 (FIPS 180-4 §4.2). */
const INITIAL = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const CONSTANTS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
/** Words of a message schedule; one digest is made at a time. */
const SCHEDULE = memory.data(256, 16);

/** DIGEST_SIZE bytes. */
export function sha256(message: Span, arena: Arena): Span {
  const state = arena.allocate(DIGEST_SIZE);
  memory.copy(state, INITIAL, DIGEST_SIZE);
  let at = pointer(message);
  for (; at + BLOCK <= limit(message); at += BLOCK) compress(state, at);

  // Padding (§5.1.1): one bit, zeroes, the length in bits as 64 of them, big endian.
  const left = limit(message) - at;
  const size: usize = left + 9 > BLOCK ? 2 * BLOCK : BLOCK;
  const last = arena.zeroed(size);
  memory.copy(last, at, left);
  store<u8>(last + left, 0x80);
  store<u64>(last + size - 8, bswap((length(message) as u64) * 8));
  compress(state, last);
  if (size > BLOCK) compress(state, last + BLOCK);
  for (let i: usize = 0; i < DIGEST_SIZE; i += 4) store<u32>(state + i, bswap(load<u32>(state + i)));
  return span(state, DIGEST_SIZE as u32);
}

/** DIGEST_SIZE bytes. @param key at most 64 bytes (a longer one would have to be hashed first, RFC 2104 §2) */
export function hmacSha256(key: Span, message: Span, arena: Arena): Span {
  const inner = newWriter(arena, BLOCK + (length(message) as usize));
  pad(inner.room(BLOCK), key, INNER_PAD);
  const digest = sha256(inner.wrote(BLOCK).bytes(message).written, arena);
  const outer = newWriter(arena, BLOCK + DIGEST_SIZE);
  pad(outer.room(BLOCK), key, OUTER_PAD);
  return sha256(outer.wrote(BLOCK).bytes(digest).written, arena);
}

function pad(to: usize, key: Span, byte: u8): void {
  memory.fill(to, byte, BLOCK);
  for (let i: usize = 0; i < (length(key) as usize); i++) store<u8>(to + i, byte ^ load<u8>(pointer(key) + i));
}

function compress(state: usize, block: usize): void {
  const w = SCHEDULE;
  for (let i: usize = 0; i < 16; i++) store<u32>(w + (i << 2), bswap(load<u32>(block + (i << 2))));
  for (let i: usize = 16; i < ROUNDS; i++) {
    const at = w + (i << 2);
    const w15 = load<u32>(at - 60);
    const w2 = load<u32>(at - 8);
    const s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3);
    const s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10);
    store<u32>(at, load<u32>(at - 64) + s0 + load<u32>(at - 28) + s1);
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let i: usize = 0; i < ROUNDS; i++) {
    const sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const t1 = h + sum1 + ((e & f) ^ (~e & g)) + load<u32>(CONSTANTS + (i << 2)) + load<u32>(w + (i << 2));
    const sum0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
