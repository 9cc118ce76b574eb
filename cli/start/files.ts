import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWhole } from '../create-whole.ts';
import { CommandError } from '../io.ts';

/** The files of one `sluice start`; no other one that runs has them. */
export interface OwnFiles {
  /** 1 for the first `sluice start` of a data directory, 2 for one that runs beside it … */
  readonly number: number;
  /** The bootstrap. */
  readonly config: string;
  readonly log: string;
  /** A filter of the bootstrap, of that name: what an edit replaces. */
  readonly filter: (name: string) => string;
  /** Where a socket may be: short enough for every system. */
  readonly pipe: string;
  /** Gives the files to whoever starts next; configuration and log stay to be read. */
  readonly stop: () => Promise<void>;
  /** The same, at once. */
  readonly kill: () => void;
}

/** More than that beside each other is a program that starts them in a loop. */
const mostAtOnce = 100;

/** A path of a Unix socket has at most 103 bytes (macOS), or 107 (Linux). */
const longestPipe = 100;

/** A claim is replaced within a millisecond: what is older was left by a process that was killed right then. */
const replacingTimeout = 10_000;

/**
 * Claims files in a data directory: `envoy.yaml` and `envoy.log`, or `envoy-2.yaml` and `envoy-2.log` where another
 * `sluice start` of the same directory has those. A claim is a file that holds the id of its process; one whose process
 * is gone is replaced.
 * @throws CommandError where a hundred run already
 */
export function claimFiles(data: string): OwnFiles {
  makeFolder(data);
  for (let number = 1; number <= mostAtOnce; number++) {
    const name = number === 1 ? 'envoy' : `envoy-${number}`;
    const claim = join(data, `${name}.pid`);
    if (!claimed(claim)) continue;
    const pipe = pipeFor(join(data, `${name}.sock`));
    const release = (): void => {
      pipe.remove();
      rmSync(claim, { force: true });
    };
    return {
      number,
      config: join(data, `${name}.yaml`),
      log: join(data, `${name}.log`),
      filter: (filter) => join(data, `${name}-${filter}.json`),
      pipe: pipe.path,
      stop: () => {
        release();
        return Promise.resolve();
      },
      kill: release,
    };
  }
  throw new CommandError(`${mostAtOnce} times \`sluice start\` run in ${data}: stop some, or set SLUICE_DATA_DIR`);
}

function claimed(claim: string): boolean {
  if (createWhole(claim, `${process.pid}\n`)) return true;
  if (isHeld(claim)) return false;
  // One at a time: of two that found the same stale claim, the slower one would remove the claim of the quicker one.
  const replacing = `${claim}.replacing`;
  if (!madeFolder(replacing)) return false;
  try {
    if (isHeld(claim)) return false;
    rmSync(claim, { force: true });
    return createWhole(claim, `${process.pid}\n`);
  } finally {
    rmSync(replacing, { recursive: true, force: true });
  }
}

function isHeld(claim: string): boolean {
  let pid: number;
  try {
    pid = Number(readFileSync(claim, 'utf8'));
  } catch {
    return false; // just given back
  }
  // In a container every start may have the id that the last one had.
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // of another user, and alive
  }
}

function madeFolder(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch {
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined && Date.now() - made > replacingTimeout) rmSync(path, { recursive: true, force: true });
    return false;
  }
}

/** @throws CommandError where nothing can be kept there */
function makeFolder(data: string): void {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    accessSync(data, constants.W_OK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new CommandError(
      `the files of this gateway cannot be kept in ${data} (${code}): name a folder that this user may write to in SLUICE_DATA_DIR`,
    );
  }
}

function pipeFor(wanted: string): { path: string; remove: () => void } {
  if (Buffer.byteLength(wanted) <= longestPipe) {
    return {
      path: wanted,
      remove: () => {
        rmSync(wanted, { force: true });
      },
    };
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  return {
    path: join(folder, 'admin'),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
