// A publication that ends at any step (calls that never return), and at any moment (a process that is killed): the store
// has the version whole, or not at all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { ArtifactStore, loadArtifact, openStore } from '../../plugin-server/index.ts';
import { DiskStore } from '../../plugin-server/store/disk.ts';
import { StoreLayout } from '../../plugin-server/store/layout.ts';
import { removeLeftovers } from '../../plugin-server/store/leftovers.ts';
import { clone, temporaryFolder } from '../launcher/support.ts';
import { endingAt } from './ending.ts';
import { moduleWith } from './modules.ts';
import { collectedLog } from './support.ts';

const before = moduleWith('published before');
const cut = moduleWith(Buffer.alloc(200_000, 'cut'));

/** Publishes one version after the other, and says so of each when it is done. */
const endless = `
  const { ArtifactStore, loadArtifact, openStore } = await import('./plugin-server/index.ts');
  const { moduleWith } = await import('./test/plugin-server/modules.ts');
  const [data, round] = process.argv.slice(1);
  const { store } = await openStore(data, { log: console });
  for (let patch = 0; ; patch++) {
    const version = round + '.0.' + patch;
    await store.publish(loadArtifact('sluice', version, moduleWith(version.repeat(20_000))));
    console.log(version);
  }`;

function run(script: string, ...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, '--', ...args], {
    cwd: clone,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Opens the store as a server does that starts after the kill; nothing in it may be damaged, and nothing left over. */
async function openAfter(data: string): Promise<ArtifactStore> {
  await removeLeftovers(new StoreLayout(data), 0);
  const { store, close, problems } = await openStore(data, { log: collectedLog().log });
  close();
  expect(store.damages).toEqual([]);
  expect(problems()).toEqual([]);
  const named = store.names().flatMap((name) => store.versions(name).map(({ sha256 }) => sha256));
  expect(await readdir(join(data, '.store/incoming'))).toEqual([]);
  expect((await readdir(join(data, '.store/blobs/sha256'))).sort()).toEqual(named.sort());
  return store;
}

test('at every step: whole or not at all, and what was there before stays', async () => {
  const outcomes: string[] = [];
  for (let step = 0, ended = false; !ended; step++) {
    const data = temporaryFolder();
    const store = new ArtifactStore([], new DiskStore(data));
    await store.publish(loadArtifact('sluice', '1.0.0', before));
    ended = await endingAt(step, data, async () => {
      await store.publish(loadArtifact('sluice', '2.0.0', cut));
      await store.sign(store.get('sluice', '2.0.0'), Buffer.from('signature'));
    });

    const after = await openAfter(data);
    expect(after.get('sluice', '1.0.0').bytes).toEqual(before);
    const found = after.find({ name: 'sluice', version: '2.0.0' });
    expect(found?.bytes.equals(cut) ?? true).toBe(true);
    const signature = found && after.signature(found);
    expect(signature?.toString() ?? 'signature').toBe('signature');
    outcomes.push(found === undefined ? 'none' : signature === undefined ? 'module' : 'signed');
    // Whoever was killed tries again.
    await after.publish(loadArtifact('sluice', '2.0.0', cut));
    await after.sign(after.get('sluice', '2.0.0'), Buffer.from('signature'));
    await openAfter(data);
  }
  // Each outcome came to pass, and in this order: no step takes anything back.
  expect(outcomes.filter((outcome, step) => outcome !== outcomes[step - 1])).toEqual(['none', 'module', 'signed']);
  expect(outcomes.length).toBeGreaterThan(40);
});

test('at any moment, again and again: what was acknowledged is there', { timeout: 180_000 }, async () => {
  const data = temporaryFolder();
  const acknowledged: string[] = [];
  for (let round = 1; round <= 8; round++) {
    const child = run(endless, data, String(round));
    const end = once(child, 'exit');
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (version) => acknowledged.push(version));
    await once(lines, 'line');
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    child.kill('SIGKILL');
    await end;
    const store = await openAfter(data);
    const served = new Set(store.versions('sluice').map(({ version }) => version));
    expect(acknowledged.filter((version) => !served.has(version))).toEqual([]);
    // One more at most: it was in place, and its publisher did not come to say so.
    expect(served.size).toBeLessThanOrEqual(acknowledged.length + round);
    for (const { version, bytes } of store.versions('sluice')) {
      expect(bytes.equals(moduleWith(version.repeat(20_000)))).toBe(true);
    }
  }
});
