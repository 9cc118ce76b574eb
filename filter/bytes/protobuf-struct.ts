import { Arena } from './arena';
import { Fields, fieldsIn, LENGTH_DELIMITED } from './protobuf';
import { Span, equals, NONE } from './span';

/**
 * `google.protobuf.Struct` in its wire form, as far as it is looked into:
 *
 *     Struct    = 1: entry { 1: name, 2: Value } …        ListValue = 1: Value …
 *     Value     = 1: null | 2: double | 3: string | 4: bool | 5: Struct | 6: ListValue
 *
 * A map from names to messages has the same form.
 */
export const ENTRIES = 1;
const KEY = 1;
const VALUE = 2;

/** Fields of google.protobuf.Value. */
export const NUMBER = 2;
export const STRING = 3;
export const BOOLEAN = 4;
export const STRUCT = 5;
export const LIST = 6;

/** The name of the entry that `readEntry` read last, and its value; NONE where the entry has none. */
export let entryName: Span = NONE;
export let entryValue: Span = NONE;

/** Reads an entry of a map. False where it is none. */
export function readEntry(entries: Fields, arena: Arena): bool {
  entryName = NONE;
  entryValue = NONE;
  if (entries.field !== ENTRIES || entries.type !== LENGTH_DELIMITED) return false;
  const entry = fieldsIn(entries.bytes, arena);
  while (entry.next()) {
    if (entry.type !== LENGTH_DELIMITED) continue;
    if (entry.field === KEY) entryName = entry.bytes;
    else if (entry.field === VALUE) entryValue = entry.bytes;
  }
  return entryName !== NONE && !entry.broken;
}

/** The value of a map's entry, or NONE where there is none or the message is no map. */
export function entryIn(map: Span, name: Span, arena: Arena): Span {
  const entries = fieldsIn(map, arena);
  while (entries.next()) if (readEntry(entries, arena) && equals(entryName, name)) return entryValue;
  return NONE;
}

/** The Struct in a Value, or NONE where it holds anything else. */
export function structIn(value: Span, arena: Arena): Span {
  const kind = fieldsIn(value, arena);
  return value !== NONE && kind.next() && kind.field === STRUCT && kind.type === LENGTH_DELIMITED ? kind.bytes : NONE;
}
