import { createHash } from 'node:crypto';
import { ArchiveError, type ArchivedFile } from '../common/archive.ts';
import { bundled } from './names.ts';

/** The SHA-256 of each file but this one, in the form that `sha256sum --check` takes, in the order of the names. */
export function checksumsOf(files: ReadonlyMap<string, ArchivedFile>): string {
  const paths = [...files.keys()].filter((path) => path !== bundled.checksums).sort();
  return paths.map((path) => `${sha256Of(files.get(path)?.content ?? Buffer.alloc(0))}  ${path}\n`).join('');
}

/**
 * Holds the files of a bundle to its checksums: each is listed, has the bytes that the list promises, and none is missing.
 * @throws ArchiveError with the first that differs
 */
export function checkFiles(files: ReadonlyMap<string, ArchivedFile>): void {
  const listed = checksumsIn(files.get(bundled.checksums)?.content.toString('utf8'));
  for (const [path, promised] of listed) {
    const file = files.get(path);
    if (file === undefined) throw new ArchiveError(`it has not ${path}, which its ${bundled.checksums} lists`);
    const digest = sha256Of(file.content);
    if (digest !== promised)
      throw new ArchiveError(`its ${path} has the SHA-256 ${digest}, and ${promised} is promised`);
  }
  const unlisted = [...files.keys()].find((path) => path !== bundled.checksums && !listed.has(path));
  if (unlisted !== undefined) throw new ArchiveError(`its ${unlisted} is not listed in its ${bundled.checksums}`);
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function checksumsIn(text: string | undefined): Map<string, string> {
  if (text === undefined) throw new ArchiveError(`it has no ${bundled.checksums}, so it is no bundle of Sluice`);
  const lines = text.split('\n').slice(0, -1);
  return new Map(
    lines.map((line) => {
      const [, digest, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
      if (digest === undefined || path === undefined) {
        throw new ArchiveError(
          `its ${bundled.checksums} has a line that is no checksum: ${JSON.stringify(line.slice(0, 100))}`,
        );
      }
      return [path, digest] as const;
    }),
  );
}
