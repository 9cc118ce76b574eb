// The short form of `npm run soak`: each fault once, a few clients of each kind.
import { expect, test } from 'vitest';
import { describeWithEnvoy, envoyBinary } from '../launcher/support.ts';
import { faults } from './faults.ts';
import { growth } from './memory.ts';
import { soak } from './soak.ts';

describeWithEnvoy('a gateway whose surroundings fail', () => {
  test('gives no wrong answer, loses no event, and lets every request go', { timeout: 180_000 }, async () => {
    const soaked = await soak({
      binary: envoyBinary(),
      rounds: 1,
      seconds: 0,
      callers: 20,
      rest: 100,
      streams: 40,
      streamSeconds: 3,
      eventPause: 100,
      faultPause: 200,
    });
    expect(soaked.tally.wrong).toEqual([]);
    expect([...soaked.faults.keys()]).toEqual(Object.keys(faults));
    for (const [fault, times] of soaked.faults) expect(times, fault).toBeGreaterThan(0);
    for (const outcome of ['call: right', 'call without a session: right', 'list: right', 'stream: whole'])
      expect(soaked.tally.outcomes.get(outcome), outcome).toBeGreaterThan(0);
  });
});

test('growth compares the second quarter with the last one', () => {
  const samples = [9, 9, 1, 1, 5, 5, 3, 3].map((resident) => ({ resident, wasm: 0 }));
  expect(growth(samples, ({ resident }) => resident)).toEqual({ early: 1, late: 3 });
});
