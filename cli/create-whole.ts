import { linkSync, rmSync, writeFileSync } from 'node:fs';

const ownerOnly = 0o600;

/**
 * Creates a file with its whole content at once: nobody can read a part of it, and where it does not fit nothing is left.
 * @param mode its owner alone can read it, unless this says otherwise
 * @returns false where it is there already: it stays as it is
 * @throws what the system says
 */
export function createWhole(file: string, content: string | Buffer, mode = ownerOnly): boolean {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, content, { mode });
    linkSync(unfinished, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
}
