import { randomness } from '../e2e/proof/samples.ts';
import { Draw } from './draw.ts';
import { targets } from './targets.ts';

export interface Fuzzed {
  readonly attempts: number;
  /** What became of the inputs → how many of them. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** What was wrong, with the input; the run ends with it. */
  readonly failure: string | undefined;
}

/**
 * Tries inputs at a target until one is wrong.
 * @param seed the same one draws the same inputs
 * @param progress told the number of attempts now and then
 */
export function fuzz(
  target: string,
  attempts: number,
  seed: number,
  progress: (attempts: number) => void = () => undefined,
): Fuzzed {
  const make = targets[target];
  if (make === undefined) throw new Error(`${target} is no target: ${Object.keys(targets).join(', ')}`);
  const attempt = make();
  const draw = new Draw(randomness(seed));
  const outcomes = new Map<string, number>();
  for (let done = 0; done < attempts; done++) {
    try {
      const outcome = attempt(draw);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      const failure = `attempt ${done} of seed ${seed}: ${error instanceof Error ? error.message : String(error)}`;
      return { attempts: done, outcomes, failure };
    }
    if (done % 100_000 === 99_999) progress(done + 1);
  }
  return { attempts, outcomes, failure: undefined };
}
