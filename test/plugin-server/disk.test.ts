import { mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Artifact, ArtifactStore, loadArtifact, openStore } from '../../plugin-server/index.ts';
import { DiskStore } from '../../plugin-server/store/disk.ts';
import { StoreLayout } from '../../plugin-server/store/layout.ts';
import { removeLeftovers } from '../../plugin-server/store/leftovers.ts';
import { temporaryFolder } from '../launcher/support.ts';
import { moduleWith } from './modules.ts';
import { collectedLog, writeTo } from './support.ts';

let data: string;

beforeEach(() => {
  data = temporaryFolder();
});

const one = loadArtifact('sluice', '1.0.0', moduleWith('one'), new Date('2026-01-02T03:04:05.678Z'));
const two = loadArtifact('sluice', '2.0.0', moduleWith('two'));

async function open(directory = data) {
  const { log, lines } = collectedLog();
  const opened = await openStore(directory, { log });
  opened.close(); // tests look when they want to
  return { ...opened, lines };
}

function blob({ sha256 }: Artifact): string {
  return join(data, '.store/blobs/sha256', sha256);
}

function versions(store: ArtifactStore, name = 'sluice'): string[] {
  return store.versions(name).map(({ version }) => version);
}

describe('what was published', () => {
  test('is there again, with all that was known of it', async () => {
    const { store } = await open();
    expect(await store.publish(one)).toBe('created');
    expect(await store.publish(two)).toBe('created');
    const again = (await open()).store;
    expect(versions(again)).toEqual(['2.0.0', '1.0.0']);
    const read = again.get('sluice', '1.0.0');
    expect(read).toEqual(one);
    expect(read.interface).toEqual(one.interface);
    expect(read.provenance).toEqual(one.provenance);
  });

  test('is there once for equal bytes', async () => {
    const { store } = await open();
    await store.publish(one);
    await store.publish(loadArtifact('other', '0.1.0', one.bytes));
    expect(await readdir(join(data, '.store/blobs/sha256'))).toEqual([one.sha256]);
    expect(versions((await open()).store, 'other')).toEqual(['0.1.0']);
  });

  test('is refused with the next step while the folder that the directory leads to is gone', async () => {
    await mkdir(join(data, 'volume'));
    await symlink('volume', join(data, 'link'));
    const { store } = await open(join(data, 'link'));
    await rm(join(data, 'volume'), { recursive: true });
    await expect(store.publish(one)).rejects.toMatchObject({ code: 'store_unwritable', status: 507 });
  });

  test('is refused while the directory is moved away, which is not made anew', async () => {
    const directory = join(data, 'own');
    await mkdir(directory);
    const { store } = await open(directory);
    await rename(directory, join(data, 'away'));
    await expect(store.publish(one)).rejects.toMatchObject({ code: 'store_unwritable', status: 507 });
    await rename(join(data, 'away'), directory);
    expect(await store.publish(one)).toBe('created');
  });

  test('cannot be published with other bytes, by this process or another', async () => {
    const { store } = await open();
    const { store: unaware } = await open();
    await store.publish(one);
    const other = loadArtifact('sluice', '1.0.0', moduleWith('other'));
    for (const each of [store, unaware]) {
      await expect(each.publish(other)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(one.sha256) as string,
      });
    }
    expect(await unaware.publish(one)).toBe('unchanged');
    expect((await open()).store.get('sluice', '1.0.0').sha256).toBe(one.sha256);
  });

  test('by several at once, is created once', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, async () => (await open()).store));
    const outcomes = await Promise.all(stores.map((store) => store.publish(one)));
    expect(outcomes.sort()).toEqual(['created', ...Array<string>(7).fill('unchanged')]);
    const others = stores.map((_, index) => loadArtifact('sluice', '3.0.0', moduleWith(`other ${index}`)));
    const results = await Promise.allSettled(stores.map((store, index) => store.publish(others[index] ?? one)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = others[results.findIndex(({ status }) => status === 'fulfilled')];
    expect((await open()).store.get('sluice', '3.0.0').sha256).toBe(winner?.sha256);
  });

  test('cannot be written over by accident', async () => {
    await (await open()).store.publish(one);
    expect((await stat(blob(one))).mode & 0o222).toBe(0);
  });

  test('has its signature with it', async () => {
    const { store } = await open();
    await store.publish(one);
    expect(await store.sign(store.get('sluice', '1.0.0'), Buffer.from('signature'))).toBe('created');
    const again = (await open()).store;
    const read = again.get('sluice', '1.0.0');
    expect(again.signature(read)).toEqual(Buffer.from('signature'));
    expect(await again.sign(read, Buffer.from('signature'))).toBe('unchanged');
    await expect(again.sign(read, Buffer.from('other'))).rejects.toMatchObject({ code: 'signature_conflict' });
  });
});

