// One outcome for every engine: what cases/*.md say is what a real Envoy does, update.ts wrote it down.
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Case, allCases } from './cases.ts';
import { engines } from './engines.ts';
import { actual, shapesOf, shapesOfBlock } from './expected.ts';
import { type Run, startRun } from './run.ts';
import type { ShapeName } from './shapes.ts';

const cases = allCases();

describe.each(engines)('the probe on $name', (engine) => {
  let run: Run;
  beforeAll(async () => {
    run = await startRun(engine, cases);
  });
  afterAll(() => run.stop());

  test.concurrent.for(cases)('$file: $title', async (given, { expect }) => {
    const seen = await run.of(given);
    const blocks = given.expected.filter(({ kind, of }) => kind !== 'log' || of === '' || of === engine.name);
    expect(blocks).not.toHaveLength(0);
    for (const block of blocks) {
      const { kind, text } = block;
      if (kind !== 'outcome' && kind !== 'trace') {
        await expect.poll(() => actual(run, given, block), { timeout: 20_000 }).toBe(text);
        continue;
      }
      const got = shapesOfBlock(given, block).map((shape) => `${shape}\n${seen.get(shape)?.[kind] ?? ''}`);
      expect(got).toEqual(shapesOfBlock(given, block).map((shape) => `${shape}\n${text}`));
    }
  });
});

test('every shape of every case has an outcome', ({ expect }) => {
  const told = (given: Case): ShapeName[] =>
    given.expected.filter(({ kind }) => kind === 'outcome').flatMap((block) => shapesOfBlock(given, block));
  for (const given of cases) expect(told(given).toSorted()).toEqual(shapesOf(given).toSorted());
});
