import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { CommandError } from './io.ts';
import { whyUnwritable } from './unwritable.ts';

/**
 * Writes a file, over one of its name: whole or not at all, and without one nothing is left.
 * @param flag that named the file
 * @throws CommandError
 */
export async function writeWholeFile(flag: string, file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, content, { flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw new CommandError(`${flag}: ${whyUnwritable(file, error)}`);
  }
}
