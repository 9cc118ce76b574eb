import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { newNameTable, NameTable } from '../bytes/names';
import { Span } from '../bytes/span';
import { covers, isExact, matches } from './glob';
import { overlap } from './overlap';

/** The names that a list of names and globs stands for. Exact names cost one look-up, however many there are. */
@unmanaged
export class NameSet {
  /** Elements are Span. */
  patterns: List;
  names: NameTable;
  globs: List;

  /** @param pattern simplified; kept as long as the set */
  add(pattern: Span): void {
    this.patterns.push(pattern);
    if (isExact(pattern)) this.names.put(pattern, 1);
    else this.globs.push(pattern);
  }

  has(name: Span): bool {
    if (this.names.get(name) !== 0) return true;
    for (let i = 0; i < this.globs.count; i++) if (matches(this.globs.at(i), name)) return true;
    return false;
  }

  /** Whether one of the names that a pattern matches is in it. */
  meets(pattern: Span): bool {
    if (isExact(pattern)) return this.has(pattern);
    for (let i = 0; i < this.patterns.count; i++) if (overlap(this.patterns.at(i), pattern)) return true;
    return false;
  }

  /** Whether one of its patterns alone matches all that a pattern matches; may say no wrongly, never yes. */
  covers(pattern: Span): bool {
    for (let i = 0; i < this.patterns.count; i++) if (covers(this.patterns.at(i), pattern)) return true;
    return false;
  }
}

export function newNameSet(arena: Arena): NameSet {
  const set = make<NameSet>(arena);
  set.patterns = newList(arena);
  set.names = newNameTable(arena);
  set.globs = newList(arena);
  return set;
}
