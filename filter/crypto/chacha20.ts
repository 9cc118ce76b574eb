/**
 * ChaCha20 (RFC 8439 §2.3, §2.4). A row of the 4×4 state is one SIMD register: the four quarter rounds on the columns
 * become one on rows, and turning rows b, c, d by one, two and three calls brings the diagonals under each other.
 *
 * Three blocks are made at a time: their rounds are independent and overlap in the pipeline, and twelve registers of
 * state with three to work in are what a CPU with sixteen can hold. Measured (V8, x86-64), ns a block: one at a time 78,
 * two 56, three 46, four 45; the other layout, four blocks side by side in the calls of sixteen registers, 42. But a
 * token of 300 bytes takes six blocks with the one-time key, and two times three are 280 ns where two times four are 340.
 *
 *     STATE:   │ key (32) │ counter of the next block (4) │ nonce (12) │     rows b, c, d; row a is constant
 *     STREAM:  │ block n (64) │ block n + 1 (64) │ block n + 2 (64) │
 */
export const KEY_SIZE: i32 = 32;
export const NONCE_SIZE: i32 = 12;
export const BLOCK_SIZE: usize = 64;

const COUNTER: usize = 32;
const NONCE: usize = 36;
const STATE_SIZE: usize = 48;
const STREAM_SIZE: usize = 192;
const VECTOR: usize = 16;

// Static: a VM has one thread, and none of these functions is entered twice.
const STATE = memory.data(STATE_SIZE as i32, 16);
const STREAM = memory.data(STREAM_SIZE as i32, 16);

/** Bytes of STREAM that are spent. */
let spent: usize = 0;

/** Copies key and nonce, so both may be overwritten from here on. */
export function start(key: usize, nonce: usize, counter: u32): void {
  v128.store(STATE, v128.load(key));
  v128.store(STATE, v128.load(key, VECTOR), VECTOR);
  store<u32>(STATE, counter, COUNTER);
  store<u64>(STATE, load<u64>(nonce), NONCE);
  store<u32>(STATE, load<u32>(nonce, 8), NONCE + 8);
  spent = STREAM_SIZE;
}

/** The next whole block of the key stream, good until the next call. Only before the first `crypt`. */
export function block(): usize {
  if (spent === STREAM_SIZE) refill();
  spent += BLOCK_SIZE;
  return STREAM + spent - BLOCK_SIZE;
}

/** Encrypts or decrypts, which is the same (§2.4); once after `start`. `out` may be `text` or lie before it. */
export function crypt(text: usize, length: i32, out: usize): void {
  let left = length as usize;
  while (left > 0) {
    if (spent === STREAM_SIZE) refill();
    const count = min(left, STREAM_SIZE - spent);
    xor(text, STREAM + spent, count, out);
    spent += count;
    text += count;
    out += count;
    left -= count;
  }
}

/** Leaves neither key nor key stream in memory. */
export function wipe(): void {
  memory.fill(STATE, 0, STATE_SIZE);
  memory.fill(STREAM, 0, STREAM_SIZE);
}

function xor(text: usize, stream: usize, count: usize, out: usize): void {
  const whole = count & ~(VECTOR - 1);
  let i: usize = 0;
  for (; i < whole; i += VECTOR) v128.store(out + i, v128.xor(v128.load(text + i), v128.load(stream + i)));
  for (; i < count; i++) store<u8>(out + i, load<u8>(text + i) ^ load<u8>(stream + i));
}

