import { Era, eraOf } from './eras';
import { SPACE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, equals, limit, literal, pointer, NONE } from '../bytes/span';
import { Kind, Walk } from '../json/reader';
import { textOf } from '../json/text';
import { Revision } from './revisions';

/**
 * What a tool in a list has to look like (MCP schema, Tool). The SDKs of clients check a list as a whole: one tool of
 * another shape, and the client refuses the tools of all servers. Members that are not here may be anything.
 */
const enum Place {
  /** Not checked, nor what is inside it. */
  Free,
  Tool,
  InputSchema,
  OutputSchema,
  Properties,
  Strings,
  Annotations,
  Execution,
  Icons,
  Icon,
}

/** Kinds of JSON values, a bit each. */
const STRING = 1;
const BOOLEAN = 2;
const OBJECT = 4;
const ARRAY = 8;
const OTHER = 16;

/** One member and what it must be. */
@unmanaged
class Row {
  place: Place;
  /** NONE: every member or element of that place. */
  name: Span;
  kinds: u32;
  /** What is checked inside it. */
  inside: Place;
  required: bool;
  /** Only in the revisions with a handshake: the stateless one allows any JSON Schema there. */
  isOfHandshake: bool;
  /** The texts that a string may be, with spaces between; NONE: any. */
  choices: Span;
  /** What the log says of a tool that breaks it. */
  rule: Span;
}

/** One bit for each in `seen`. */
const CAPACITY = 32;
const ROWS: usize = heap.alloc((CAPACITY as usize) * offsetof<Row>());
memory.fill(ROWS, 0, (CAPACITY as usize) * offsetof<Row>());
let count = 0;
/** By place: the index of its first row and the index behind its last. Rows of one place follow each other. */
const PLACES = 16;
const FROM: usize = heap.alloc((PLACES as usize) << 2);
const TO: usize = heap.alloc((PLACES as usize) << 2);
memory.fill(FROM, 0, (PLACES as usize) << 2);
memory.fill(TO, 0, (PLACES as usize) << 2);

function indexIn(table: usize, place: Place): i32 {
  return load<i32>(table + ((place as usize) << 2));
}

function rowAt(index: i32): Row {
  return changetype<Row>(ROWS + (index as usize) * offsetof<Row>());
}

function row(place: Place, name: string, kinds: u32, inside: Place, rule: string): Row {
  const at = (place as usize) << 2;
  if (load<i32>(TO + at) === 0) store<i32>(FROM + at, count);
  const added = rowAt(count++);
  store<i32>(TO + at, count);
  added.place = place;
  added.name = name.length === 0 ? NONE : literal(name);
  added.kinds = kinds;
  added.inside = inside;
  added.rule = literal(rule);
  return added;
}

const OBJECT_TYPE = literal('object');
/** Not `required`: the gateway carries no tasks, so such a tool could not be called (MCP 2025-11-25, tasks). */
const TASK_SUPPORT = literal('optional forbidden');
const THEMES = literal('light dark');

// As strict as the strictest of the common SDKs: none of them takes null for an optional member.
// prettier-ignore
{
  row(Place.Tool, 'name', STRING, Place.Free, 'name must be a string');
  row(Place.Tool, 'title', STRING, Place.Free, 'title must be a string');
  row(Place.Tool, 'description', STRING, Place.Free, 'description must be a string');
  row(Place.Tool, 'inputSchema', OBJECT, Place.InputSchema, 'inputSchema must be an object').required = true;
  row(Place.Tool, 'outputSchema', OBJECT, Place.OutputSchema, 'outputSchema must be an object');
  row(Place.Tool, 'annotations', OBJECT, Place.Annotations, 'annotations must be an object');
  row(Place.Tool, 'execution', OBJECT, Place.Execution, 'execution must be an object');
  row(Place.Tool, 'icons', ARRAY, Place.Icons, 'icons must be an array');
  row(Place.Tool, '_meta', OBJECT, Place.Free, '_meta must be an object');
  schema(Place.InputSchema, 'inputSchema', false);
  schema(Place.OutputSchema, 'outputSchema', true);
  row(Place.Properties, '', OBJECT | ARRAY, Place.Free, 'properties of a schema must be objects');
  row(Place.Strings, '', STRING, Place.Free, 'required of a schema and sizes of an icon must hold strings');
  row(Place.Annotations, 'title', STRING, Place.Free, 'annotations.title must be a string');
  row(Place.Annotations, 'readOnlyHint', BOOLEAN, Place.Free, 'annotations.readOnlyHint must be true or false');
  row(Place.Annotations, 'destructiveHint', BOOLEAN, Place.Free, 'annotations.destructiveHint must be true or false');
  row(Place.Annotations, 'idempotentHint', BOOLEAN, Place.Free, 'annotations.idempotentHint must be true or false');
  row(Place.Annotations, 'openWorldHint', BOOLEAN, Place.Free, 'annotations.openWorldHint must be true or false');
  row(Place.Execution, 'taskSupport', STRING, Place.Free, 'execution.taskSupport must be "optional" or "forbidden", as the gateway carries no tasks').choices = TASK_SUPPORT;
  row(Place.Icons, '', OBJECT, Place.Icon, 'icons must hold objects');
  row(Place.Icon, 'src', STRING, Place.Free, 'an icon must have an src that is a string').required = true;
  row(Place.Icon, 'mimeType', STRING, Place.Free, 'mimeType of an icon must be a string');
  row(Place.Icon, 'sizes', ARRAY, Place.Strings, 'sizes of an icon must be an array');
  row(Place.Icon, 'theme', STRING, Place.Free, 'theme of an icon must be "light" or "dark"').choices = THEMES;
}

