import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { engines } from './engines.ts';
import { allLoadings, judge } from './loading.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-probe-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.each(engines)('loading on $name', (engine) => {
  test.each(allLoadings())('$title', async (loading) => {
    const { accepted, said } = await judge(engine, loading, folder);
    expect(said).toBe(loading.said);
    expect(accepted).toBe(loading.accepted);
  });
});
