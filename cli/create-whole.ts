import { closeSync, linkSync, openSync, rmSync, writeFileSync } from 'node:fs';

const ownerOnly = 0o600;

/** What a file system without hard links says to one: FAT, exFAT, and some that are mounted over a network. */
const noLinks: readonly (string | undefined)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Creates a file with its whole content at once: nobody can read a part of it, and where it does not fit nothing is left.
 * Only where the file system has no hard links a reader can meet a part of it.
 * @param mode its owner alone can read it, unless this says otherwise
 * @returns false where it is there already: it stays as it is
 * @throws what the system says
 */
export function createWhole(file: string, content: string | Buffer, mode = ownerOnly): boolean {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, content, { mode });
    try {
      linkSync(unfinished, file);
    } catch (error) {
      if (!noLinks.includes((error as NodeJS.ErrnoException).code)) throw error;
      rmSync(unfinished); // a full disk has no room for both
      createInPlace(file, content, mode);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** @throws what the system says, also `EEXIST`; nothing is left of what could not be written whole */
function createInPlace(file: string, content: string | Buffer, mode: number): void {
  const handle = openSync(file, 'wx', mode);
  try {
    writeFileSync(handle, content);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
}
