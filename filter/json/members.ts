import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, equals, NONE } from '../bytes/span';
import { kindOf, Kind, walkThrough } from './reader';

/** The members of an object, read once for many questions: each `member` of reader.ts reads all of it. */
@unmanaged
export class Members {
  /** A name, then its value, and so on. */
  private list: List;

  read(object: Span, arena: Arena): void {
    this.list = newList(arena);
    if (object === NONE || kindOf(object) !== Kind.Object) return;
    for (const walk = walkThrough(object, arena); walk.next();) {
      this.list.push(walk.key(arena));
      this.list.push(walk.value);
    }
  }

  /** The value of a member by its unescaped name, or NONE; of several, the last, as JSON.parse has it. */
  get(name: Span): Span {
    for (let i = this.list.count - 2; i >= 0; i -= 2) if (equals(this.list.at(i), name)) return this.list.at(i + 1);
    return NONE;
  }
}

/** Without any where it is no object, or NONE. */
export function membersOf(object: Span, arena: Arena): Members {
  const members = make<Members>(arena);
  members.read(object, arena);
  return members;
}
