import { SLASH, SPACE, TILDE, ZERO, isDigit } from '../bytes/ascii';
import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { names } from '../bytes/name-list';
import { Span, equals, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Decimal, decimalOf } from '../json/decimal';
import { folded } from '../json/folded';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { ArgumentTest, ArgumentTestKind, ArgumentValue } from '../model/argument-test';
import { ArgumentNode, ArgumentTree } from '../model/argument-tree';
import { HostMode } from '../model/host-mode';
import { nounRow, FIRST_NOUN, LAST_NOUN, Noun } from '../mcp/nouns';
import { elementPlace } from './problems';
import { mustBe, openSection, Section } from './section';

/** Tests on the arguments of a call, in a rule of authorization. */
const MEMBERS = names('pointer equals enum prefix range absent');
const RANGE_MEMBERS = names('min max');

const ARGUMENTS = literal('arguments');
const POINTER = literal('pointer');
const EQUALS = literal('equals');
const ENUM = literal('enum');
const PREFIX = literal('prefix');
const RANGE = literal('range');
const ABSENT = literal('absent');
const MIN = literal('min');
const MAX = literal('max');

const MAX_TESTS = 32;
/** One walk goes to all of them, in every call that a rule asks for its arguments. */
const MAX_PLACES: u32 = 256;
const MAX_DEPTH = 8;
/** Digits of the index of an element. */
const MAX_INDEX_DIGITS = 3;

const A_POINTER = literal(
  'a JSON pointer (RFC 6901) such as "/city" or "/items/0/id", of at most 8 names without control characters',
);
const A_VALUE = literal('a string, a number, true, false or null');
const A_NUMBER = literal('a number');
const A_BOOLEAN = literal('true or false');
const SOME_VALUES = literal('a list of strings, numbers, true, false or null that is not empty');
const ONE_TEST = literal('must have one of equals, enum, prefix, range and absent');
const NO_LIMIT = literal('must have min, max or both');
const NO_TESTS = literal('must have 1 to 32 tests');
const NEEDS_TOOLS = literal('needs tools, and no prompts, resources or events: tools alone have rules on arguments');
const NEEDS_BODY = literal(
  'needs hostMode hold or pair: in host mode headers a call goes on before its arguments have come',
);
const TOO_MANY_PLACES = literal('leads to more than 256 places, with the pointers of all rules');
const TOO_LIKE = literal('leads to a name that a server may take for the one of another pointer');

/** What a rule asks of arguments (ArgumentTest); null where the member is absent: nothing. */
export function readArguments(parent: Section, tree: ArgumentTree, mode: HostMode): List | null {
  if (parent.get(ARGUMENTS) === NONE) return null;
  const problems = parent.problems;
  const tests = newList(parent.arena);
  const elements = parent.list(ARGUMENTS);
  if (elements.count === 0 || elements.count > MAX_TESTS)
    problems.add(problems.at(parent.placeOf(ARGUMENTS)).bytes(NO_TESTS));
  if (!isAboutTools(parent)) problems.add(problems.at(parent.placeOf(ARGUMENTS)).bytes(NEEDS_TOOLS));
  if (mode === HostMode.Headers) problems.add(problems.at(parent.placeOf(ARGUMENTS)).bytes(NEEDS_BODY));
  for (let i = 0; i < min(elements.count, MAX_TESTS); i++) {
    const place = elementPlace(parent.placeOf(ARGUMENTS), i, parent.arena);
    const section = openSection(elements.at(i), place, MEMBERS, problems);
    const test = make<ArgumentTest>(parent.arena);
    test.values = newList(parent.arena);
    readTest(section, test);
    const node = readPointer(section, tree);
    if (node === null) continue;
    test.pointer = section.text(POINTER, NONE);
    test.node = node;
    tests.push(changetype<usize>(test) as u64);
  }
  return tests;
}

function isAboutTools(section: Section): bool {
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    const isNamed = section.get(nounRow(noun).plural) !== NONE;
    if (nounRow(noun).ruledBy === noun && isNamed !== (noun === Noun.Tools)) return false;
  }
  return true;
}

/** The place that the pointer leads to, or null with a problem. */
function readPointer(section: Section, tree: ArgumentTree): ArgumentNode | null {
  const text = section.required(POINTER);
  if (text === NONE) return null;
  const steps = newList(section.arena);
  if (!splitPointer(text, steps, section)) {
    section.mustBe(POINTER, A_POINTER);
    return null;
  }
  let node = tree.root;
  for (let i = 0; i < steps.count; i++) {
    const name: Span = steps.at(i);
    const form = folded(name, section.arena);
    let next = node.childLike(form);
    if (next === null) next = tree.add(node, name, form, indexOf(name));
    else if (!equals(next.name, name)) {
      section.problems.add(section.problems.at(section.placeOf(POINTER)).bytes(TOO_LIKE));
      return null;
    }
    node = next;
  }
  if (tree.count > MAX_PLACES) {
    section.problems.add(section.problems.at(section.placeOf(POINTER)).bytes(TOO_MANY_PLACES));
  }
  return node;
}