function schema(place: Place, name: string, isOfHandshake: bool): void {
  const type = row(place, 'type', STRING, Place.Free, name + '.type must be "object"');
  type.required = true;
  type.choices = OBJECT_TYPE;
  type.isOfHandshake = isOfHandshake;
  row(place, 'properties', OBJECT, Place.Properties, name + '.properties must be an object').isOfHandshake = true;
  row(place, 'required', ARRAY, Place.Strings, name + '.required must be an array').isOfHandshake = true;
}

/** Levels below a tool that are looked into: `icons`, an icon, its `sizes`. */
const LEVELS: usize = 3;

/** Holds one tool after the other against the rows: `open`, `take` for each of its members, `close`. */
@unmanaged
export class ToolShape {
  isOfHandshake: bool;
  arena: Arena;
  /** A Walk for each of LEVELS, used for one tool after the other. */
  walks: usize;
  /** The rule that the tool breaks, the first one found; NONE: none. */
  private broken: Span;
  /** Members that came, a bit for each row. */
  private seen: u32;

  open(): void {
    this.broken = NONE;
    this.seen = 0;
  }

  /** @param name unescaped. @param member that the walk through the tool stands at */
  take(name: Span, member: Walk): void {
    this.seen |= this.judge(Place.Tool, name, member, 0);
  }

  /** The rule that the tool breaks; NONE: none. */
  close(): Span {
    this.requireAll(Place.Tool, this.seen);
    return this.broken;
  }

  /** The bit of the row that a value was held against; 0: there is none. @param level of its container below the tool */
  private judge(place: Place, name: Span, member: Walk, level: i32): u32 {
    const found = this.find(place, name);
    if (found < 0) return 0;
    const row = rowAt(found);
    const kind = kindBit(member.kind);
    if ((row.kinds & kind) === 0) this.fail(row);
    else if (kind === STRING) {
      if (row.choices !== NONE && !isAmong(textOf(member.value, this.arena), row.choices)) this.fail(row);
    } else if (row.inside !== Place.Free && this.broken === NONE) this.look(row.inside, member, level);
    return 1 << (found as u32);
  }

  private look(place: Place, container: Walk, level: i32): void {
    const walk = changetype<Walk>(this.walks + (level as usize) * offsetof<Walk>());
    container.enter(walk);
    let seen: u32 = 0;
    while (walk.next()) seen |= this.judge(place, walk.key(this.arena), walk, level + 1);
    container.leave(walk);
    this.requireAll(place, seen);
  }

  private requireAll(place: Place, seen: u32): void {
    for (let i = indexIn(FROM, place); i < indexIn(TO, place); i++) {
      const row = rowAt(i);
      if (row.required && (seen & (1 << (i as u32))) === 0 && this.applies(row)) this.fail(row);
    }
  }

  private find(place: Place, name: Span): i32 {
    for (let i = indexIn(FROM, place); i < indexIn(TO, place); i++) {
      const row = rowAt(i);
      if ((row.name === NONE || (name !== NONE && equals(row.name, name))) && this.applies(row)) return i;
    }
    return -1;
  }

  private applies(row: Row): bool {
    return this.isOfHandshake || !row.isOfHandshake;
  }

  private fail(row: Row): void {
    if (this.broken === NONE) this.broken = row.rule;
  }
}

function kindBit(kind: Kind): u32 {
  switch (kind) {
    case Kind.String:
      return STRING;
    case Kind.True:
    case Kind.False:
      return BOOLEAN;
    case Kind.Object:
      return OBJECT;
    case Kind.Array:
      return ARRAY;
    default:
      return OTHER;
  }
}

function isAmong(text: Span, choices: Span): bool {
  for (let at = pointer(choices); at < limit(choices);) {
    let end = at;
    while (end < limit(choices) && load<u8>(end) !== SPACE) end++;
    if (equals(text, between(at, end))) return true;
    at = end + 1;
  }
  return false;
}

/** @param revision that the client speaks */
export function newToolShape(revision: Revision, arena: Arena): ToolShape {
  const shape = make<ToolShape>(arena);
  shape.isOfHandshake = eraOf(revision) === Era.Sessions;
  shape.arena = arena;
  shape.walks = arena.zeroed(LEVELS * offsetof<Walk>());
  return shape;
}
