import { COLON, LINE_FEED, SPACE } from '../bytes/ascii';
import { List } from '../bytes/list';
import { Span, length, limit, literal, pointer, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { compile, Template } from '../template/compile';
import { Program, Way } from '../template/program';
import { Section } from './section';

/** Members of a definition that are texts or templates; what is wrong with a template is told with line and column. */
export const A_TEXT = literal('a string');
const AT_LINE = literal('line ');
const AT_COLUMN = literal(', column ');

/** A text that may be empty; NONE where it is absent. */
export function optional(section: Section, name: Span): Span {
  const value = section.get(name);
  if (value === NONE || kindOf(value) === Kind.Null) return NONE;
  const text: Span = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
  if (text === NONE) section.mustBe(name, A_TEXT);
  return text;
}

/** A template that is a member; null where it is absent, empty, or has a fault. */
export function template(section: Section, name: Span, way: Way): Program | null {
  const text = optional(section, name);
  if (text === NONE || length(text) === 0) return null;
  return compiled(section, name, text, text, way, null);
}

/** @param whole the text of the member, of which `part` is the end */
export function compiled(
  section: Section,
  name: Span,
  whole: Span,
  part: Span,
  way: Way,
  placeholders: List | null,
): Program | null {
  const result: Template = compile(part, way, placeholders, section.arena);
  if (result.program === null) {
    const at = ((length(whole) - length(part)) as u32) + result.position;
    addFault(section, name, whole, at, result.fault);
  }
  return result.program;
}

export function addFault(section: Section, name: Span, text: Span, position: u32, fault: Span): void {
  let line: u64 = 1;
  let column: u64 = 1;
  for (let at = pointer(text); at < pointer(text) + (position as usize) && at < limit(text); at++) {
    if (load<u8>(at) === LINE_FEED) {
      line++;
      column = 1;
    } else if ((load<u8>(at) & 0xc0) !== 0x80) column++;
  }
  const problem = section.problems.at(section.placeOf(name)).bytes(AT_LINE).decimal(line).bytes(AT_COLUMN);
  section.problems.add(problem.decimal(column).byte(COLON).byte(SPACE).bytes(fault));
}
