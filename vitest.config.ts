import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import type { Gateways } from './test/e2e/engine.ts';
import LongestFirst from './test/longest-first.ts';

/** The end-to-end suite, once for each engine and host mode: one source, and one outcome. */
const endToEnd: Gateways[] = [
  { engine: 'envoy', hostMode: 'hold' },
  { engine: 'envoy', hostMode: 'pair' },
  { engine: 'embedded', hostMode: 'hold' },
  { engine: 'embedded', hostMode: 'pair' },
  { engine: 'envoy', hostMode: 'headers' },
  { engine: 'embedded', hostMode: 'headers' },
];

/** What a host mode has for itself; what is in no such folder is the same in all that have sessions. */
const own = { hold: 'test/e2e/hold/**', pair: 'test/e2e/pair/**', headers: 'test/e2e/by-headers/**' };

const full = process.env['SLUICE_PROOFS'] === 'full';

/** What is left to `npm run test:matrix`. */
const long = full ? [] : ['test/e2e/**/*.long.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', './test/plain-summary.ts'],
    // More than two cores have use for: a fifth of the time tests wait for what has to take its time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', { include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'] }),
      ...endToEnd.map(({ engine, hostMode }) =>
        project(`e2e ${engine} ${hostMode}`, {
          include: [hostMode === 'headers' ? `${own.headers}/*.test.ts` : 'test/e2e/**/*.test.ts'],
          exclude: [...Object.entries(own).flatMap(([mode, folder]) => (mode === hostMode ? [] : [folder])), ...long],
          provide: {
            gateways: { engine, hostMode },
            scale: full ? 'full' : 'short',
          },
        }),
      ),
    ],
  },
});

function project(name: string, test: object): TestProjectInlineConfiguration {
  const common = { globalSetup: ['test/setup.ts'], testTimeout: 60_000, hookTimeout: 120_000 };
  return { test: { name, ...common, ...test } };
}
