import type { Case } from './cases.ts';
import { shapesOfBlock } from './expected.ts';
import type { ShapeName } from './shapes.ts';

/** What the case expects of one request in one shape: it tells what is worth waiting for, however long it takes. */
export interface Expectation {
  /** undefined: the case does not say. */
  readonly outcome: string | undefined;
  readonly trace: string | undefined;
}

/** Stands between the texts of several requests in one block. */
export const separator = '\n---\n';

export const nothingExpected: Expectation = { outcome: undefined, trace: undefined };

export function expectationOf(given: Case, at: number, shape: ShapeName): Expectation {
  const textOf = (kind: keyof Expectation): string | undefined =>
    given.expected
      .find((block) => block.kind === kind && shapesOfBlock(given, block).includes(shape))
      ?.text.split(separator)[at];
  return { outcome: textOf('outcome'), trace: textOf('trace') };
}

/** Whether the client's own limit is all that ends the request. */
export function waitsForEver({ outcome }: Expectation): boolean {
  return outcome === undefined || /^client \S+ waits/.test(outcome);
}

export function endsCut({ outcome }: Expectation): boolean {
  return outcome !== undefined && /^client \S+ cut/.test(outcome);
}

/** How many requests reach servers. */
export function arrivalsIn({ outcome }: Expectation): number {
  return outcome?.match(/^(?!client )\S+ \S+ \/\S* (?:whole|cut|arriving)$/gm)?.length ?? 0;
}

/** How many callbacks come before the answer of the callout to `/after/<delay>`; 0 where that is not known. */
export function callbacksBeforeCall({ trace = '' }: Expectation, delay: number): number {
  const earlier = [...trace.matchAll(/ call \w+ \/after\/(\d+) /g)].filter(([, other]) => Number(other) < delay);
  const answers = trace.split('\n').flatMap((line, at) => (/^\w call \d/.test(line) ? [at] : []));
  return answers[earlier.length] ?? 0;
}
