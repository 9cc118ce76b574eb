import { Arena, make } from '../bytes/arena';
import { combined, fingerprint, length } from '../bytes/span';
import { FanOut } from './fanout';
import { itemSize } from './merge';
import { Item, Page } from '../upstream/page';

/**
 * A part of a merged list that is larger than a client gets at once. Where the next one begins is a number of items, which
 * says nothing once the list is another one: its generation tells that, made of what is shown, in order.
 */
@unmanaged
export class ListPart {
  generation: u64;
  /** Items before the next part; 0: there is none. */
  next: u32;
  /** Bytes of the items of this one. */
  size: u64;
}

/** What a list is that a caller sees, as far as `mergedSize` chose. */
export function generationOf(fanOut: FanOut): u64 {
  let generation: u64 = 0;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    for (let p = 0; p < call.pages.count; p++) {
      const items = changetype<Page>(call.pages.at(p) as usize).items;
      for (let t = 0; t < items.count; t++) {
        const item = changetype<Item>(items.at(t) as usize);
        if (item.chosen) generation = combined(generation, fingerprint(item.name, length(item.object) as u64));
      }
    }
  }
  return combined(generation, 1);
}

/**
 * Leaves chosen what belongs to one part: at least one item, where there is one.
 * @param from items that earlier parts had @param most bytes
 */
export function choosePart(fanOut: FanOut, from: u32, most: u64, arena: Arena): ListPart {
  const part = make<ListPart>(arena);
  let index: u32 = 0;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    for (let p = 0; p < call.pages.count; p++) {
      const items = changetype<Page>(call.pages.at(p) as usize).items;
      for (let t = 0; t < items.count; t++) {
        const item = changetype<Item>(items.at(t) as usize);
        if (!item.chosen) continue;
        index++;
        const size = itemSize(item) + 1;
        const isBefore = index <= from;
        if (!isBefore && part.next === 0 && (part.size === 0 || part.size + size <= most)) part.size += size;
        else {
          if (!isBefore && part.next === 0) part.next = index - 1;
          item.chosen = false;
        }
      }
    }
  }
  return part;
}
