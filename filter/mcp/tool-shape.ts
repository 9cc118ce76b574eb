import { Era, eraOf } from './eras';
import { LOWER_F, LOWER_T, QUOTE, SPACE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, between, equals, limit, literal, pointer, NONE } from '../bytes/span';
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

/** Levels below a tool that are looked at: `icons`, an icon, its `sizes`. */
const LEVELS = 4;

/** Checks one tool after the other against the rows, from the tokens that a scanner reports. */
@unmanaged
export class ToolShape {
  /** The rule that the tool breaks, the first one found; NONE: none. */
  broken: Span;
  isOfHandshake: bool;
  /** The row of the value that comes next, or -1. */
  current: i32;
  /** By level: the place, and its required members that came, a bit for each row. */
  places: usize;
  seen: usize;

  /** A tool opens. */
  open(): void {
    this.broken = NONE;
    this.current = -1;
    this.enter(0, Place.Tool);
  }

  /** @param level 0 for a member of the tool itself, 1 for one of its members' members, … */
  key(level: i32, name: Span): void {
    this.current = this.find(load<i32>(this.places + ((level as usize) << 2)), name);
  }

  /** A value that holds others opens. True: its inside has to be reported, at the next level. */
  start(level: i32, isObject: bool): bool {
    const found = this.take(level, isObject ? OBJECT : ARRAY);
    if (found < 0 || level + 1 >= LEVELS || rowAt(found).inside === Place.Free) return false;
    if (this.broken !== NONE) return false;
    this.enter(level + 1, rowAt(found).inside);
    return true;
  }

  /** What `start` reported is over, or at level -1 the tool itself. */
  end(level: i32): void {
    const at = ((level + 1) as usize) << 2;
    const place: Place = load<i32>(this.places + at);
    const seen = load<u32>(this.seen + at);
    for (let i = indexIn(FROM, place); i < indexIn(TO, place); i++) {
      const row = rowAt(i);
      if (!row.required || (seen & (1 << (i as u32))) !== 0) continue;
      if (this.applies(row)) this.fail(row);
    }
    this.current = -1;
  }

  /** @param value as it was written. @param text of a string, cut where it is longer than any that matters */
  scalar(level: i32, value: Span, text: Span): void {
    const first = load<u8>(pointer(value));
    const kind = first === QUOTE ? STRING : first === LOWER_T || first === LOWER_F ? BOOLEAN : OTHER;
    const found = this.take(level, kind);
    if (found < 0 || kind !== STRING) return;
    const row = rowAt(found);
    if (row.choices !== NONE && !isAmong(text, row.choices)) this.fail(row);
  }

  /** The row of the value that came, which has been held against it, or -1. */
  private take(level: i32, kind: u32): i32 {
    const at = (level as usize) << 2;
    let found = this.current;
    this.current = -1;
    if (found < 0) found = this.find(load<i32>(this.places + at), NONE);
    if (found < 0) return -1;
    store<u32>(this.seen + at, load<u32>(this.seen + at) | (1 << (found as u32)));
    const row = rowAt(found);
    if ((row.kinds & kind) === 0) this.fail(row);
    return found;
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

  private enter(level: i32, place: Place): void {
    store<i32>(this.places + ((level as usize) << 2), place);
    store<u32>(this.seen + ((level as usize) << 2), 0);
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
  const shape = changetype<ToolShape>(arena.zeroed(offsetof<ToolShape>()));
  shape.isOfHandshake = eraOf(revision) === Era.Sessions;
  shape.places = arena.zeroed((LEVELS as usize) << 2);
  shape.seen = arena.zeroed((LEVELS as usize) << 2);
  shape.broken = NONE;
  shape.current = -1;
  return shape;
}
