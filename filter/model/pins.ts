import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { newNameTable, NameTable } from '../bytes/names';
import { Span } from '../bytes/span';
import { Fact } from './tool-facts';

/** What becomes of a tool whose definition nobody has looked at. In the order of the configuration's names. */
export const enum PinAction {
  Allow,
  /** It is served, and the log and the status say so. */
  Flag,
  /** It does not exist for anybody. */
  Hide,
  /** It is not listed, and a call is told why. */
  Refuse,
}

/** The definitions of tools that were looked at and found good. */
@unmanaged
export class Pins {
  /** By the tool's name at the gateway, without overrides: the address of the digest of its definition. */
  tools: NameTable;
  /** The names, of Span, in the order of the configuration. */
  names: List;
  /** Made of all of them. */
  fingerprint: u64;
  changed: PinAction;
  unpinned: PinAction;

  /** The address of the digest that is pinned for it, or 0. */
  digestOf(name: Span): usize {
    return this.tools.get(name);
  }

  /** @param facts of a tool, bits of Fact */
  actionOn(facts: u32): PinAction {
    if ((facts & Fact.Pinned) !== 0) return PinAction.Allow;
    return (facts & Fact.Changed) !== 0 ? this.changed : this.unpinned;
  }

  /** Whether it keeps anything from being used. */
  get decides(): bool {
    return this.changed >= PinAction.Hide || this.unpinned >= PinAction.Hide;
  }
}

export function newPins(arena: Arena): Pins {
  const pins = make<Pins>(arena);
  pins.tools = newNameTable(arena);
  pins.names = newList(arena);
  return pins;
}
