import { make, Arena } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { NameTable, newNameTable } from '../bytes/names';
import { mayReadOn } from '../bytes/room';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { doubleOf, isWhole, whole } from '../json/numbers';
import { Members, membersOf } from '../json/members';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf } from '../json/text';

/**
 * The part of JSON Schema (2020-12) that describes arguments of REST services, compiled when the configuration is read.
 * Keywords that are not here constrain nothing: `$ref`, `not`, `if`, `pattern`, `format` and others are the service's.
 */

/** Types, a bit each. */
export const STRING: u32 = 1;
export const NUMBER: u32 = 2;
export const INTEGER: u32 = 4;
export const BOOLEAN: u32 = 8;
export const OBJECT: u32 = 16;
export const ARRAY: u32 = 32;
export const NULL: u32 = 64;

/** Schemas within schemas; what is deeper constrains nothing. */
export const MOST_DEPTH = 16;
/** A byte of a list: half of an element, which is eight bytes in a list, and as much again twice while that grows. */
const ROOM_FOR_BYTE: u64 = 12;

const TYPE = literal('type');
const ENUM = literal('enum');
const CONST = literal('const');
const MINIMUM = literal('minimum');
const MAXIMUM = literal('maximum');
const EXCLUSIVE_MINIMUM = literal('exclusiveMinimum');
const EXCLUSIVE_MAXIMUM = literal('exclusiveMaximum');
const MIN_LENGTH = literal('minLength');
const MAX_LENGTH = literal('maxLength');
const MIN_ITEMS = literal('minItems');
const MAX_ITEMS = literal('maxItems');
const ITEMS = literal('items');
const PROPERTIES = literal('properties');
const REQUIRED = literal('required');
const ADDITIONAL = literal('additionalProperties');
const ANY_OF = literal('anyOf');
const ONE_OF = literal('oneOf');
const ALL_OF = literal('allOf');

const STRING_NAME = literal('string');
const NUMBER_NAME = literal('number');
const INTEGER_NAME = literal('integer');
const BOOLEAN_NAME = literal('boolean');
const OBJECT_NAME = literal('object');
const ARRAY_NAME = literal('array');
const NULL_NAME = literal('null');

const MUST_BE_TYPE = literal(' must be the name of a type of JSON Schema, or a list of them');
const MUST_BE_OBJECT = literal(' must be a schema');
const MUST_BE_LIST = literal(' must be a list');
const MUST_BE_NUMBER = literal(' must be a number');
const MUST_BE_COUNT = literal(' must be a whole number from 0 on');

@unmanaged
export class Schema {
  /** 0: any. */
  types: u32;
  /** Values (Span of JSON), one of which it must be; null: any. */
  choices: List | null;
  /** NaN: none. */
  minimum: f64;
  maximum: f64;
  exclusiveMinimum: f64;
  exclusiveMaximum: f64;
  /** -1: none. */
  minLength: i64;
  maxLength: i64;
  minItems: i64;
  maxItems: i64;
  items: Schema | null;
  /** By name: addresses of Schema. */
  properties: NameTable;
  /** Names (Span). */
  required: List;
  /** No member but those of `properties`. */
  isClosed: bool;
  /** What other members must be, or null. */
  additional: Schema | null;
  anyOf: List | null;
  oneOf: List | null;
  allOf: List | null;
}

export function newSchema(arena: Arena): Schema {
  const schema = make<Schema>(arena);
  schema.minimum = schema.maximum = schema.exclusiveMinimum = schema.exclusiveMaximum = NaN;
  schema.minLength = schema.maxLength = schema.minItems = schema.maxItems = -1;
  schema.properties = newNameTable(arena);
  schema.required = newList(arena);
  return schema;
}

/** What is wrong with the schema that was read last, or NONE: a member's name, and what it must be. */
let fault: Span = NONE;

export function schemaFault(): Span {
  return fault;
}

/** @param json of the schema, scanned; kept as long as the schema. Read as far as it goes; see `schemaFault` */
export function readSchema(json: Span, arena: Arena): Schema {
  fault = NONE;
  return read(json, 0, arena);
}

function complain(name: Span, what: Span, arena: Arena): void {
  if (fault === NONE) fault = newWriter(arena, 64).bytes(name).bytes(what).written;
}

function read(json: Span, depth: i32, arena: Arena): Schema {
  const schema = newSchema(arena);
  // `true` allows everything; `false` is nowhere of use, and is left to the service as well.
  if (depth > MOST_DEPTH || kindOf(json) !== Kind.Object) return schema;
  const members = membersOf(json, arena);
  schema.types = typesOf(members.get(TYPE), arena);
  const choices = members.get(ENUM);
  if (choices !== NONE) schema.choices = valuesOf(choices, ENUM, arena);
  const only = members.get(CONST);
  if (only !== NONE) {
    const single = newList(arena);
    single.push(only);
    schema.choices = single;
  }
  schema.minimum = numberOf(members, MINIMUM, arena);
  schema.maximum = numberOf(members, MAXIMUM, arena);
  schema.exclusiveMinimum = numberOf(members, EXCLUSIVE_MINIMUM, arena);
  schema.exclusiveMaximum = numberOf(members, EXCLUSIVE_MAXIMUM, arena);
  schema.minLength = countOf(members, MIN_LENGTH, arena);
  schema.maxLength = countOf(members, MAX_LENGTH, arena);
  schema.minItems = countOf(members, MIN_ITEMS, arena);
  schema.maxItems = countOf(members, MAX_ITEMS, arena);
  const items = members.get(ITEMS);
  if (items !== NONE) {
    if (kindOf(items) === Kind.Object) schema.items = read(items, depth + 1, arena);
    else if (kindOf(items) !== Kind.True) complain(ITEMS, MUST_BE_OBJECT, arena);
  }
  readObject(schema, members, depth, arena);
  schema.anyOf = schemasOf(members, ANY_OF, depth, arena);
  schema.oneOf = schemasOf(members, ONE_OF, depth, arena);
  schema.allOf = schemasOf(members, ALL_OF, depth, arena);
  return schema;
}

