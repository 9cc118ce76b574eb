import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends the run with `N passed, N failed[, N skipped]` alone on a line, for a CI that reads any runner's output.
 * A test file that could not be loaded, and a block whose hooks failed, count as one failure: their tests are skipped.
 */
export default class PlainSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    let skipped = 0;
    for (const module of modules) {
      failed += module.errors().length;
      for (const block of module.children.allSuites()) failed += block.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
        else skipped++;
      }
    }
    process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }
}