/** Three blocks of §2.3. The counter cannot wrap: 2^32 blocks are more than a 32-bit memory holds. */
function refill(): void {
  // "expand 32-byte k"
  const a = i32x4(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
  const b = v128.load(STATE);
  const c = v128.load(STATE, VECTOR);
  const d = v128.load(STATE, COUNTER);

  const d0 = d;
  const d1 = i32x4.add(d, i32x4(1, 0, 0, 0));
  const d2 = i32x4.add(d, i32x4(2, 0, 0, 0));

  let a_0 = a;
  let b_0 = b;
  let c_0 = c;
  let d_0 = d0;
  let a_1 = a;
  let b_1 = b;
  let c_1 = c;
  let d_1 = d1;
  let a_2 = a;
  let b_2 = b;
  let c_2 = c;
  let d_2 = d2;
  for (let round = 0; round < 20; round += 2) {
    a_0 = i32x4.add(a_0, b_0);
    d_0 = rotate16(v128.xor(d_0, a_0));
    c_0 = i32x4.add(c_0, d_0);
    b_0 = rotate12(v128.xor(b_0, c_0));
    a_0 = i32x4.add(a_0, b_0);
    d_0 = rotate8(v128.xor(d_0, a_0));
    c_0 = i32x4.add(c_0, d_0);
    b_0 = rotate7(v128.xor(b_0, c_0));
    b_0 = turn1(b_0);
    c_0 = turn2(c_0);
    d_0 = turn3(d_0);

    a_1 = i32x4.add(a_1, b_1);
    d_1 = rotate16(v128.xor(d_1, a_1));
    c_1 = i32x4.add(c_1, d_1);
    b_1 = rotate12(v128.xor(b_1, c_1));
    a_1 = i32x4.add(a_1, b_1);
    d_1 = rotate8(v128.xor(d_1, a_1));
    c_1 = i32x4.add(c_1, d_1);
    b_1 = rotate7(v128.xor(b_1, c_1));
    b_1 = turn1(b_1);
    c_1 = turn2(c_1);
    d_1 = turn3(d_1);

    a_2 = i32x4.add(a_2, b_2);
    d_2 = rotate16(v128.xor(d_2, a_2));
    c_2 = i32x4.add(c_2, d_2);
    b_2 = rotate12(v128.xor(b_2, c_2));
    a_2 = i32x4.add(a_2, b_2);
    d_2 = rotate8(v128.xor(d_2, a_2));
    c_2 = i32x4.add(c_2, d_2);
    b_2 = rotate7(v128.xor(b_2, c_2));
    b_2 = turn1(b_2);
    c_2 = turn2(c_2);
    d_2 = turn3(d_2);

    a_0 = i32x4.add(a_0, b_0);
    d_0 = rotate16(v128.xor(d_0, a_0));
    c_0 = i32x4.add(c_0, d_0);
    b_0 = rotate12(v128.xor(b_0, c_0));
    a_0 = i32x4.add(a_0, b_0);
    d_0 = rotate8(v128.xor(d_0, a_0));
    c_0 = i32x4.add(c_0, d_0);
    b_0 = rotate7(v128.xor(b_0, c_0));
    b_0 = turn3(b_0);
    c_0 = turn2(c_0);
    d_0 = turn1(d_0);

    a_1 = i32x4.add(a_1, b_1);
    d_1 = rotate16(v128.xor(d_1, a_1));
    c_1 = i32x4.add(c_1, d_1);
    b_1 = rotate12(v128.xor(b_1, c_1));
    a_1 = i32x4.add(a_1, b_1);
    d_1 = rotate8(v128.xor(d_1, a_1));
    c_1 = i32x4.add(c_1, d_1);
    b_1 = rotate7(v128.xor(b_1, c_1));
    b_1 = turn3(b_1);
    c_1 = turn2(c_1);
    d_1 = turn1(d_1);

    a_2 = i32x4.add(a_2, b_2);
    d_2 = rotate16(v128.xor(d_2, a_2));
    c_2 = i32x4.add(c_2, d_2);
    b_2 = rotate12(v128.xor(b_2, c_2));
    a_2 = i32x4.add(a_2, b_2);
    d_2 = rotate8(v128.xor(d_2, a_2));
    c_2 = i32x4.add(c_2, d_2);
    b_2 = rotate7(v128.xor(b_2, c_2));
    b_2 = turn3(b_2);
    c_2 = turn2(c_2);
    d_2 = turn1(d_2);
  }

  v128.store(STREAM, i32x4.add(a_0, a));
  v128.store(STREAM, i32x4.add(b_0, b), 16);
  v128.store(STREAM, i32x4.add(c_0, c), 32);
  v128.store(STREAM, i32x4.add(d_0, d0), 48);
  v128.store(STREAM, i32x4.add(a_1, a), 64);
  v128.store(STREAM, i32x4.add(b_1, b), 80);
  v128.store(STREAM, i32x4.add(c_1, c), 96);
  v128.store(STREAM, i32x4.add(d_1, d1), 112);
  v128.store(STREAM, i32x4.add(a_2, a), 128);
  v128.store(STREAM, i32x4.add(b_2, b), 144);
  v128.store(STREAM, i32x4.add(c_2, c), 160);
  v128.store(STREAM, i32x4.add(d_2, d2), 176);
  store<u32>(STATE, load<u32>(STATE, COUNTER) + 3, COUNTER);
  spent = 0;
}

function rotate16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

function rotate12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
}

function rotate8(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}

function rotate7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
}

function turn1(row: v128): v128 {
  return i32x4.shuffle(row, row, 1, 2, 3, 0);
}

function turn2(row: v128): v128 {
  return i32x4.shuffle(row, row, 2, 3, 0, 1);
}

function turn3(row: v128): v128 {
  return i32x4.shuffle(row, row, 3, 0, 1, 2);
}
