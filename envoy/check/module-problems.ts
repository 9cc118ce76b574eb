import type { Line, Outcome, RunResult } from './isolation.ts';
import { splitPlace } from '../yaml/place.ts';
import type { Problem } from './problem.ts';

/** How filter/host/roots.ts begins what it logs of a configuration; filter/config/problems.ts writes the rest. */
const prefixes = [
  { prefix: 'configuration refused: ', severity: 'error' },
  { prefix: 'configuration: ', severity: 'warning' },
] as const;

/** What a module said of its configuration, as problems; or why it said nothing that can be used. */
export function problemsOf({ outcome, lines }: RunResult, configuration: object): Problem[] {
  const own = lines.map((line) => problemOf(line, configuration)).filter((problem) => problem !== undefined);
  const defect = defectOf(outcome, lines, own);
  return defect === undefined ? own : [...own, { path: '', message: defect, severity: 'error' }];
}

function problemOf({ text }: Line, configuration: object): Problem | undefined {
  for (const { prefix, severity } of prefixes) {
    if (!text.startsWith(prefix)) continue;
    return { ...splitPlace(text.slice(prefix.length), configuration), severity };
  }
  return undefined;
}

/** What is wrong where the module's own problems do not tell it. */
function defectOf(outcome: Outcome, lines: readonly Line[], own: readonly Problem[]): string | undefined {
  const said = lastWords(lines);
  switch (outcome.kind) {
    case 'accepted':
      if (outcome.own) return undefined;
      return 'was accepted by a module that is not Sluice: what it makes of it is not known here';
    case 'refused':
      if (own.some(({ severity }) => severity === 'error')) return undefined;
      if (!outcome.own) return `is for Sluice, and the module is another one, which refuses it${said}`;
      return `is refused by the module, which does not say why${said}`;
    case 'unusable':
      return `cannot be checked: the module is none that Envoy could run (${outcome.why})`;
    case 'trapped':
      return `cannot be checked: the module failed while it read it (${outcome.why})${said}`;
    case 'too slow':
      return `cannot be checked: the module did not come to an end within ${outcome.limit} ms${said}`;
    case 'too large':
      return 'cannot be checked: the module needs more than 256 MiB of memory';
  }
}

/** The last line at warning or above. */
function lastWords(lines: readonly Line[]): string {
  const loud = lines.filter(({ level }) => level === 'warning' || level === 'error' || level === 'critical');
  const last = loud.at(-1)?.text.split('\n', 1)[0];
  return last === undefined ? '' : `; its last words: ${last.slice(0, 200)}`;
}
