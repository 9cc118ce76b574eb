import { randomBytes } from 'node:crypto';
import { lstat, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandError } from './io.ts';
import { whyUnwritable } from './unwritable.ts';

/**
 * Writes a file, over one of its name: whole or not at all, and without one nothing is left. A link stays, and leads to
 * the new content; a device or a pipe, such as /dev/null, is written to. What a killed one left beside it is removed by a
 * later one.
 * @param flag that named the file
 * @throws CommandError
 */
export async function writeWholeFile(flag: string, file: string, content: string | Uint8Array): Promise<void> {
  try {
    const there = await stat(file).catch(() => undefined);
    if (there === undefined || there.isFile())
      await replace(there === undefined ? file : await realpath(file), content);
    // The system refuses a folder. A rename would put a file in the place of a device, for everybody on this machine.
    else await writeFile(file, content);
  } catch (error) {
    throw new CommandError(`${flag}: ${whyUnwritable(file, error)}`);
  }
}

/** What the name of an unfinished file ends with, behind that of the file. */
const unfinished = /^\.[0-9a-f]{8}\.unfinished$/;

/** Milliseconds after which an unfinished file is nobody's: whoever wrote it would have come to an end. */
const leftoverAge = 3_600_000;

async function removeLeftovers(file: string): Promise<void> {
  const [folder, name] = [dirname(file), basename(file)];
  for (const each of await readdir(folder)) {
    if (!each.startsWith(name) || !unfinished.test(each.slice(name.length))) continue;
    const found = await lstat(join(folder, each));
    if (found.isFile() && Date.now() - found.mtimeMs > leftoverAge) await rm(join(folder, each), { force: true });
  }
}

async function replace(file: string, content: string | Uint8Array): Promise<void> {
  // They are in nobody's way: where they cannot be removed, the file is written all the same.
  await removeLeftovers(file).catch(() => undefined);
  const draft = `${file}.${randomBytes(4).toString('hex')}.unfinished`;
  try {
    await writeFile(draft, content, { flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
