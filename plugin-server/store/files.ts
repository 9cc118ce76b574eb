// Writing so that a reader, or the next start after a power cut, finds a file whole or not at all.
import { randomUUID } from 'node:crypto';
import { type Stats, closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

/** There is no room for more: on the volume, for this user, for this process (`ulimit -f`). */
const fullCodes: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Permissions or the mount say no, or the volume itself is gone: not mounted any more, or moved. */
const unwritableCodes: readonly string[] = ['EROFS', 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'ENODEV', 'ESTALE', 'EIO'];

/** What volumes say that have no hard links (SMB, some FUSE). */
const noLinkCodes: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

export function isFull(error: unknown): boolean {
  return fullCodes.includes(codeOf(error));
}

/** Nothing can be written there. */
export function isUnwritable(error: unknown): boolean {
  return unwritableCodes.includes(codeOf(error));
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** The message of a file system error repeats the path: its code is enough beside it. */
export function reasonOf(error: unknown): string {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  return syscall === undefined ? message : (code ?? message);
}

/**
 * Makes a folder, and those above it. Where it cannot be made, the error is the system's own: of a volume that is mounted
 * read-only Node says ENOENT.
 * @param mode of each folder that is made
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await makeFolder(dirname(folder), mode);
    await mkdir(folder, { mode });
  }
}

/**
 * Makes a folder below another one, which has to be there: one that was moved away, or whose volume is gone, is not made anew,
 * where the next start would find a part of what there is.
 * @param path from `base` on
 * @param mode of each folder that is made
 */
export async function makeFolderBelow(base: string, path: string, mode = 0o777): Promise<void> {
  let folder = base;
  for (const name of path.split(sep).filter((part) => part !== '' && part !== '.')) {
    folder = join(folder, name);
    await mkdir(folder, { mode }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

/** Puts `content` at `target`, over what is there. `incoming` is a folder of the same volume for unfinished files. */
export async function replaceFile(incoming: string, target: string, content: Uint8Array | string): Promise<void> {
  await unfinished(incoming, content, async (file) => {
    await rename(file, target);
  });
  await syncFolder(dirname(target));
}

/** Puts `content` at `target` if nothing is there, which it returns; of several at once one succeeds. */
export async function createFile(incoming: string, target: string, content: Uint8Array | string): Promise<boolean> {
  const created = await unfinished(incoming, content, (file) => moveToFree(file, target));
  if (created) await syncFolder(dirname(target));
  return created;
}

/** Makes the entries of a folder outlive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Not every volume can (SMB): there it is as safe as that volume makes it.
    if (!['EINVAL', 'ENOTSUP', 'EISDIR', 'EBADF'].includes(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

async function unfinished<T>(
  incoming: string,
  content: Uint8Array | string,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const file = join(incoming, randomUUID());
  try {
    const handle = await open(file, 'wx', 0o444);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return await use(file);
  } finally {
    // Renamed, it is gone; otherwise it is in the way of nothing but the next clean-up.
    await unlink(file).catch(() => undefined);
  }
}

/** `rename` would replace what another process put there meanwhile; `link` fails. */
async function moveToFree(file: string, target: string): Promise<boolean> {
  try {
    await link(file, target);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!noLinkCodes.includes(codeOf(error))) throw error;
  }
  // Here two processes could both find the place free, and the later one win: share such a volume between readers only.
  if ((await stat(target).catch(() => undefined)) !== undefined) return false;
  await rename(file, target);
  return true;
}

/**
 * Reads a file that others may replace by anything: what is no regular file, such as a pipe that nobody writes to, is
 * refused and not waited for.
 * @param limit bytes
 * @throws Error with a sentence that follows the name of the file, and the path nowhere in it
 */
export async function readRegularFile(path: string, limit: number): Promise<Buffer> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      checkStats(await file.stat(), limit);
      return await readUpTo(file, limit);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable(codeOf(error) === 'ENOENT' ? 'is not there' : `cannot be read: ${reasonOf(error)}`, error);
  }
}

/** As `readRegularFile`, for a start that nobody waits beside. */
export function readRegularFileSync(path: string, limit: number): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    checkStats(fstatSync(file), limit);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function checkStats(stats: Stats, limit: number): void {
  if (!stats.isFile()) throw new Unreadable('is not a file');
  if (stats.size > limit) throw new Unreadable(`has ${stats.size} bytes, more than the limit of ${limit}`);
}

/** Why a file is not read; `code` is the system's, where it has one. */
class Unreadable extends Error {
  readonly code: string;

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.code = cause === undefined ? '' : codeOf(cause);
  }
}

/** A file may grow while it is read. */
async function readUpTo(file: FileHandle, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of file.createReadStream({ autoClose: false, end: limit }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
  }
  if (length > limit) throw new Unreadable(`has more than ${limit} bytes`);
  return Buffer.concat(chunks);
}
