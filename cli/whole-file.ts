import { randomBytes } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { CommandError } from './io.ts';
import { whyUnwritable } from './unwritable.ts';

/**
 * Writes a file, over one of its name: whole or not at all, and without one nothing is left. A link stays, and leads to
 * the new content; a device or a pipe, such as /dev/null, is written to.
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

async function replace(file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, content, { flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
