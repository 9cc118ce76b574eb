import type { Case, Expected } from './cases.ts';
import type { Run } from './run.ts';
import { type ShapeName, readShapes } from './shapes.ts';

/** All shapes that the requests of a case come in. */
export function shapesOf({ requests }: Case): ShapeName[] {
  return [...new Set(requests.flatMap((request) => request.shapes))];
}

/** The shapes that a block is about. */
export function shapesOfBlock(given: Case, { of }: Expected): ShapeName[] {
  return of === '' ? shapesOf(given) : readShapes(of);
}

/** What an engine did, for a block that is about the whole case. */
export async function actual(run: Run, given: Case, { kind, of, text }: Expected): Promise<string> {
  if (kind === 'root-trace') return run.rootTrace(given);
  if (kind === 'metrics') return run.metrics(of);
  const log = run.log();
  const found = text.split('\n').filter((line) => log.includes(line));
  return found.join('\n');
}

/** The same texts of several shapes as one block for all of them. */
export function grouped(kind: 'outcome' | 'trace', texts: ReadonlyMap<ShapeName, string>, all: number): Expected[] {
  const groups = new Map<string, ShapeName[]>();
  for (const [shape, text] of texts) groups.set(text, [...(groups.get(text) ?? []), shape]);
  return [...groups].map(([text, shapes]) => ({ kind, text, of: shapes.length === all ? '' : shapes.join(' ') }));
}
