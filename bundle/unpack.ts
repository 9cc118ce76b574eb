import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ArchiveError, type ArchivedFile } from '../common/archive.ts';
import { bundled } from './names.ts';
import type { OpenBundle } from './open.ts';

/**
 * Writes the files of a bundle into a folder that is not there yet, or is empty. It comes into place whole, by a rename,
 * after its files have reached the disk: whenever this is killed, the folder is there or it is not. What a killed one
 * left beside it is removed by the next.
 * @param progress told after each file how many bytes have been written
 * @returns false where this very bundle was there already, which is looked at byte by byte
 * @throws ArchiveError where something else is there, and what the file system says
 */
export function unpackBundle({ files }: OpenBundle, folder: string, progress: (bytes: number) => void): boolean {
  const target = resolve(folder);
  removeLeftovers(target);
  if (!isFree(target)) {
    checkSame(files, target);
    return false;
  }
  mkdirSync(dirname(target), { recursive: true });
  const unfinished = `${target}${ending}${process.pid}`;
  mkdirSync(unfinished, { mode: 0o755 });
  try {
    let written = 0;
    for (const [path, file] of files) {
      writeFile(join(unfinished, path), file);
      written += file.content.length;
      progress(written);
    }
    for (const each of foldersOf(files)) sync(join(unfinished, each));
    renameSync(unfinished, target);
    sync(dirname(target));
    return true;
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Between the name of a folder and the process that fills it. */
const ending = '.unfinished-';

function removeLeftovers(target: string): void {
  if (!existsSync(dirname(target))) return;
  const start = `${basename(target)}${ending}`;
  for (const name of readdirSync(dirname(target))) {
    const pid = Number(name.startsWith(start) ? name.slice(start.length) : Number.NaN);
    if (Number.isInteger(pid) && pid > 0 && !isAlive(pid)) rmSync(join(dirname(target), name), { recursive: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid; // one that had this number before is gone
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function isFree(target: string): boolean {
  const found = lstatSync(target, { throwIfNoEntry: false });
  return found === undefined || (found.isDirectory() && readdirSync(target).length === 0);
}

function writeFile(path: string, { content, executable }: ArchivedFile): void {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'wx', executable ? 0o755 : 0o644);
  try {
    for (let offset = 0; offset < content.length;) offset += writeSync(file, content, offset);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** All folders that the files are in, the deepest first, and the one of all. */
function foldersOf(files: ReadonlyMap<string, ArchivedFile>): string[] {
  const folders = new Set<string>(['.']);
  for (const path of files.keys()) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  }
  return [...folders].sort((a, b) => b.length - a.length);
}

function sync(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    // Not every volume can: there it is as safe as that volume makes it.
    if (!['EINVAL', 'ENOTSUP', 'EISDIR', 'EBADF', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  } finally {
    closeSync(handle);
  }
}

/** What was added to the folder since, such as data, is no matter. @throws ArchiveError with the first file that differs */
function checkSame(files: ReadonlyMap<string, ArchivedFile>, target: string): void {
  if (!existsSync(join(target, bundled.manifest))) {
    throw new ArchiveError(`${target} is there and is not empty; name a folder that is not there`);
  }
  for (const [path, { content }] of files) {
    const place = join(target, path);
    const isSame =
      lstatSync(place, { throwIfNoEntry: false })?.isFile() === true && readFileSync(place).equals(content);
    if (!isSame) {
      throw new ArchiveError(
        `${target} is there, and its ${path} is not that of this bundle; load each version into a folder of its own`,
      );
    }
  }
}
