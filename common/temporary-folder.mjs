import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';

/** Ends the process, with what to do, where there is no folder for temporary files: what follows keeps some there. */
export function requireTemporaryFolder() {
  try {
    accessSync(tmpdir(), constants.W_OK);
  } catch (error) {
    console.error(
      `sluice needs a folder for temporary files, and ${tmpdir()} is none (${error.code}): set TMPDIR to one`,
    );
    process.exit(3);
  }
}
