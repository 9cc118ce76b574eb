import { SLASH } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { hashOf } from '../bytes/hash';
import { Span, span, after, length, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { random, setSlot, slot, swapSlot } from '../ports';
import { NONCE_SIZE, open, seal, TAG_SIZE } from '../crypto/aead';
import { Key, KeyRing } from '../model/keyring';

/**
 * A fixed table in the host's shared store, which has no delete, no expiry and no listing: an entry has its slots by its
 * owner's hash, and overwrites whoever was there. Each gateway of an Envoy has slots of its own. Entries are sealed with
 * their slot and owner as associated data, so that one owner's entry is nobody else's, and other plugins of the same Envoy
 * can neither read nor forge one, nor move it.
 *
 * Where what is wanted is mostly there, an owner has a choice of two slots: two owners of one slot would else take it from
 * each other for ever (cuckoo hashing; of a hundred owners of 1,024 slots, nine would). Where it is mostly not there, a
 * second look would be in vain each time.
 *
 *     │ key id (1) │ nonce (12) │ sealed … │ tag (16) │
 */
@unmanaged
export class SlotTable {
  /** `sluice/<table>/` */
  name: Span;
  slots: u32;
  /** How many slots an owner has the choice of: 1, or 2. */
  choices: u32;
  /** Which of them has the entry that was read or written last. */
  choice: u32;

  /** The entry of that owner, or NONE. */
  read(owner: Span, keys: KeyRing, arena: Arena): Span {
    for (let choice: u32 = 0; choice < this.choices; choice++) {
      const entry = this.readAt(choice, owner, keys, arena);
      if (entry !== NONE) return entry;
    }
    return NONE;
  }

  write(owner: Span, entry: Span, keys: KeyRing, arena: Arena): void {
    this.writeAt(this.choices === 1 ? 0 : this.bestFor(owner, keys, arena), owner, entry, keys, arena);
  }

  /** The same of one slot alone. Owners of the same id have slots of the same numbers in tables of the same size. */
  readAt(choice: u32, owner: Span, keys: KeyRing, arena: Arena): Span {
    this.choice = choice;
    const name = this.nameOf(owner, choice, keys, arena);
    return opened(slot(name), bindingOf(name, owner, arena), keys, arena);
  }

  writeAt(choice: u32, owner: Span, entry: Span, keys: KeyRing, arena: Arena): void {
    this.choice = choice;
    const name = this.nameOf(owner, choice, keys, arena);
    setSlot(name, sealedEntry(bindingOf(name, owner, arena), entry, keys.sealing, arena));
  }

  /** Right after `read` of the same owner: only where no worker has written to its slot since. Whether it did. */
  swap(owner: Span, entry: Span, keys: KeyRing, arena: Arena): bool {
    const name = this.nameOf(owner, 0, keys, arena);
    return swapSlot(name, sealedEntry(bindingOf(name, owner, arena), entry, keys.sealing, arena));
  }

  /** Whatever is in the slot of that owner, or NONE: in a table whose entries say themselves whose they are. */
  occupant(owner: Span, keys: KeyRing, arena: Arena): Span {
    const name = this.nameOf(owner, 0, keys, arena);
    return opened(slot(name), name, keys, arena);
  }

  /** Right after `occupant` of the same owner: only where no worker has written to its slot since. Whether it did. */
  displace(owner: Span, entry: Span, keys: KeyRing, arena: Arena): bool {
    const name = this.nameOf(owner, 0, keys, arena);
    return swapSlot(name, sealedEntry(name, entry, keys.sealing, arena));
  }

  /** The slot that is its own or nobody's; else either, so that who gives way finds another. */
  private bestFor(owner: Span, keys: KeyRing, arena: Arena): u32 {
    for (let choice: u32 = 0; choice < this.choices; choice++) {
      const name = this.nameOf(owner, choice, keys, arena);
      const sealed = slot(name);
      if (sealed === NONE || opened(sealed, bindingOf(name, owner, arena), keys, arena) !== NONE) return choice;
    }
    return (load<u8>(pointer(random(1, arena))) as u32) % this.choices;
  }

  /** `sluice/<table>/<gateway>/<number>` */
  private nameOf(owner: Span, choice: u32, keys: KeyRing, arena: Arena): Span {
    const hash = hashOf(after(owner, length(this.name)));
    const number = choice === 0 ? hash % this.slots : (hash / this.slots) % this.slots;
    return newWriter(arena, 128)
      .bytes(this.name)
      .bytes(keys.gateway)
      .byte(SLASH)
      .decimal(number as u64).written;
  }
}

/** What an entry is sealed with. The slot's name ends in digits, and the owner begins with that of the table. */
function bindingOf(name: Span, owner: Span, arena: Arena): Span {
  return newWriter(arena, 192).bytes(name).bytes(owner).written;
}

function opened(sealed: Span, bound: Span, keys: KeyRing, arena: Arena): Span {
  const size = length(sealed) - HEAD;
  if (sealed === NONE || size < TAG_SIZE) return NONE;
  const key = keys.find(load<u8>(pointer(sealed)));
  if (key === null) return NONE;
  const plain = arena.allocate(size as usize);
  const nonce = pointer(sealed) + 1;
  const text = pointer(after(sealed, HEAD));
  const sound = open(key.bytes, nonce, pointer(bound), length(bound), text, size, plain);
  return sound ? span(plain, (size - TAG_SIZE) as u32) : NONE;
}

function sealedEntry(bound: Span, entry: Span, key: Key, arena: Arena): Span {
  const size = (HEAD + length(entry) + TAG_SIZE) as usize;
  const sealed = newWriter(arena, size)
    .u8(key.id)
    .bytes(random(NONCE_SIZE as usize, arena));
  const nonce = pointer(sealed.written) + 1;
  const text = sealed.room((length(entry) + TAG_SIZE) as usize);
  seal(key.bytes, nonce, pointer(bound), length(bound), pointer(entry), length(entry), text);
  return sealed.wrote((length(entry) + TAG_SIZE) as usize).written;
}

/**
 * Whether a moment in a slot is less than `span` ago. One that lies in the future is not believed: the clock was set
 * back, and what it says would stay true until the clock has caught up. All in the same unit.
 */
export function isWithin(since: u64, now: u64, span: u64): bool {
  return since <= now && now - since < span;
}

const HEAD: i32 = 1 + NONCE_SIZE;

/** For module level only. @param choices see SlotTable */
export function slotTable(name: Span, slots: u32, choices: u32 = 1): SlotTable {
  const table = changetype<SlotTable>(heap.alloc(offsetof<SlotTable>()));
  table.name = name;
  table.slots = slots;
  table.choices = choices;
  table.choice = 0;
  return table;
}

/** An owner is the kind of entry, so that no table's entry is good in another, and then who it is for. */
export function owner(table: SlotTable, id: Span, more: u64, arena: Arena): Span {
  return newWriter(arena, 64).bytes(table.name).u64(more).bytes(id).written;
}
