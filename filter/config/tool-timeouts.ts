import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { length, literal, NONE } from '../bytes/span';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { isExact, simplified } from '../model/glob';
import { ToolTimeout } from '../model/rules';
import { Section } from './section';
import { duration } from './values';

const TIMEOUTS = literal('timeouts');
const AN_OBJECT = literal('an object: names or patterns of tools, each with a time, at most 64');
const MOST = 64;
const LONGEST = 256;
const EMPTY = literal('');

/** Times of tools by name or pattern, in the order in which they count; null: there are none. */
export function readTimeouts(tools: Section): List | null {
  const value = tools.get(TIMEOUTS);
  if (value === NONE) return null;
  if (kindOf(value) !== Kind.Object) {
    tools.mustBe(TIMEOUTS, AN_OBJECT);
    return null;
  }
  // Any name may be a member of it.
  const section = make<Section>(tools.arena);
  section.place = tools.placeOf(TIMEOUTS);
  section.problems = tools.problems;
  section.arena = tools.arena;
  section.read(value);
  const found = newList(tools.arena);
  for (const walk = walkThrough(value, tools.arena); walk.next();) {
    const name = textOf(walk.name, tools.arena);
    if (name === NONE || length(name) === 0 || length(name) > LONGEST || found.count === MOST) {
      tools.mustBe(TIMEOUTS, AN_OBJECT);
      return null;
    }
    const timeout = make<ToolTimeout>(tools.arena);
    timeout.pattern = simplified(name, tools.arena);
    timeout.milliseconds = duration(section, name, EMPTY);
    found.push(changetype<usize>(timeout) as u64);
  }
  return inOrder(found);
}

/**
 * A name before patterns, a longer pattern before a shorter one, of equal ones the longer time: members of an object have
 * no order that would be kept on the way here (a Struct of Envoy's has none).
 */
function inOrder(timeouts: List): List {
  const sorted = newList(timeouts.arena);
  const taken = timeouts.arena.zeroed(max(timeouts.count, 1) as usize);
  for (let n = 0; n < timeouts.count; n++) {
    let next = -1;
    for (let i = 0; i < timeouts.count; i++) {
      if (load<u8>(taken + (i as usize)) === 0 && (next < 0 || goesBefore(at(timeouts, i), at(timeouts, next))))
        next = i;
    }
    store<u8>(taken + (next as usize), 1);
    sorted.push(timeouts.at(next));
  }
  return sorted;
}

function at(timeouts: List, index: i32): ToolTimeout {
  return changetype<ToolTimeout>(timeouts.at(index) as usize);
}

function goesBefore(a: ToolTimeout, b: ToolTimeout): bool {
  if (isExact(a.pattern) !== isExact(b.pattern)) return isExact(a.pattern);
  if (length(a.pattern) !== length(b.pattern)) return length(a.pattern) > length(b.pattern);
  return a.milliseconds > b.milliseconds;
}
