import { Arena, make, newArena } from '../../../filter/bytes/arena';
import { List, newList } from '../../../filter/bytes/list';
import { Span, equals, span, NONE } from '../../../filter/bytes/span';
import { KEY_SIZE } from '../../../filter/crypto/aead';
import { Key, KeyRing } from '../../../filter/model/keyring';
import { connect } from '../../../filter/ports';

/** Slots as a host has them, in memory: name, then value. */
const kept = newArena(64 << 10);
const slots: List = newList(kept);
let drawn: u8 = 0;

function find(key: Span): i32 {
  for (let i = slots.count - 2; i >= 0; i -= 2) if (equals(slots.at(i), key)) return i;
  return -1;
}

function put(key: Span, value: Span): void {
  slots.push(kept.copy(key));
  slots.push(kept.copy(value));
}

/** The gateway whose slots they are. */
export const ring: KeyRing = make<KeyRing>(kept);

/** Slots are there from now on, of a gateway that has none yet. @param byte of which its key is made */
export function useSlots(byte: u8): void {
  connect(
    (key: Span): Span => {
      const at = find(key);
      return at < 0 ? NONE : slots.at(at + 1);
    },
    put,
    (key: Span, value: Span): bool => {
      put(key, value);
      return true;
    },
    (count: usize, arena: Arena): Span => {
      const at = arena.allocate(count);
      memory.fill(at, ++drawn, count);
      return span(at, count as u32);
    },
    (queue: u32, stream: u32, text: Span): void => {},
  );
  const key = make<Key>(kept);
  key.id = 1;
  key.bytes = kept.allocate(KEY_SIZE as usize);
  memory.fill(key.bytes, byte, KEY_SIZE as usize);
  ring.keys = newList(kept);
  ring.keys.push(changetype<usize>(key) as u64);
  ring.gateway = kept.copy(span(key.bytes, 1));
}