function readObject(schema: Schema, members: Members, depth: i32, arena: Arena): void {
  const properties = members.get(PROPERTIES);
  if (properties !== NONE) {
    if (kindOf(properties) !== Kind.Object) complain(PROPERTIES, MUST_BE_OBJECT, arena);
    else {
      for (const walk = walkThrough(properties, arena); walk.next() && mayReadOn();) {
        const value = walk.value;
        const name = textOf(walk.name, arena);
        if (name !== NONE) schema.properties.put(name, changetype<usize>(read(value, depth + 1, arena)));
      }
    }
  }
  const required = members.get(REQUIRED);
  // Definitions of arguments have a true or false here, which is about the argument itself.
  if (required !== NONE && kindOf(required) !== Kind.True && kindOf(required) !== Kind.False) {
    const names = valuesOf(required, REQUIRED, arena);
    for (let i = 0; i < names.count; i++) {
      if (kindOf(names.at(i)) !== Kind.String) continue;
      const name = textOf(names.at(i), arena);
      if (name !== NONE) schema.required.push(name);
    }
  }
  const additional = members.get(ADDITIONAL);
  if (additional === NONE) return;
  if (kindOf(additional) === Kind.False) schema.isClosed = true;
  else if (kindOf(additional) === Kind.Object) schema.additional = read(additional, depth + 1, arena);
}

function typesOf(value: Span, arena: Arena): u32 {
  if (value === NONE) return 0;
  if (kindOf(value) === Kind.String) return typeOf(value, arena);
  if (kindOf(value) !== Kind.Array) {
    complain(TYPE, MUST_BE_TYPE, arena);
    return 0;
  }
  let types: u32 = 0;
  for (const walk = walkThrough(value, arena); walk.next();) types |= typeOf(walk.value, arena);
  return types;
}

function typeOf(value: Span, arena: Arena): u32 {
  const name: Span = kindOf(value) === Kind.String ? textOf(value, arena) : NONE;
  if (name !== NONE) {
    if (equals(name, STRING_NAME)) return STRING;
    if (equals(name, NUMBER_NAME)) return NUMBER;
    if (equals(name, INTEGER_NAME)) return INTEGER;
    if (equals(name, BOOLEAN_NAME)) return BOOLEAN;
    if (equals(name, OBJECT_NAME)) return OBJECT;
    if (equals(name, ARRAY_NAME)) return ARRAY;
    if (equals(name, NULL_NAME)) return NULL;
  }
  complain(TYPE, MUST_BE_TYPE, arena);
  return 0;
}

/** The names of types, with `or` between. */
export function typeNames(types: u32, arena: Arena): Span {
  const writer = newWriter(arena, 32);
  for (let bit: u32 = STRING; bit <= NULL; bit <<= 1) {
    if ((types & bit) === 0) continue;
    if (writer.size > 0) writer.bytes(OR);
    writer.bytes(
      bit === STRING
        ? STRING_NAME
        : bit === NUMBER
          ? NUMBER_NAME
          : bit === INTEGER
            ? INTEGER_NAME
            : bit === BOOLEAN
              ? BOOLEAN_NAME
              : bit === OBJECT
                ? OBJECT_NAME
                : bit === ARRAY
                  ? ARRAY_NAME
                  : NULL_NAME,
    );
  }
  return writer.written;
}

const OR = literal(' or ');

function valuesOf(value: Span, name: Span, arena: Arena): List {
  const values = newList(arena);
  if (kindOf(value) !== Kind.Array) complain(name, MUST_BE_LIST, arena);
  else if (mayReadOn((length(value) as u64) * ROOM_FOR_BYTE)) {
    for (const walk = walkThrough(value, arena); walk.next();) values.push(walk.value);
  }
  return values;
}

function schemasOf(members: Members, name: Span, depth: i32, arena: Arena): List | null {
  const value = members.get(name);
  if (value === NONE) return null;
  const values = valuesOf(value, name, arena);
  const schemas = newList(arena);
  for (let i = 0; i < values.count && mayReadOn(); i++)
    schemas.push(changetype<usize>(read(values.at(i), depth + 1, arena)) as u64);
  return schemas;
}

function numberOf(members: Members, name: Span, arena: Arena): f64 {
  const value = members.get(name);
  if (value === NONE) return NaN;
  if (kindOf(value) === Kind.Number) return doubleOf(value);
  complain(name, MUST_BE_NUMBER, arena);
  return NaN;
}

function countOf(members: Members, name: Span, arena: Arena): i64 {
  const value = members.get(name);
  if (value === NONE) return -1;
  if (kindOf(value) === Kind.Number && isWhole(value) && whole >= 0) return whole;
  complain(name, MUST_BE_COUNT, arena);
  return -1;
}
