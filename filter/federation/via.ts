import { Span, literal, length, limit, pointer } from '../bytes/span';

/** RFC 9110 §7.6.3: protocol version and pseudonym. */
export const OUR_VIA = literal('1.1 sluice');

/** Whether a message has been here before: one of its Via entries is ours (RFC 9110 §7.6.3, detecting request loops). */
export function hasPassed(via: Span): bool {
  for (let at = pointer(via); at + (length(OUR_VIA) as usize) <= limit(via); at++) {
    if (memory.compare(at, pointer(OUR_VIA), length(OUR_VIA) as usize) !== 0) continue;
    const end = at + (length(OUR_VIA) as usize);
    const next: u32 = end === limit(via) ? 0x2c : load<u8>(end);
    if (next === 0x2c || next === 0x20) return true;
  }
  return false;
}
