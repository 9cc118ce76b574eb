import { edits, nearest } from '../../plugin-server/nearest.ts';
import type { Position } from './document.ts';
import type { Node } from './node.ts';
import { pathText } from './place.ts';
import type { Problem } from './problem.ts';
import { type RuleId, rules } from './rules.ts';

/** A problem of a file, with the rule that it breaks. */
export interface Finding extends Problem, Position {
  readonly file: string;
  readonly rule: RuleId;
  /** What to do. */
  readonly mend: string;
}

interface Details {
  /** Where it is not the rule's own. */
  readonly severity?: Problem['severity'];
}

/** Takes what rules find. */
export type Report = (rule: RuleId, node: Node, message: string, details?: Details) => void;

export function reportInto(findings: Finding[]): Report {
  return (rule, node, message, { severity = rules[rule].severity } = {}) => {
    const { document, path } = node;
    const { mend } = rules[rule];
    const text = message + misspelt(node);
    findings.push({
      file: document.file,
      ...document.locate(path),
      path: pathText(path),
      severity,
      rule,
      message: text,
      mend,
    });
  };
}

/** Of a member that is not there, the one that was meant to be it. */
function misspelt({ isThere, path, siblings }: Node): string {
  const name = path.at(-1);
  if (isThere || typeof name !== 'string') return '';
  const meant = didYouMean(name, siblings);
  return meant === '' ? '' : meant.replace('; did you mean', '; is it').replace('?', ', misspelt?');
}

/** Longer names are compared with nothing. */
const longestName = 128;

/** `; did you mean "weather"?`, where one of the names is as near as a slip of the finger. */
export function didYouMean(name: string, names: Iterable<string>): string {
  if (name.length > longestName) return '';
  const candidates = [...names].filter((other) => other.length <= longestName);
  const meant = nearest(name, candidates);
  if (meant === undefined || meant === name || edits(name, meant) > Math.max(1, meant.length / 3)) return '';
  return `; did you mean "${meant}"?`;
}
