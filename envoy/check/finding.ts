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

export interface Details {
  /** Where it is not the rule's own. */
  readonly severity?: Problem['severity'];
  /** Behind the node's path: where a text holds values of its own. */
  readonly inside?: string;
}

/** Takes what rules find. */
export type Report = (rule: RuleId, node: Node, message: string, details?: Details) => void;

export function reportInto(findings: Finding[]): Report {
  return (rule, { document, path }, message, { severity = rules[rule].severity, inside = '' } = {}) => {
    const joined = [pathText(path), inside].filter((part) => part !== '').join('.');
    findings.push({
      file: document.file,
      ...document.locate(path),
      path: joined,
      severity,
      rule,
      message,
      mend: rules[rule].mend,
    });
  };
}

/** `; did you mean "weather"?`, where one of the names is as near as a slip of the finger. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const meant =
    name.length > 128
      ? undefined
      : nearest(
          name,
          [...names].filter((other) => other.length <= 128),
        );
  if (meant === undefined || meant === name || edits(name, meant) > Math.max(1, meant.length / 3)) return '';
  return `; did you mean "${meant}"?`;
}
