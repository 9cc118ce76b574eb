import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    reporters: ['default', './test/plain-summary.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Two cores: an Envoy with two workers, its upstreams and the clients already fill them.
    maxWorkers: 2,
  },
});
