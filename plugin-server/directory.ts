import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Artifact, loadArtifact } from './artifact.ts';
import { PluginServerError } from './errors.ts';

/** Larger files are refused before they are read. A proxy-wasm module has some KiB (ours) to some MiB (Go). */
export const moduleLimit = 256 * 1024 * 1024;

/**
 * Reads the tree `<directory>/<name>/<version>/plugin.wasm` into memory, in the order of the names. Symbolic links are
 * followed (Kubernetes mounts are made of them); plain files, dot-files and `lost+found` beside plugins are not ours.
 *
 * All or nothing: throws `data_unreadable` if the directory cannot be listed, and `data_invalid` with one line for each
 * thing that is wrong. A version directory without a module is wrong too: that is what a failed download leaves, and a
 * server that starts without it answers 404 to the gateway that needs it.
 */
export async function loadDirectory(directory: string): Promise<Artifact[]> {
  const names = await subdirectories(directory).catch((error: unknown) => {
    throw new PluginServerError('data_unreadable', directory, reason(error));
  });
  const artifacts: Artifact[] = [];
  const problems: string[] = [];
  const attempt = async (path: string, step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      problems.push(`  ${path}: ${reason(error)}`);
    }
  };

  for (const name of names) {
    await attempt(name, async () => {
      const versions = await subdirectories(join(directory, name));
      if (versions.length === 0) throw new Error('has no <version>/plugin.wasm in it');
      for (const version of versions) {
        const path = join(name, version, 'plugin.wasm');
        await attempt(path, async () => {
          artifacts.push(await loadFile(name, version, join(directory, path)));
        });
      }
    });
  }
  if (problems.length > 0) throw new PluginServerError('data_invalid', directory, problems.join('\n'));
  return artifacts;
}

async function loadFile(name: string, version: string, path: string): Promise<Artifact> {
  const { size, mtime } = await stat(path);
  if (size > moduleLimit) throw new Error(`has ${size} bytes, more than the limit of ${moduleLimit}`);
  return loadArtifact(name, version, await readFile(path), mtime);
}

async function subdirectories(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of (await readdir(directory)).sort()) {
    // The root of an ext4 volume has a lost+found that only root may read; a ConfigMap mount has ..data.
    if (entry.startsWith('.') || entry === 'lost+found') continue;
    const target = await stat(join(directory, entry)).catch(() => undefined);
    // A link that leads nowhere stays in: reading it fails, and that is told.
    if (target?.isDirectory() !== false) found.push(entry);
  }
  return found;
}

/** The message of a file system error repeats the path: its code is enough beside it. */
function reason(error: unknown): string {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  return syscall === undefined ? message : (code ?? message);
}
