import { Arena, make } from '../bytes/arena';
import { List } from '../bytes/list';
import { Span, equals, literal, limit, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { doubleOf, isWhole, shortest } from '../json/numbers';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { clipped } from '../bytes/clipped';
import { ARRAY, BOOLEAN, INTEGER, NULL, NUMBER, OBJECT, Schema, STRING, typeNames } from './schema';

/** Whether a value is what a schema says; what is wrong is told to who sent it, with the place and the rule. */

const NONE_OF_ANY = literal('must be what one of anyOf says');
const NONE_OF_ONE = literal('must be what exactly one of oneOf says');
const MUST_BE = literal('must be ');
const MUST_BE_ONE_OF = literal('must be one of ');
const IS_REQUIRED = literal('is required');
const IS_UNKNOWN = literal('is not one of the members that are known here');
const AT_LEAST = literal('must be at least ');
const AT_MOST = literal('must be at most ');
const MORE_THAN = literal('must be more than ');
const LESS_THAN = literal('must be less than ');
const LENGTH_AT_LEAST = literal('must have at least ');
const LENGTH_AT_MOST = literal('must have at most ');
const CHARACTERS = literal(' characters');
const ELEMENTS = literal(' elements');
const COMMA = literal(', ');
const COLON = literal(': ');
const WHOLE = literal('arguments');
const NO_TEXT = literal('is no text: it has half of a surrogate pair');
const FOUND = literal(', found ');
const SHOWN = 60;
/** Values of a list that are named. */
const MOST_CHOICES = 20;

/** Where in the arguments. */
@unmanaged
class Place {
  parent: Place | null;
  /** Unescaped; NONE: an element. */
  name: Span;
  index: i32;
}

function placeOf(parent: Place | null, name: Span, index: i32, arena: Arena): Place {
  const place = make<Place>(arena);
  place.parent = parent;
  place.name = name;
  place.index = index;
  return place;
}

function writePlace(writer: Writer, place: Place): void {
  const parent = place.parent;
  if (parent !== null) writePlace(writer, parent);
  if (place.name === NONE) {
    writer
      .byte(0x5b)
      .decimal(place.index as u64)
      .byte(0x5d);
    return;
  }
  if (parent !== null) writer.byte(0x2e);
  writer.bytes(clipped(place.name, SHOWN));
}

function complain(place: Place | null, rule: Span, arena: Arena): Span {
  const writer = newWriter(arena, 128);
  if (place === null) writer.bytes(WHOLE);
  else writePlace(writer, place);
  return writer.bytes(COLON).bytes(rule).written;
}

/** NONE, or what is wrong first. @param value JSON, scanned. @param arena for what is left over, too */
export function validate(schema: Schema, value: Span, arena: Arena): Span {
  return check(schema, value, null, arena);
}

/** The same of a member. */
export function validateMember(schema: Schema, value: Span, name: Span, arena: Arena): Span {
  return check(schema, value, placeOf(null, name, 0, arena), arena);
}

/** What is said of a member that has to be there. */
export function missingMember(name: Span, arena: Arena): Span {
  return complain(placeOf(null, name, 0, arena), IS_REQUIRED, arena);
}

function check(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  const kind = kindOf(value);
  if (schema.types !== 0 && !isOf(schema.types, value, kind)) {
    const rule = newWriter(arena, 96).bytes(MUST_BE).bytes(typeNames(schema.types, arena)).bytes(FOUND);
    return complain(place, rule.bytes(clipped(value, SHOWN)).written, arena);
  }
  const choices = schema.choices;
  if (choices !== null && !isAmong(choices, value, kind, arena))
    return complain(place, choiceRule(choices, arena), arena);
  switch (kind) {
    case Kind.Number:
      return checkNumber(schema, doubleOf(value), place, arena) || checkCombined(schema, value, place, arena);
    case Kind.String:
      return checkText(schema, value, place, arena) || checkCombined(schema, value, place, arena);
    case Kind.Array:
      return checkElements(schema, value, place, arena) || checkCombined(schema, value, place, arena);
    case Kind.Object:
      return checkMembers(schema, value, place, arena) || checkCombined(schema, value, place, arena);
    default:
      return checkCombined(schema, value, place, arena);
  }
}

function isOf(types: u32, value: Span, kind: Kind): bool {
  switch (kind) {
    case Kind.String:
      return (types & STRING) !== 0;
    case Kind.Number:
      return (types & NUMBER) !== 0 || ((types & INTEGER) !== 0 && isInteger(value));
    case Kind.True:
    case Kind.False:
      return (types & BOOLEAN) !== 0;
    case Kind.Object:
      return (types & OBJECT) !== 0;
    case Kind.Array:
      return (types & ARRAY) !== 0;
    default:
      return (types & NULL) !== 0;
  }
}

/** JSON Schema: any number without a fraction, `1.0` and those that are larger than 64 bits hold included. */
function isInteger(value: Span): bool {
  if (isWhole(value)) return true;
  const double = doubleOf(value);
  return abs(double) >= 9e15 || (double !== 0 && floor(double) === double);
}

function isAmong(choices: List, value: Span, kind: Kind, arena: Arena): bool {
  for (let i = 0; i < choices.count; i++) {
    const choice: Span = choices.at(i);
    if (equals(choice, value)) return true;
    if (kindOf(choice) !== kind) continue;
    if (kind === Kind.Number && doubleOf(choice) === doubleOf(value)) return true;
    if (kind === Kind.String && equals(textOf(choice, arena), textOf(value, arena))) return true;
  }
  return false;
}

function choiceRule(choices: List, arena: Arena): Span {
  const writer = newWriter(arena, 128).bytes(MUST_BE_ONE_OF);
  for (let i = 0; i < min(choices.count, MOST_CHOICES); i++) {
    if (i > 0) writer.bytes(COMMA);
    writer.bytes(clipped(choices.at(i), SHOWN));
  }
  return writer.written;
}

function checkNumber(schema: Schema, value: f64, place: Place | null, arena: Arena): Span {
  if (value < schema.minimum) return complain(place, bound(AT_LEAST, schema.minimum, arena), arena);
  if (value > schema.maximum) return complain(place, bound(AT_MOST, schema.maximum, arena), arena);
  if (value <= schema.exclusiveMinimum) return complain(place, bound(MORE_THAN, schema.exclusiveMinimum, arena), arena);
  if (value >= schema.exclusiveMaximum) return complain(place, bound(LESS_THAN, schema.exclusiveMaximum, arena), arena);
  return NONE;
}

function bound(rule: Span, value: f64, arena: Arena): Span {
  return newWriter(arena, 64)
    .bytes(rule)
    .bytes(shortest(value, -4, arena)).written;
}

function checkText(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  const text = textOf(value, arena);
  if (text === NONE) return complain(place, NO_TEXT, arena);
  if (schema.minLength < 0 && schema.maxLength < 0) return NONE;
  return checkCount(characters(text), schema.minLength, schema.maxLength, CHARACTERS, place, arena);
}

/** Code points (JSON Schema Validation §6.3). */
function characters(text: Span): i64 {
  let count: i64 = 0;
  for (let at = pointer(text); at < limit(text); at++) if ((load<u8>(at) & 0xc0) !== 0x80) count++;
  return count;
}

function checkCount(count: i64, least: i64, most: i64, what: Span, place: Place | null, arena: Arena): Span {
  if (count < least) return complain(place, counted(LENGTH_AT_LEAST, least, what, arena), arena);
  return most >= 0 && count > most ? complain(place, counted(LENGTH_AT_MOST, most, what, arena), arena) : NONE;
}

function counted(rule: Span, count: i64, what: Span, arena: Arena): Span {
  return newWriter(arena, 64).bytes(rule).signed(count).bytes(what).written;
}

function checkElements(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  const items = schema.items;
  let count = 0;
  for (const walk = walkThrough(value, arena); walk.next();) {
    if (items !== null) {
      const wrong = check(items, walk.value, placeOf(place, NONE, count, arena), arena);
      if (wrong !== NONE) return wrong;
    }
    count++;
  }
  return checkCount(count as i64, schema.minItems, schema.maxItems, ELEMENTS, place, arena);
}

function checkMembers(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  for (let i = 0; i < schema.required.count; i++) {
    const name: Span = schema.required.at(i);
    if (member(value, name, arena) === NONE) return complain(placeOf(place, name, 0, arena), IS_REQUIRED, arena);
  }
  if (schema.properties.count === 0 && !schema.isClosed && schema.additional === null) return NONE;
  for (const walk = walkThrough(value, arena); walk.next();) {
    const name = textOf(walk.name, arena);
    const known: usize = name === NONE ? 0 : schema.properties.get(name);
    const here = placeOf(place, name === NONE ? walk.name : name, 0, arena);
    let wrong = NONE;
    if (known !== 0) wrong = check(changetype<Schema>(known), walk.value, here, arena);
    else if (schema.isClosed) wrong = complain(here, IS_UNKNOWN, arena);
    else if (schema.additional !== null) wrong = check(schema.additional!, walk.value, here, arena);
    if (wrong !== NONE) return wrong;
  }
  return NONE;
}

function checkCombined(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  const all = schema.allOf;
  for (let i = 0; all !== null && i < all.count; i++) {
    const wrong = check(changetype<Schema>(all.at(i) as usize), value, place, arena);
    if (wrong !== NONE) return wrong;
  }
  const any = schema.anyOf;
  if (any !== null && fits(any, value, place, arena) === 0) return complain(place, NONE_OF_ANY, arena);
  const one = schema.oneOf;
  return one !== null && fits(one, value, place, arena) !== 1 ? complain(place, NONE_OF_ONE, arena) : NONE;
}

function fits(schemas: List, value: Span, place: Place | null, arena: Arena): i32 {
  let count = 0;
  for (let i = 0; i < schemas.count; i++) {
    if (check(changetype<Schema>(schemas.at(i) as usize), value, place, arena) === NONE) count++;
  }
  return count;
}
