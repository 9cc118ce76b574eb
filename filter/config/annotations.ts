import { names } from '../bytes/name-list';
import { literal, NONE } from '../bytes/span';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { FIRST_NOUN, LAST_NOUN, Noun, nounRow } from '../mcp/nouns';
import { hintOf } from '../mcp/tool-hints';
import { AuthorizationRule } from '../model/authorization';
import { Section } from './section';

/** Hints of tools (MCP, ToolAnnotations) in a rule of authorization. */
const MEMBERS = names('readOnlyHint destructiveHint idempotentHint openWorldHint');

const ANNOTATIONS = literal('annotations');
const A_BOOLEAN = literal('true or false');
const NO_HINTS = literal('must name a hint: readOnlyHint, destructiveHint, idempotentHint or openWorldHint');
const TOOLS_ALONE = literal('goes with no prompts, resources or events: tools alone have annotations');

export function readAnnotations(parent: Section, rule: AuthorizationRule): void {
  if (parent.get(ANNOTATIONS) === NONE) return;
  const problems = parent.problems;
  const section = parent.section(ANNOTATIONS, MEMBERS);
  if (isAboutOthers(parent)) problems.add(problems.at(parent.placeOf(ANNOTATIONS)).bytes(TOOLS_ALONE));
  if (section.object === NONE) return;
  for (const walk = walkThrough(section.object, parent.arena); walk.next();) {
    const hint = hintOf(textOf(walk.name, parent.arena));
    if (hint === 0) continue;
    const kind = kindOf(walk.value);
    if (kind !== Kind.True && kind !== Kind.False) section.mustBe(textOf(walk.name, parent.arena), A_BOOLEAN);
    rule.hints |= hint;
    if (kind === Kind.True) rule.hintValues |= hint;
  }
  if (rule.hints === 0) problems.add(problems.at(parent.placeOf(ANNOTATIONS)).bytes(NO_HINTS));
}

function isAboutOthers(section: Section): bool {
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    const row = nounRow(noun);
    if (row.ruledBy === noun && noun !== Noun.Tools && section.get(row.plural) !== NONE) return true;
  }
  return false;
}