describe('a damaged version', () => {
  const damages: [string, (artifact: Artifact) => Promise<unknown>, string][] = [
    [
      'a flipped bit in its module',
      async (artifact) => {
        const bytes = Buffer.from(artifact.bytes);
        bytes[20] = (bytes[20] ?? 0) ^ 1;
        await rm(blob(artifact));
        await writeFile(blob(artifact), bytes);
      },
      'its module has the digest',
    ],
    ['no module', (artifact) => rm(blob(artifact)), 'ENOENT'],
    [
      'half a module',
      async (artifact) => {
        await rm(blob(artifact));
        await writeFile(blob(artifact), artifact.bytes.subarray(0, 10));
      },
      'its module has 10 bytes instead of',
    ],
    [
      'half a record',
      async () => {
        const record = join(data, '.store/plugins/sluice/1.0.0.json');
        const text = await readFile(record, 'utf8');
        await rm(record);
        await writeFile(record, text.slice(0, 50));
      },
      'its record is no record',
    ],
  ];

  test.each(damages)('with %s is told of and not served, and the others are', async (_what, damage, reason) => {
    const { store } = await open();
    await store.publish(one);
    await store.publish(two);
    await damage(one);
    const { store: again, lines } = await open();
    expect(versions(again)).toEqual(['2.0.0']);
    expect(() => again.get('sluice', '1.0.0')).toThrow(expect.objectContaining({ code: 'damaged', status: 503 }));
    expect(again.damages).toMatchObject([{ name: 'sluice', version: '1.0.0' }]);
    expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
    expect(lines.join()).toContain(reason);
  });

  test('of the only plugin is told of too', async () => {
    await (await open()).store.publish(one);
    await rm(blob(one));
    const { store } = await open();
    expect(() => store.get('sluice', '1.0.0')).toThrow('damaged on disk');
  });

  test('is repaired by its own bytes, and by no others', async () => {
    await (await open()).store.publish(one);
    await rm(blob(one));
    const { store } = await open();
    const other = loadArtifact('sluice', '1.0.0', moduleWith('other'));
    await expect(store.publish(other)).rejects.toMatchObject({ code: 'conflict' });
    expect(await store.publish(loadArtifact('sluice', '1.0.0', one.bytes))).toBe('unchanged');
    expect(store.damages).toEqual([]);
    expect((await open()).store.get('sluice', '1.0.0').bytes).toEqual(one.bytes);
  });

  test('is served again when its file was restored', async () => {
    await (await open()).store.publish(one);
    await rename(blob(one), join(data, 'aside'));
    const { store, refresh, lines } = await open();
    await refresh();
    expect(store.damages).toHaveLength(1);
    expect(lines).toHaveLength(1); // and not told again
    await rename(join(data, 'aside'), blob(one));
    await refresh();
    expect(store.damages).toEqual([]);
    expect(versions(store)).toEqual(['1.0.0']);
  });
});