/** The names of a pointer, `~0` and `~1` replaced (RFC 6901 §4). False: it is none that is read here. */
function splitPointer(text: Span, steps: List, section: Section): bool {
  const end = limit(text);
  let at = pointer(text);
  while (at < end) {
    if (load<u8>(at++) !== SLASH) return false;
    const name = newWriter(section.arena, 32);
    for (; at < end && load<u8>(at) !== SLASH; at++) {
      let c = load<u8>(at);
      if (c < SPACE) return false;
      if (c === TILDE) {
        at++;
        if (at === end || (load<u8>(at) | 1) !== (ZERO | 1)) return false;
        c = load<u8>(at) === ZERO ? TILDE : SLASH;
      }
      name.byte(c);
    }
    if (name.size === 0 || steps.count === MAX_DEPTH) return false;
    steps.push(name.written);
  }
  return steps.count > 0;
}

/** The index of an element that a name can be as well (RFC 6901 §4), or -1. */
function indexOf(name: Span): i32 {
  if (length(name) > MAX_INDEX_DIGITS || (length(name) > 1 && load<u8>(pointer(name)) === ZERO)) return -1;
  let index = 0;
  for (let at = pointer(name); at < limit(name); at++) {
    const c: u32 = load<u8>(at);
    if (!isDigit(c)) return -1;
    index = index * 10 + ((c - ZERO) as i32);
  }
  return index;
}

function readTest(section: Section, test: ArgumentTest): void {
  const count =
    given(section, EQUALS) +
    given(section, ENUM) +
    given(section, PREFIX) +
    given(section, RANGE) +
    given(section, ABSENT);
  if (count !== 1) {
    section.problems.add(section.problems.at(section.place).bytes(ONE_TEST));
  } else if (given(section, EQUALS) > 0) {
    if (!addValue(test.values, section.get(EQUALS), section)) section.mustBe(EQUALS, A_VALUE);
  } else if (given(section, ENUM) > 0) {
    readEnum(section, test);
  } else if (given(section, PREFIX) > 0) {
    test.kind = ArgumentTestKind.Prefix;
    test.prefix = section.text(PREFIX, NONE);
  } else if (given(section, RANGE) > 0) {
    test.kind = ArgumentTestKind.Range;
    readRange(section.section(RANGE, RANGE_MEMBERS), test);
  } else {
    const kind = kindOf(section.get(ABSENT));
    if (kind !== Kind.True && kind !== Kind.False) section.mustBe(ABSENT, A_BOOLEAN);
    test.kind = kind === Kind.False ? ArgumentTestKind.Present : ArgumentTestKind.Absent;
  }
}

function given(section: Section, name: Span): i32 {
  return section.get(name) === NONE ? 0 : 1;
}

function readEnum(section: Section, test: ArgumentTest): void {
  const elements = section.list(ENUM);
  if (elements.count === 0 && kindOf(section.get(ENUM)) === Kind.Array) section.mustBe(ENUM, SOME_VALUES);
  for (let i = 0; i < elements.count; i++) {
    if (addValue(test.values, elements.at(i), section)) continue;
    mustBe(elementPlace(section.placeOf(ENUM), i, section.arena), A_VALUE, elements.at(i), section.problems);
  }
}

/** False: it is none that a test can allow. */
function addValue(values: List, token: Span, section: Section): bool {
  const value = make<ArgumentValue>(section.arena);
  const kind = kindOf(token);
  value.kind = kind;
  if (kind === Kind.Object || kind === Kind.Array) return false;
  if (kind === Kind.String) value.text = textOf(token, section.arena);
  if (kind === Kind.String && value.text === NONE) return false;
  if (kind === Kind.Number) value.number = decimalOf(token, section.arena);
  if (kind === Kind.Number && value.number === null) return false;
  values.push(changetype<usize>(value) as u64);
  return true;
}

function readRange(section: Section, test: ArgumentTest): void {
  if (section.object !== NONE && given(section, MIN) + given(section, MAX) === 0) {
    section.problems.add(section.problems.at(section.place).bytes(NO_LIMIT));
  }
  test.least = readLimit(section, MIN);
  test.most = readLimit(section, MAX);
}

function readLimit(section: Section, name: Span): Decimal | null {
  const token = section.get(name);
  if (token === NONE) return null;
  const number = kindOf(token) === Kind.Number ? decimalOf(token, section.arena) : null;
  if (number === null) section.mustBe(name, A_NUMBER);
  return number;
}
