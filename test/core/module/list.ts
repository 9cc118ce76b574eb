import { newArena } from '../../../filter/bytes/arena';
import { List, newList } from '../../../filter/bytes/list';

const arena = newArena(128);
let list: List = newList(arena);

export function listOpen(): void {
  arena.reset();
  list = newList(arena);
}

export function listPush(value: u64): void {
  list.push(value);
}

export function listAt(index: i32): u64 {
  return list.at(index);
}

export function listCount(): i32 {
  return list.count;
}
