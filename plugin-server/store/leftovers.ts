import { stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { forEach } from './each.ts';
import { readRegularFile } from './files.ts';
import { type StoreLayout, entries } from './layout.ts';
import { moduleLimit } from './limits.ts';
import { parseRecord } from './record.ts';

/** Milliseconds after which an unfinished file is nobody's: whoever wrote it would have come to an end. */
const leftoverAge = 15 * 60_000;

/** Files that are looked at at a time. */
const atOnce = 8;

/**
 * Removes what killed publications left: unfinished files, and modules that no record names.
 * @param age milliseconds that a file has to be old; another process may be at work on younger ones
 */
export async function removeLeftovers(layout: StoreLayout, age: number = leftoverAge): Promise<void> {
  const limit = Date.now() - age;
  // Listed first: a record that is written meanwhile names a younger one.
  const blobs = await entries(layout.blobs);
  const named = await namedBlobs(layout);
  const orphans = named === undefined ? [] : blobs.filter((digest) => !named.has(digest));
  const unfinished = (await entries(layout.incoming)).map((entry) => join(layout.incoming, entry));
  await forEach([...unfinished, ...orphans.map((digest) => layout.blob(digest))], atOnce, async (file) => {
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && Math.floor(found.mtimeMs) <= limit) await unlink(file).catch(() => undefined);
  });
}

/** `undefined` where one record cannot be read: its module might be any. */
async function namedBlobs(layout: StoreLayout): Promise<Set<string> | undefined> {
  const named = new Set<string>();
  const records = (await layout.versionFiles()).filter(({ kind }) => kind === 'json');
  try {
    await forEach(records, atOnce, async ({ name, version }) => {
      const address = { name, version };
      named.add(parseRecord(String(await readRegularFile(layout.file(address, 'json'), moduleLimit)), address).sha256);
    });
    return named;
  } catch {
    return undefined;
  }
}
