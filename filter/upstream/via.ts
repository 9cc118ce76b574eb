import { COMMA, SPACE, TAB } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { joined } from '../bytes/pairs';
import { Span, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/** RFC 9110 §7.6.3: protocol version and pseudonym. */
const OPEN = literal('1.1 sluice-');

/**
 * How a gateway names itself to servers: two gateways in a row are two, and one that meets its own entry is in a loop.
 * @param name of the gateway
 * @param likeness stands for the name where that is everybody's; else 0. It changes with the configuration, so a loop is
 * found as soon as a request meets a configuration for the second time
 */
export function ownEntry(name: Span, likeness: u64, arena: Arena): Span {
  const entry = newWriter(arena, 80).bytes(OPEN);
  return likeness === 0 ? entry.bytes(name).written : entry.hex(likeness).written;
}

/** Whether a message has been here before: one of its entries is ours (RFC 9110 §7.6.3, detecting request loops). */
export function hasPassed(via: Span, own: Span): bool {
  const size = length(own) as usize;
  for (let at = pointer(via); at + size <= limit(via); at++) {
    if (memory.compare(at, pointer(own), size) !== 0) continue;
    const end = at + size;
    if (
      isBetween(at === pointer(via) ? COMMA : load<u8>(at - 1)) &&
      isBetween(end === limit(via) ? COMMA : load<u8>(end))
    ) {
      return true;
    }
  }
  return false;
}

/** A comma, or white space around one. */
function isBetween(byte: u32): bool {
  return byte === COMMA || byte === SPACE || byte === TAB;
}

/** The Via of what is sent on account of a client's message. @param before its own entries, or NONE */
export function viaBehind(before: Span, own: Span, arena: Arena): Span {
  return before === NONE ? own : joined(before, own, arena);
}
