import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BuildError } from './build-error.ts';

/**
 * Writes beside the file and renames: a reader sees the old bytes or the new ones. Makes its folder where it is missing. What
 * is there already is not written again, so that a clone which was built runs where nothing can be written.
 * @throws BuildError where it cannot be written
 */
export function replaceFile(file: string, contents: Uint8Array | string): void {
  if (existsSync(file) && readFileSync(file).equals(Buffer.from(contents))) return;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const temporary = `${file}.${process.pid}.tmp`;
    writeFileSync(temporary, contents);
    renameSync(temporary, file);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const advice =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? 'make room on that disk'
        : 'run `npm run build` once as a user that may write there, then any user can start it';
    throw new BuildError(`this clone has to be built, and ${file} cannot be written: ${advice}`, [message]);
  }
}
