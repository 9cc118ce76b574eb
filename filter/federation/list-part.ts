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

/** Walks over what is chosen of a merged list, in order. */
@unmanaged
class ChosenItems {
  fanOut: FanOut;
  private call: i32;
  private page: i32;
  private index: i32;
  item: Item;

  next(): bool {
    for (; this.call < this.fanOut.calls.count; this.call++, this.page = 0) {
      const pages = this.fanOut.at(this.call).pages;
      for (; this.page < pages.count; this.page++, this.index = 0) {
        const items = changetype<Page>(pages.at(this.page) as usize).items;
        while (this.index < items.count) {
          this.item = changetype<Item>(items.at(this.index++) as usize);
          if (this.item.chosen) return true;
        }
      }
    }
    return false;
  }
}

function chosenOf(fanOut: FanOut, arena: Arena): ChosenItems {
  const items = make<ChosenItems>(arena);
  items.fanOut = fanOut;
  return items;
}

/** What a list is that a caller sees, as far as `mergedSize` chose. */
export function generationOf(fanOut: FanOut, arena: Arena): u64 {
  let generation: u64 = 0;
  for (const items = chosenOf(fanOut, arena); items.next();) {
    generation = combined(generation, fingerprint(items.item.name, length(items.item.object) as u64));
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
  for (const items = chosenOf(fanOut, arena); items.next();) {
    const size = itemSize(items.item) + 1;
    const isBefore = index++ < from;
    if (!isBefore && part.next === 0 && (part.size === 0 || part.size + size <= most)) {
      part.size += size;
      continue;
    }
    if (!isBefore && part.next === 0) part.next = index - 1;
    items.item.chosen = false;
  }
  return part;
}