describe('beside the tree of modules', () => {
  test('both are served, and the tree is left alone', async () => {
    await writeTo(join(data, 'by-hand/1.0.0/plugin.wasm'), moduleWith('by hand'));
    const { store } = await open();
    await store.publish(one);
    expect((await open()).store.names()).toEqual(['by-hand', 'sluice']);
    expect((await readdir(data)).sort()).toEqual(['.store', 'by-hand']);
  });

  test('nothing is written before something is published', async () => {
    await open();
    expect(await readdir(data)).toEqual([]);
  });

  test('a version of the tree is not published with other bytes', async () => {
    await writeTo(join(data, 'sluice/1.0.0/plugin.wasm'), moduleWith('by hand'));
    const { store } = await open();
    await expect(store.publish(one)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('the same version with other bytes in both is no start', async () => {
    await (await open()).store.publish(one);
    await writeTo(join(data, 'sluice/1.0.0/plugin.wasm'), moduleWith('by hand'));
    await expect(open()).rejects.toMatchObject({
      code: 'data_invalid',
      message: expect.stringContaining('sluice/1.0.0 is there with other bytes') as string,
    });
  });

  test('a digest beside a module has to be its own', async () => {
    const line = (artifact: Artifact): string => `${artifact.sha256}  plugin.wasm\n`;
    await writeTo(join(data, 'sluice/1.0.0/plugin.wasm'), one.bytes);
    await writeTo(join(data, 'sluice/1.0.0/plugin.wasm.sha256'), line(two));
    await writeTo(join(data, 'sluice/2.0.0/plugin.wasm'), two.bytes);
    await writeTo(join(data, 'sluice/2.0.0/plugin.wasm.sha256'), line(two));
    await writeTo(join(data, 'sluice/2.0.0/plugin.wasm.sig'), 'signature');
    const { store, lines } = await open();
    expect(versions(store)).toEqual(['2.0.0']);
    expect(store.signature(store.get('sluice', '2.0.0'))?.toString()).toBe('signature');
    expect(lines.join()).toContain(`it has the digest ${one.sha256}, and its plugin.wasm.sha256 says ${two.sha256}`);
  });
});

describe('what comes later', () => {
  test('from another process, or by hand, is noticed', async () => {
    const { store: writer } = await open();
    const { store, refresh, lines } = await open();
    await writer.publish(one);
    await writeTo(join(data, 'by-hand/1.0.0/plugin.wasm'), moduleWith('by hand'));
    await refresh();
    expect(store.names()).toEqual(['by-hand', 'sluice']);
    await writer.sign(writer.get('sluice', '1.0.0'), Buffer.from('later'));
    await refresh();
    expect(store.signature(store.get('sluice', '1.0.0'))?.toString()).toBe('later');
    expect(lines).toEqual(['info: the data directory has new versions']);
  });

  test('half-copied is told of, once, and served when it is whole', async () => {
    const { store, refresh, problems, lines } = await open();
    const file = await writeTo(join(data, 'by-hand/1.0.0/plugin.wasm'), moduleWith('by hand').subarray(0, 30));
    await refresh();
    await refresh();
    expect(problems()).toEqual([expect.stringContaining('by-hand/1.0.0/plugin.wasm: ') as string]);
    expect(lines).toHaveLength(1);
    await writeFile(file, moduleWith('by hand'));
    await refresh();
    expect(problems()).toEqual([]);
    expect(store.names()).toEqual(['by-hand']);
  });

  test('in place of what is served is told of, and what was there stays', async () => {
    const file = await writeTo(join(data, 'by-hand/1.0.0/plugin.wasm'), moduleWith('first'));
    const { store, refresh, problems } = await open();
    await writeFile(file, moduleWith('the second'));
    await refresh();
    await refresh();
    expect(problems()).toEqual([expect.stringContaining('a version is immutable') as string]);
    expect(store.get('by-hand', '1.0.0').bytes).toEqual(moduleWith('first'));
  });

  test('not at all, as the volume went away, takes nothing with it', async () => {
    const folder = join(data, 'volume');
    await mkdir(folder);
    await (await open(folder)).store.publish(one);
    const { store, refresh, problems } = await open(folder);
    await rm(folder, { recursive: true });
    await refresh();
    expect(versions(store)).toEqual(['1.0.0']);
    expect(problems().join()).toContain('ENOENT');
    await mkdir(folder);
    await refresh();
    expect(versions(store)).toEqual(['1.0.0']);
  });
});

test('a store holds no more than its limits', async () => {
  const few = new ArtifactStore([one], undefined, { artifacts: 1, bytes: 1_000_000 });
  await expect(few.publish(two)).rejects.toMatchObject({ code: 'store_full', status: 507 });
  const small = new ArtifactStore([one], undefined, { artifacts: 9, bytes: one.bytes.length + two.bytes.length - 1 });
  await expect(small.publish(two)).rejects.toMatchObject({ code: 'store_full' });
  expect(small.count).toBe(1);
});

test('leftovers go when they are old enough, and what is named stays', async () => {
  const { store } = await open();
  await store.publish(one);
  const leftover = await writeTo(join(data, '.store/incoming/unfinished'), 'half');
  const orphan = await writeTo(join(data, '.store/blobs/sha256', two.sha256), two.bytes);
  const layout = new StoreLayout(data);
  await removeLeftovers(layout, 60_000);
  await Promise.all([stat(leftover), stat(orphan)]);
  await removeLeftovers(layout, 0);
  for (const gone of [leftover, orphan]) await expect(stat(gone)).rejects.toThrow('ENOENT');
  expect(versions((await open()).store)).toEqual(['1.0.0']);
});

test('a folder that cannot be written to is read-only', async () => {
  expect(await new DiskStore(data).isWritable()).toBe(true);
  // Where permissions say no, root may all the same; that nothing is there says no to everybody.
  expect(await new DiskStore(join(data, 'missing', 'folder')).isWritable()).toBe(false);
});
