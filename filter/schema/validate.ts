import { Arena, make, newArena } from '../bytes/arena';
import { List } from '../bytes/list';
import { Span, equals, literal, limit, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { doubleOf, isWhole, shortest } from '../json/numbers';
import { kindOf, Kind, member, Walk } from '../json/reader';
import { textOf } from '../json/text';
import { clipped } from '../bytes/clipped';
import { ARRAY, BOOLEAN, INTEGER, MOST_DEPTH, NULL, NUMBER, OBJECT, Schema, STRING, typeNames } from './schema';

/**
 * Whether a value is what a schema says; what is wrong is told to who sent it, with the place and the rule. A value has as
 * many parts as its sender likes, and each is held against every alternative, so that no part may take memory: what is
 * told of an alternative that does not fit is told to nobody, and is not written.
 */

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
/** Something is wrong, and nobody is told what. */
const WRONG = literal('wrong');
/** Levels of checks within checks: as deep as schemas are, and the value itself. */
const LEVELS: usize = (MOST_DEPTH as usize) + 2;

/** What is wrong is told. */
let tells = true;
/** For texts that are looked at once. */
const work = newArena(4 << 10);

/** Where in the arguments. */
@unmanaged
class Place {
  parent: Place | null;
  /** NONE: an element. */
  name: Span;
  /** The name is a token of the value, else a text. */
  isToken: bool;
  index: i32;
}

/** What one level of a check goes through, and where it is. */
@unmanaged
class Level {
  walk: Walk;
  place: Place;
}

const levels = heap.alloc(LEVELS * offsetof<Level>());
for (let i: usize = 0; i < LEVELS; i++) {
  const level = changetype<Level>(levels + i * offsetof<Level>());
  level.walk = changetype<Walk>(heap.alloc(offsetof<Walk>()));
  level.place = changetype<Place>(heap.alloc(offsetof<Place>()));
}
let depth: usize = 0;

function levelNow(): Level {
  return changetype<Level>(levels + (depth - 1) * offsetof<Level>());
}

function placeOf(parent: Place | null, name: Span, arena: Arena): Place {
  const place = make<Place>(arena);
  place.parent = parent;
  place.name = name;
  return place;
}

function writePlace(writer: Writer, place: Place, arena: Arena): void {
  const parent = place.parent;
  if (parent !== null) writePlace(writer, parent, arena);
  if (place.name === NONE) {
    writer
      .byte(0x5b)
      .decimal(place.index as u64)
      .byte(0x5d);
    return;
  }
  if (parent !== null) writer.byte(0x2e);
  const text = place.isToken ? textOf(place.name, arena) : place.name;
  writer.bytes(clipped(text === NONE ? place.name : text, SHOWN));
}

function complain(place: Place | null, rule: Span, arena: Arena): Span {
  if (!tells) return WRONG;
  const writer = newWriter(arena, 128);
  if (place === null) writer.bytes(WHOLE);
  else writePlace(writer, place, arena);
  return writer.bytes(COLON).bytes(rule).written;
}

/** NONE, or what is wrong first. @param value JSON, scanned. @param arena for what is left over, too */
export function validate(schema: Schema, value: Span, arena: Arena): Span {
  return check(schema, value, null, arena);
}

/** The same of a member. */
export function validateMember(schema: Schema, value: Span, name: Span, arena: Arena): Span {
  return check(schema, value, placeOf(null, name, arena), arena);
}

/** What is said of a member that has to be there. */
export function missingMember(name: Span, arena: Arena): Span {
  return complain(placeOf(null, name, arena), IS_REQUIRED, arena);
}

function check(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  depth++;
  const wrong = checkHere(schema, value, place, arena);
  depth--;
  return wrong;
}

function checkHere(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  const kind = kindOf(value);
  if (schema.types !== 0 && !isOf(schema.types, value, kind)) {
    return tells ? complain(place, typeRule(schema.types, value, arena), arena) : WRONG;
  }
  const choices = schema.choices;
  if (choices !== null && !isAmong(choices, value, kind)) {
    return tells ? complain(place, choiceRule(choices, arena), arena) : WRONG;
  }
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

function isAmong(choices: List, value: Span, kind: Kind): bool {
  const text: Span = kind === Kind.String ? textOf(value, work) : NONE;
  let found: bool = false;
  for (let i = 0; i < choices.count && !found; i++) {
    const choice: Span = choices.at(i);
    if (equals(choice, value)) found = true;
    else if (kindOf(choice) !== kind) continue;
    else if (kind === Kind.Number) found = doubleOf(choice) === doubleOf(value);
    else if (kind === Kind.String) found = equals(textOf(choice, work), text);
  }
  work.reset();
  return found;
}

function typeRule(types: u32, value: Span, arena: Arena): Span {
  const rule = newWriter(arena, 96).bytes(MUST_BE).bytes(typeNames(types, arena)).bytes(FOUND);
  return rule.bytes(clipped(value, SHOWN)).written;
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
  if (value < schema.minimum) return outOf(AT_LEAST, schema.minimum, place, arena);
  if (value > schema.maximum) return outOf(AT_MOST, schema.maximum, place, arena);
  if (value <= schema.exclusiveMinimum) return outOf(MORE_THAN, schema.exclusiveMinimum, place, arena);
  if (value >= schema.exclusiveMaximum) return outOf(LESS_THAN, schema.exclusiveMaximum, place, arena);
  return NONE;
}

function outOf(rule: Span, bound: f64, place: Place | null, arena: Arena): Span {
  if (!tells) return WRONG;
  const text = newWriter(arena, 64)
    .bytes(rule)
    .bytes(shortest(bound, -4, arena));
  return complain(place, text.written, arena);
}

function checkText(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  const text = textOf(value, work);
  const count: i64 = text === NONE ? 0 : characters(text);
  work.reset();
  if (text === NONE) return complain(place, NO_TEXT, arena);
  if (schema.minLength < 0 && schema.maxLength < 0) return NONE;
  return checkCount(count, schema.minLength, schema.maxLength, CHARACTERS, place, arena);
}

/** Code points (JSON Schema Validation §6.3). */
function characters(text: Span): i64 {
  let count: i64 = 0;
  for (let at = pointer(text); at < limit(text); at++) if ((load<u8>(at) & 0xc0) !== 0x80) count++;
  return count;
}

function checkCount(count: i64, least: i64, most: i64, what: Span, place: Place | null, arena: Arena): Span {
  if (count < least) return miscounted(LENGTH_AT_LEAST, least, what, place, arena);
  return most >= 0 && count > most ? miscounted(LENGTH_AT_MOST, most, what, place, arena) : NONE;
}

function miscounted(rule: Span, count: i64, what: Span, place: Place | null, arena: Arena): Span {
  return tells ? complain(place, newWriter(arena, 64).bytes(rule).signed(count).bytes(what).written, arena) : WRONG;
}

function checkElements(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  const items = schema.items;
  const level = levelNow();
  const here = level.place;
  here.parent = place;
  here.name = NONE;
  const walk = level.walk;
  let count = 0;
  for (walk.begin(value); walk.next(); count++) {
    if (items === null) continue;
    here.index = count;
    const wrong = check(items, walk.value, here, arena);
    if (wrong !== NONE) return wrong;
  }
  return checkCount(count as i64, schema.minItems, schema.maxItems, ELEMENTS, place, arena);
}

function checkMembers(schema: Schema, value: Span, place: Place | null, arena: Arena): Span {
  for (let i = 0; i < schema.required.count; i++) {
    const name: Span = schema.required.at(i);
    const isThere = member(value, name, work) !== NONE;
    work.reset();
    if (!isThere) return tells ? complain(placeOf(place, name, arena), IS_REQUIRED, arena) : WRONG;
  }
  if (schema.properties.count === 0 && !schema.isClosed && schema.additional === null) return NONE;
  const level = levelNow();
  const here = level.place;
  here.parent = place;
  const walk = level.walk;
  for (walk.begin(value); walk.next();) {
    const name = textOf(walk.name, work);
    const known: usize = name === NONE ? 0 : schema.properties.get(name);
    work.reset();
    here.name = walk.name;
    here.isToken = true;
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
  const told = tells;
  tells = false;
  let count = 0;
  for (let i = 0; i < schemas.count; i++) {
    if (check(changetype<Schema>(schemas.at(i) as usize), value, place, arena) === NONE) count++;
  }
  tells = told;
  return count;
}
