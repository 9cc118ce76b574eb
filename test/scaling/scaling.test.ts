// docs/scaling.md is what the model says, and the model is what the module and a real plugin server do.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { instance } from '../core/core.ts';
import { moduleBytes } from './fleet.ts';
import { answersOfEdit, filterBytes, measured, overwritten, room, rows, tokenBytes } from './model.ts';
import { fleet, pageFile, pageOfToday } from './page.ts';
import { simulate } from './simulation.ts';

test('the page has the table of the model: npx tsx test/scaling/update-page.ts', async () => {
  expect(readFileSync(pageFile, 'utf8')).toBe(await pageOfToday());
});

test.each([0, 1, 2, 10, 50])('a session id for %i servers is as long as the module makes it', (servers) => {
  const core = instance();
  core.call('sessionOpenRing');
  core.call('sessionAddKey', 1, core.put(new Uint8Array(32)));
  core.call('sessionOpenDraft', 4);
  for (let server = 0; server < servers; server++) {
    const id = core.span('0f8fad5b-d9cb-469f-a165-70867728950e');
    core.call('sessionAdd', BigInt(server), 4, 1, ...id, ...core.span(''));
  }
  const token = core.text('sessionSeal', core.put(new Uint8Array(28)), 1, 1, ...core.span('audience'));
  expect(token).toHaveLength(tokenBytes(servers));
});

test('the module is about as large as the model takes it for', () => {
  expect(Math.abs(moduleBytes() / measured.moduleBytes - 1)).toBeLessThan(0.1);
});

test('shared sessions are overwritten as a table of hashes does it', () => {
  const slots = 4096;
  for (const count of [100, 4096, 10_000]) {
    const taken = new Set(Array.from({ length: count }, () => Math.floor(Math.random() * slots)));
    expect(Math.abs(1 - taken.size / count - overwritten(count, slots))).toBeLessThan(0.05);
  }
  expect(overwritten(0, slots)).toBe(0);
});

test('each row of the table says what bounds it', () => {
  for (const row of rows) {
    expect(row.of(fleet), row.what).toBeGreaterThan(0);
    expect(room(row, fleet), row.what).toBeGreaterThan(0);
  }
});

test('a fleet that polls is given what the model says', { timeout: 120_000 }, async () => {
  const found = await simulate(40, 4, 0);
  expect(found.failed).toBe(0);
  expect(found.first).toEqual({ clusters: 40, filters: 40 });
  expect(found.edited.clusters + found.edited.filters).toBe(answersOfEdit(found.editedNodes));
  expect(Math.abs(found.filterBytes - filterBytes(moduleBytes(), 1000))).toBeLessThan(1000);
  expect(Math.abs(found.pollBytes / measured.pollBytes - 1)).toBeLessThan(0.1);
});
