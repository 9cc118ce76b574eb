import { QUESTION_MARK, QUOTE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, length, equals, literal, NONE } from '../bytes/span';
import { isNameOf, namesIn } from '../bytes/name-list';
import { newWriter, Writer } from '../bytes/writer';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { clipped } from '../mcp/header-text';
import { nearest } from '../bytes/nearest';
import { memberPlace, Place, Problems } from './problems';

const MUST_BE = literal('must be ');
const FOUND = literal(', found ');
const MISSING = literal('is missing');
const UNKNOWN = literal('is not a member of this section');
const DID_YOU_MEAN = literal('; did you mean "');
const ALLOWED = literal('; allowed are ');
const COMMA = literal(', ');
const TWICE = literal('is given twice');
const ONE_OF = literal('one of ');
const AN_OBJECT = literal('an object');
const A_TEXT = literal('a string that is not empty');
const A_LIST = literal('a list');
const LONG = literal('...');
const FOUND_SHOWN = 40;

/** An object of the configuration whose members are known by name; every other member is a problem. */
@unmanaged
export class Section {
  place: Place | null;
  problems: Problems;
  arena: Arena;
  object: Span;
  /** An object with members that it has unless it says otherwise; NONE: there is none. */
  defaults: Span;

  /** Its members: a name, then its value, and so on. */
  private members: List;

  /** Reads the members of an object, once for all questions. */
  read(object: Span): void {
    this.object = object;
    this.members = newList(this.arena);
    for (const walk = walkThrough(object, this.arena); walk.next();) {
      this.members.push(textOf(walk.name, this.arena));
      this.members.push(walk.value);
    }
  }

  get count(): i32 {
    return this.object === NONE ? 0 : this.members.count / 2;
  }

  nameAt(index: i32): Span {
    return this.members.at(2 * index);
  }

  /** The value of a member, or NONE. */
  get(name: Span): Span {
    const own = this.own(name);
    return own === NONE && this.defaults !== NONE ? member(this.defaults, name, this.arena) : own;
  }

  /** The same of what it says itself. */
  own(name: Span): Span {
    const index = this.indexOf(name);
    return index < 0 ? NONE : this.members.at(2 * index + 1);
  }

  /** The index of the first member of that name, or -1. */
  indexOf(name: Span): i32 {
    for (let i = 0; i < this.count; i++) if (equals(this.nameAt(i), name)) return i;
    return -1;
  }

  placeOf(name: Span): Place {
    return memberPlace(this.place, name, this.arena);
  }

  missing(name: Span): void {
    this.problems.add(this.problems.at(this.placeOf(name)).bytes(MISSING));
  }

  mustBe(name: Span, what: Span): void {
    const value = this.get(name);
    if (value === NONE) this.missing(name);
    else mustBe(this.placeOf(name), what, value, this.problems);
  }

  /** A member's text, or `fallback` where it is absent; NONE with a problem where it is no text or empty. */
  text(name: Span, fallback: Span): Span {
    const value = this.get(name);
    if (value === NONE) return fallback;
    if (kindOf(value) !== Kind.String || length(value) === 2) {
      this.mustBe(name, A_TEXT);
      return NONE;
    }
    const text = textOf(value, this.arena);
    if (text === NONE) this.mustBe(name, A_TEXT);
    return text;
  }

  required(name: Span): Span {
    if (this.get(name) === NONE) {
      this.missing(name);
      return NONE;
    }
    return this.text(name, NONE);
  }

  /** Index of a member's text in `choices`, `byDefault` where it is absent, -1 with a problem where it is none of them. */
  choice(name: Span, choices: Span, byDefault: i32 = 0): i32 {
    const text = this.text(name, NONE);
    if (text === NONE) return this.get(name) === NONE ? byDefault : -1;
    const list = namesIn(choices, this.arena);
    for (let i = 0; i < list.count; i++) if (equals(list.at(i), text)) return i;
    const line = newWriter(this.arena, 64).bytes(ONE_OF);
    writeNames(line, list);
    this.mustBe(name, line.written);
    return -1;
  }

  /** A member that is a section itself; absent is as if empty. */
  section(name: Span, allowed: Span): Section {
    return openSection(this.get(name), this.placeOf(name), allowed, this.problems);
  }

  /** The elements of a member that is a list; absent is an empty one. */
  list(name: Span): List {
    const list = newList(this.arena);
    const value = this.get(name);
    if (value === NONE) return list;
    if (kindOf(value) !== Kind.Array) {
      this.mustBe(name, A_LIST);
      return list;
    }
    for (const walk = walkThrough(value, this.arena); walk.next();) list.push(walk.value);
    return list;
  }
}

/** @param value the object, or NONE for one without members */
export function openSection(value: Span, place: Place | null, allowed: Span, problems: Problems): Section {
  const arena = problems.arena;
  const section = make<Section>(arena);
  section.place = place;
  section.problems = problems;
  section.arena = arena;
  if (value === NONE) return section;
  if (kindOf(value) !== Kind.Object) {
    mustBe(place, AN_OBJECT, value, problems);
    return section;
  }
  section.read(value);
  for (let i = 0; i < section.count; i++) {
    const name = section.nameAt(i);
    if (section.indexOf(name) < i) problems.add(problems.at(section.placeOf(name)).bytes(TWICE));
    if (isNameOf(allowed, name)) continue;
    const known = namesIn(allowed, arena);
    const line = problems.at(section.placeOf(name)).bytes(UNKNOWN);
    const meant = nearest(name, known, arena);
    if (meant !== NONE) suggest(line, meant);
    else {
      line.bytes(ALLOWED);
      writeNames(line, known);
    }
    problems.add(line);
  }
  return section;
}

/** A section that has been opened before: its members are not looked at once more. */
export function knownSection(value: Span, place: Place | null, problems: Problems): Section {
  const section = make<Section>(problems.arena);
  section.place = place;
  section.problems = problems;
  section.arena = problems.arena;
  if (value !== NONE && kindOf(value) === Kind.Object) section.read(value);
  return section;
}

export function mustBe(place: Place | null, what: Span, found: Span, problems: Problems): void {
  problems.add(mustBeLine(place, what, found, problems));
}

/** For what has more to say. */
export function mustBeLine(place: Place | null, what: Span, found: Span, problems: Problems): Writer {
  const line = problems.at(place).bytes(MUST_BE).bytes(what).bytes(FOUND);
  line.bytes(clipped(found, FOUND_SHOWN));
  return length(found) > FOUND_SHOWN ? line.bytes(LONG) : line;
}

/** @param meant see `nearest` */
export function suggest(line: Writer, meant: Span): void {
  line.bytes(DID_YOU_MEAN).bytes(meant).byte(QUOTE).byte(QUESTION_MARK);
}

function writeNames(line: Writer, list: List): void {
  for (let i = 0; i < list.count; i++) {
    if (i > 0) line.bytes(COMMA);
    line.bytes(list.at(i));
  }
}
