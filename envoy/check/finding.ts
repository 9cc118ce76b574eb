import { didYouMean } from '../../common/nearest.ts';
import type { Flaw } from '../yaml/document.ts';
import type { Node } from '../yaml/node.ts';
import { pathText } from '../yaml/place.ts';
import type { Problem } from './problem.ts';
import { type RuleId, rules } from './rules.ts';

/** A problem of a file, with the rule that it breaks. */
export interface Finding extends Problem {
  readonly line: number;
  readonly column: number;
  readonly file: string;
  readonly rule: RuleId;
  /** What to do. */
  readonly mend: string;
}

/** What is wrong with a text as YAML, or is read otherwise than it looks. */
export function findingOf(file: string, { path, ...flaw }: Flaw): Finding {
  const rule = path === undefined ? 'yaml' : 'scalar';
  return { file, path: path ?? '', rule, mend: rules[rule].mend, ...flaw };
}

/** In one file: the order in which findings are shown. */
export function byPlace(a: Finding, b: Finding): number {
  return a.line - b.line || a.column - b.column || Number(a.severity === 'warning') - Number(b.severity === 'warning');
}

interface Details {
  /** Where it is not the rule's own. */
  readonly severity?: Problem['severity'];
}

/**
 * Takes what rules find.
 * @param message asked for where it is shown: a guess at what was meant takes its time, and a file may have thousands
 */
export type Report = (rule: RuleId, node: Node, message: string | (() => string), details?: Details) => void;

/** The most findings of one rule, and one weight, in one file. */
const mostFindings = 100;

export function reportInto(findings: Finding[]): Report {
  const counts = new Map<string, number>();
  return (rule, node, message, { severity = rules[rule].severity } = {}) => {
    const { document, path } = node;
    const key = `${severity} ${rule} ${document.file}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count > mostFindings) return;
    findings.push({
      file: document.file,
      ...document.locate(path),
      path: pathText(path),
      severity,
      rule,
      message: count < mostFindings ? textOf(message) + misspelt(node) : 'breaks the rule too, and so may others',
      mend: rules[rule].mend,
    });
  };
}

function textOf(message: string | (() => string)): string {
  return typeof message === 'string' ? message : message();
}

/** The member that was meant to be one that is not there. */
function misspelt({ isThere, path, siblings }: Node): string {
  const name = path.at(-1);
  if (isThere || typeof name !== 'string') return '';
  const meant = didYouMean(name, siblings);
  return meant === '' ? '' : meant.replace('; did you mean', '; is it').replace('?', ', misspelt?');
}
