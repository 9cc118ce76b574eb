/**
 * Poly1305 (RFC 8439 §2.5): h = (h + block) · r mod 2^130 - 5 for every block, and h + s at the end.
 *
 * The clamp of r makes 32-bit limbs possible in 64-bit arithmetic: every limb of r is below 2^28, and r1, r2, r3 are
 * divisible by 4. So what overflows 2^128 comes back without a fraction: 2^128 · ri = 2^130 · ri/4 ≡ 5 · ri/4. That takes
 * 21 multiplications a block, where limbs of 26 bits take 25 and have to be cut out of the text first.
 * No branch and no address depends on a secret.
 *
 *     STATE:  │ h0 h1 h2 h3 h4 (20) │ r0 r1 r2 r3 (16) │ s0 s1 s2 s3 (16) │     all u32, little endian
 */
export const TAG_SIZE: i32 = 16;
export const BLOCK_SIZE: usize = 16;
/** The bit that §2.5 adds behind a block of sixteen bytes: 2^128, so 1 in h4. */
export const WHOLE: u64 = 1;

const R: usize = 20;
const S: usize = 36;
const STATE_SIZE: usize = 52;
const LOW: u64 = 0xffffffff;

// Static: a VM has one thread, and none of these functions is entered twice.
const STATE = memory.data(STATE_SIZE as i32, 4);

/** @param key 32 bytes, for one message only */
export function start(key: usize): void {
  memory.fill(STATE, 0, R);
  store<u32>(STATE, load<u32>(key) & 0x0fffffff, R);
  store<u32>(STATE, load<u32>(key, 4) & 0x0ffffffc, R + 4);
  store<u32>(STATE, load<u32>(key, 8) & 0x0ffffffc, R + 8);
  store<u32>(STATE, load<u32>(key, 12) & 0x0ffffffc, R + 12);
  v128.store(STATE, v128.load(key, 16), S);
}

/**
 * @param text `blocks` times sixteen bytes
 * @param high WHOLE, or 0 where the caller has put the added bit into the bytes of a short last block
 */
export function absorb(text: usize, blocks: i32, high: u64): void {
  let h0 = load<u32>(STATE) as u64;
  let h1 = load<u32>(STATE, 4) as u64;
  let h2 = load<u32>(STATE, 8) as u64;
  let h3 = load<u32>(STATE, 12) as u64;
  let h4 = load<u32>(STATE, 16) as u64;
  const r0 = load<u32>(STATE, R) as u64;
  const r1 = load<u32>(STATE, R + 4) as u64;
  const r2 = load<u32>(STATE, R + 8) as u64;
  const r3 = load<u32>(STATE, R + 12) as u64;
  // 5 · ri/4. That of r0 leaves its two low bits over, which x4 takes up.
  const q0 = (r0 >> 2) * 5;
  const q1 = r1 + (r1 >> 2);
  const q2 = r2 + (r2 >> 2);
  const q3 = r3 + (r3 >> 2);
  const rest = r0 & 3;

  for (const end = text + (blocks as usize) * BLOCK_SIZE; text < end; text += BLOCK_SIZE) {
    // h0…h3 < 2^33 and h4 ≤ 5 from here …
    h0 += load<u32>(text) as u64;
    h1 += load<u32>(text, 4) as u64;
    h2 += load<u32>(text, 8) as u64;
    h3 += load<u32>(text, 12) as u64;
    h4 += high;

    // … so each sum is below 2^33 · 2^28 · (1 + 3 · 5/4) + 5 · 5/4 · 2^28 < 2^63.3, …
    const x0 = h0 * r0 + h1 * q3 + h2 * q2 + h3 * q1 + h4 * q0;
    const x1 = h0 * r1 + h1 * r0 + h2 * q3 + h3 * q2 + h4 * q1;
    const x2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * q3 + h4 * q2;
    const x3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * q3;
    const x4 = h4 * rest + (x3 >> 32);

    // … x4 < 2^32, and what of it lies at 2^130 and above comes back five times at the bottom.
    const y0 = (x0 & LOW) + (x4 >> 2) * 5;
    const y1 = (x1 & LOW) + (x0 >> 32) + (y0 >> 32);
    const y2 = (x2 & LOW) + (x1 >> 32) + (y1 >> 32);
    const y3 = (x3 & LOW) + (x2 >> 32) + (y2 >> 32);
    h0 = y0 & LOW;
    h1 = y1 & LOW;
    h2 = y2 & LOW;
    h3 = y3 & LOW;
    // y3 < 2^33, so at most 3 + 1.
    h4 = (x4 & 3) + (y3 >> 32);
  }

  store<u32>(STATE, h0 as u32);
  store<u32>(STATE, h1 as u32, 4);
  store<u32>(STATE, h2 as u32, 8);
  store<u32>(STATE, h3 as u32, 12);
  store<u32>(STATE, h4 as u32, 16);
}

/** Writes the sixteen bytes of the tag. */
export function finish(tag: usize): void {
  const h0 = load<u32>(STATE) as u64;
  const h1 = load<u32>(STATE, 4) as u64;
  const h2 = load<u32>(STATE, 8) as u64;
  const h3 = load<u32>(STATE, 12) as u64;
  const h4 = load<u32>(STATE, 16) as u64;

  // h < 2 · (2^130 - 5): the modulus goes out once or not at all, once exactly if h + 5 reaches 2^130.
  let carry = (h0 + 5) >> 32;
  carry = (h1 + carry) >> 32;
  carry = (h2 + carry) >> 32;
  carry = (h3 + carry) >> 32;
  const once = (h4 + carry) >> 2;

  // h - once · (2^130 - 5) + s mod 2^128 (§2.5): adding 5 is all that is left of the subtraction below 2^128.
  let sum = h0 + once * 5 + (load<u32>(STATE, S) as u64);
  store<u32>(tag, sum as u32);
  sum = h1 + (sum >> 32) + (load<u32>(STATE, S + 4) as u64);
  store<u32>(tag, sum as u32, 4);
  sum = h2 + (sum >> 32) + (load<u32>(STATE, S + 8) as u64);
  store<u32>(tag, sum as u32, 8);
  sum = h3 + (sum >> 32) + (load<u32>(STATE, S + 12) as u64);
  store<u32>(tag, sum as u32, 12);
}

/** Leaves neither r nor s in memory. */
export function wipe(): void {
  memory.fill(STATE, 0, STATE_SIZE);
}
