import { SPACE } from './ascii';
import { Arena } from './arena';
import { List, newList } from './list';
import { Span, between, equals, limit, literal, pointer } from './span';

/** Names, one space between: `'id env'`. For module level only. */
export function names(text: string): Span {
  return literal(text);
}

/** The names of such a constant, as spans. */
export function namesIn(text: Span, arena: Arena): List {
  const list = newList(arena);
  let from = pointer(text);
  for (let at = from; at <= limit(text); at++) {
    if (at < limit(text) && load<u8>(at) !== SPACE) continue;
    if (at > from) list.push(between(from, at));
    from = at + 1;
  }
  return list;
}

/** Whether it is one of the names of such a constant. */
export function isNameOf(text: Span, name: Span): bool {
  let from = pointer(text);
  for (let at = from; at <= limit(text); at++) {
    if (at < limit(text) && load<u8>(at) !== SPACE) continue;
    if (equals(between(from, at), name)) return at > from;
    from = at + 1;
  }
  return false;
}
