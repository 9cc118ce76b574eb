import type { Finding } from '../../envoy/check/finding.ts';
import type { Io } from '../io.ts';

export type CheckEvent =
  | ({ readonly event: 'problem' } & Finding)
  | { readonly event: 'checked'; readonly files: number; readonly errors: number; readonly warnings: number };

/** For people, and for editors that read `file:line:column: severity: message`. What to do is said once for each rule. */
export function printed(io: Io): (event: CheckEvent) => void {
  const mended = new Set<string>();
  return (event) => {
    switch (event.event) {
      case 'problem': {
        const { file, line, column, severity, path, message, rule, mend } = event;
        const where = path === '' ? '' : `${shortened(path)}: `;
        io.out(`${file}:${line}:${column}: ${severity}: ${printable(where + message)} (${rule})\n`);
        if (!mended.has(rule)) io.out(`    ${mend}\n`);
        mended.add(rule);
        break;
      }
      case 'checked':
        io.out(`${summary(event)}\n`);
        break;
    }
  };
}

const longestPath = 60;

/** The end of a long path says more than its beginning; line and column say the rest. */
function shortened(path: string): string {
  if (path.length <= longestPath) return path;
  const tail = path.slice(-longestPath);
  return `…${tail.slice(Math.max(tail.search(/[.[]/), 0))}`;
}

/** Names in a file may hold anything; a terminal is to show it, not to obey it. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (sign) => JSON.stringify(sign).slice(1, -1));
}

function summary({ files, errors, warnings }: CheckEvent & { event: 'checked' }): string {
  const checked = `${count(files, 'file')} checked`;
  if (errors + warnings === 0) return `${checked}: nothing to object to`;
  const parts = [errors > 0 && count(errors, 'error'), warnings > 0 && count(warnings, 'warning')];
  return `${checked}: ${parts.filter((part) => part !== false).join(', ')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
