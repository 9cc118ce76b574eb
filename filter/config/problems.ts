import { CLOSING_BRACKET, DOT, OPENING_BRACKET } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';

/** Where in the configuration: `servers[2].prefix`. */
@unmanaged
export class Place {
  parent: Place | null;
  name: Span;
  index: i32;
}

const ROOT = literal('the configuration');
const SEPARATOR = literal(': ');

/** Everything that is wrong with a configuration, a line each: one run shows all of it. */
@unmanaged
export class Problems {
  /** Elements are Span. */
  lines: List;
  warnings: List;
  arena: Arena;
  /** Where a variable has to be listed as well, for a sentence that says where; NONE: nowhere. */
  alsoListed: Span;
  /**
   * What a reader knows the place by, written before what is wrong: `tool "get": `; NONE: nothing. It lives as long as the
   * callback.
   */
  subject: Span;

  /** Begins a line `<path>: `; the caller writes what is wrong and passes it to `add`. */
  at(place: Place | null): Writer {
    const line = newWriter(this.arena, 128);
    if (place === null) line.bytes(ROOT);
    else writePlace(line, place);
    line.bytes(SEPARATOR);
    return this.subject === NONE ? line : line.bytes(this.subject);
  }

  add(line: Writer): void {
    this.lines.push(line.written);
  }

  warn(line: Writer): void {
    this.warnings.push(line.written);
  }
}

export function newProblems(arena: Arena): Problems {
  const problems = make<Problems>(arena);
  problems.lines = newList(arena);
  problems.warnings = newList(arena);
  problems.arena = arena;
  return problems;
}

export function memberPlace(parent: Place | null, name: Span, arena: Arena): Place {
  const place = make<Place>(arena);
  place.parent = parent;
  place.name = name;
  return place;
}

export function elementPlace(parent: Place | null, index: i32, arena: Arena): Place {
  const place = memberPlace(parent, NONE, arena);
  place.index = index;
  return place;
}

function writePlace(line: Writer, place: Place): void {
  const parent = place.parent;
  if (parent !== null) writePlace(line, parent);
  if (place.name === NONE)
    line
      .byte(OPENING_BRACKET)
      .decimal(place.index as u64)
      .byte(CLOSING_BRACKET);
  else {
    if (parent !== null) line.byte(DOT);
    line.bytes(place.name);
  }
}
