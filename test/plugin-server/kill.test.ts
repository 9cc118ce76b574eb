// A publication that is killed, at every step and at any moment: the store has the version whole, or not at all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { type ArtifactStore, loadArtifact, openStore } from '../../plugin-server/index.ts';
import { DiskStore } from '../../plugin-server/store/disk.ts';
import { forEach } from '../../plugin-server/store/each.ts';
import { clone, temporaryFolder } from '../launcher/support.ts';
import { moduleWith } from './modules.ts';
import { collectedLog } from './support.ts';

/** What both processes publish. */
const before = moduleWith('published before');
const killed = moduleWith(Buffer.alloc(200_000, 'killed'));

/** Publishes 1.0.0, then 2.0.0 with a signature, and kills itself at a step of the latter; exits with 7 if it has fewer. */
const publisher = `
  import { syncBuiltinESMExports } from 'node:module';
  import fs from 'node:fs';
  const [data, step] = process.argv.slice(1);
  const handle = await fs.promises.open('/dev/null');
  const handles = Object.getPrototypeOf(handle);
  await handle.close();
  let counting = false;
  let steps = 0;
  const die = () => { process.kill(process.pid, 'SIGKILL'); for (;;); };
  // Each call is two steps: before it, and after it; of a write the second one is in the middle.
  const watch = (object, name, half) => {
    const real = object[name];
    object[name] = async function (...args) {
      if (!counting) return real.apply(this, args);
      if (steps++ === Number(step)) die();
      if (steps++ !== Number(step)) return real.apply(this, args);
      try { await (half ? half.call(this, real, args) : real.apply(this, args)); } finally { die(); }
    };
  };
  for (const name of ['open', 'link', 'rename', 'unlink', 'mkdir', 'readFile', 'stat']) watch(fs.promises, name);
  watch(handles, 'sync');
  watch(handles, 'writeFile', function (real, [content]) { return this.write(Buffer.from(content).subarray(0, content.length / 2)); });
  syncBuiltinESMExports();
  const { ArtifactStore, loadArtifact } = await import('./plugin-server/index.ts');
  const { DiskStore } = await import('./plugin-server/store/disk.ts');
  const { moduleWith } = await import('./test/plugin-server/modules.ts');
  const store = new ArtifactStore([], new DiskStore(data));
  await store.publish(loadArtifact('sluice', '1.0.0', moduleWith('published before')));
  counting = true;
  const artifact = loadArtifact('sluice', '2.0.0', moduleWith(Buffer.alloc(200_000, 'killed')));
  await store.publish(artifact);
  await store.sign(artifact, Buffer.from('signature'));
  process.exit(7);`;

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
  await new DiskStore(data).clean(0);
  const { store, close, problems } = await openStore(data, { log: collectedLog().log });
  close();
  expect(store.damages).toEqual([]);
  expect(problems()).toEqual([]);
  const named = store.names().flatMap((name) => store.versions(name).map(({ sha256 }) => sha256));
  expect(await readdir(join(data, '.store/incoming'))).toEqual([]);
  expect((await readdir(join(data, '.store/blobs/sha256'))).sort()).toEqual(named.sort());
  return store;
}

test('at every step: whole or not at all, and what was there before stays', { timeout: 180_000 }, async () => {
  const outcomes: string[] = [];
  let last = Infinity;
  const steps = function* (): Generator<number> {
    for (let step = 0; step <= last; step++) yield step;
  };
  await forEach(steps(), 3, async (step) => {
    const data = temporaryFolder();
    const [code, signal] = (await once(run(publisher, data, String(step)), 'exit')) as [number | null, string | null];
    if (code === 7) last = Math.min(last, step);
    else expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
    const store = await openAfter(data);
    expect(store.get('sluice', '1.0.0').bytes).toEqual(before);
    const found = store.find({ name: 'sluice', version: '2.0.0' });
    expect(found?.bytes ?? killed).toEqual(killed);
    const signature = found && store.signature(found);
    expect(signature?.toString() ?? 'signature').toBe('signature');
    outcomes[step] = found === undefined ? 'none' : signature === undefined ? 'module' : 'signed';
    // Whoever was killed tries again.
    await store.publish(loadArtifact('sluice', '2.0.0', killed));
    await store.sign(store.get('sluice', '2.0.0'), Buffer.from('signature'));
    await openAfter(data);
  });
  // Each outcome came to pass, and in this order: no step takes anything back.
  expect(outcomes.filter((outcome, step) => outcome !== outcomes[step - 1])).toEqual(['none', 'module', 'signed']);
  expect(last).toBeGreaterThan(40);
});

test('at any moment, again and again: what was acknowledged is there', { timeout: 180_000 }, async () => {
  const data = temporaryFolder();
  const acknowledged: string[] = [];
  for (let round = 1; round <= 12; round++) {
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
