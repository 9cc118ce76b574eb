import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { names } from '../bytes/name-list';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { isExact, simplified } from '../model/glob';
import { ResultLimit } from '../model/rules';
import { memberPlace } from './problems';
import { openSection, Section } from './section';
import { size } from './values';

/** How large the results of tools may be: of all, of a server's, of some of a server's. */
const MEMBERS = names('maxBytes over');
/** In this order: cut, refuse. */
const OVER = names('cut refuse');

const RESULTS = literal('results');
const MAX_BYTES = literal('maxBytes');
const OVER_NAME = literal('over');
const NO_LIMIT = literal('"none"');
const A_SIZE = literal('"none" or a size of 1Ki or more');
const AN_OBJECT = literal('an object: names or patterns of tools, each with { maxBytes, over }, at most 64');

const LEAST: u32 = 1 << 10;
const MOST = 64;
const LONGEST = 256;

/** @param common what holds where the member is absent */
export function readResults(parent: Section, common: ResultLimit | null): ResultLimit | null {
  if (parent.get(RESULTS) === NONE) return common;
  return readLimit(parent.section(RESULTS, MEMBERS), NONE);
}

function readLimit(section: Section, pattern: Span): ResultLimit {
  const found = make<ResultLimit>(section.arena);
  found.pattern = pattern;
  const value = section.get(MAX_BYTES);
  if (value === NONE) section.missing(MAX_BYTES);
  else if (!equals(value, NO_LIMIT)) {
    found.most = size(section, MAX_BYTES, LEAST);
    if (found.most < LEAST) section.mustBe(MAX_BYTES, A_SIZE);
  }
  found.cuts = section.choice(OVER_NAME, OVER) === 0;
  return found;
}

/** Those of tools by name or pattern, in the order in which they count; null: there are none. */
export function readToolResults(tools: Section): List | null {
  const value = tools.get(RESULTS);
  if (value === NONE) return null;
  if (kindOf(value) !== Kind.Object) {
    tools.mustBe(RESULTS, AN_OBJECT);
    return null;
  }
  const found = newList(tools.arena);
  for (const walk = walkThrough(value, tools.arena); walk.next();) {
    const name = textOf(walk.name, tools.arena);
    if (name === NONE || length(name) === 0 || length(name) > LONGEST || found.count === MOST) {
      tools.mustBe(RESULTS, AN_OBJECT);
      return null;
    }
    const place = memberPlace(tools.placeOf(RESULTS), name, tools.arena);
    const section = openSection(walk.value, place, MEMBERS, tools.problems);
    insert(found, readLimit(section, simplified(name, tools.arena)));
  }
  return found;
}

/**
 * A name before patterns, a longer pattern before a shorter one: members of an object have no order that would be kept on
 * the way here. Of two that are the same in this, the smaller one counts.
 */
function insert(limits: List, added: ResultLimit): void {
  limits.push(changetype<usize>(added) as u64);
  for (let i = limits.count - 1; i > 0; i--) {
    const before = changetype<ResultLimit>(limits.at(i - 1) as usize);
    if (!goesBefore(changetype<ResultLimit>(limits.at(i) as usize), before)) return;
    limits.swap(i - 1, i);
  }
}

function goesBefore(a: ResultLimit, b: ResultLimit): bool {
  if (isExact(a.pattern) !== isExact(b.pattern)) return isExact(a.pattern);
  if (length(a.pattern) !== length(b.pattern)) return length(a.pattern) > length(b.pattern);
  return a.most - 1 < b.most - 1;
}
