import { DOT } from '../bytes/ascii';
import { List, newList } from '../bytes/list';
import { Span, between, length, limit, literal, pointer, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { ClaimNode, ClaimTree } from '../model/claim-tree';
import { Section } from './section';

/** How a configuration names a claim. */
const MAX_DEPTH = 8;
const A_PATH = literal(
  'a claim: a name, several with dots between for one within others, or a list of names where a name has a dot; at most 8',
);

/** The node of the claim that a member names, or null with a problem. */
export function claimAt(section: Section, name: Span, tree: ClaimTree): ClaimNode | null {
  const steps = newList(section.arena);
  const value = section.get(name);
  if (value !== NONE && kindOf(value) === Kind.Array) {
    const elements = section.list(name);
    for (let i = 0; i < elements.count; i++) {
      const element: Span = elements.at(i);
      steps.push(kindOf(element) === Kind.String ? textOf(element, section.arena) : NONE);
    }
  } else if (value !== NONE && kindOf(value) === Kind.String) splitAtDots(textOf(value, section.arena), steps);
  let node = tree.root;
  let sound = steps.count > 0 && steps.count <= MAX_DEPTH;
  for (let i = 0; i < steps.count; i++) if (length(steps.at(i)) === 0) sound = false;
  if (!sound) {
    section.mustBe(name, A_PATH);
    return null;
  }
  for (let i = 0; i < steps.count; i++) node = node.within(steps.at(i));
  return node;
}

function splitAtDots(text: Span, steps: List): void {
  if (text === NONE) return;
  let from = pointer(text);
  for (let at = from; at <= limit(text); at++) {
    if (at < limit(text) && load<u8>(at) !== DOT) continue;
    steps.push(between(from, at));
    from = at + 1;
  }
}
