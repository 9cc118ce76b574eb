import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ArchiveError, type ArchiveLimits, filesOfTar } from '../../common/archive.ts';
import { codeOf } from '../store/files.ts';

/** The files of an image layout or of an archive of one, by their path in it. */
export interface ImageFiles {
  /** Undefined where there is none of that name. */
  readonly read: (path: string) => Promise<Buffer | undefined>;
}

/** What an archive is refused for: it is damaged, or made to do harm. The message is for who chose it. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}

/** Bytes of an archive, unpacked, and files in it. A module has 256 MiB at most. */
const archiveLimits = { bytes: 1024 * 1024 * 1024, files: 10_000 } as const;

/** A directory in which an image was unpacked. Paths are those of the OCI layout, which has no `..`. */
export function filesOfDirectory(directory: string): ImageFiles {
  return {
    read: async (path) => {
      try {
        return await readFile(join(directory, path));
      } catch (error) {
        if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(codeOf(error))) return undefined;
        throw error;
      }
    },
  };
}

/**
 * The files of a tar, plain or in gzip, in memory: nothing is written anywhere.
 * Throws `ImageError` for what `filesOfTar` refuses.
 */
export async function filesOfArchive(archive: Buffer, limits: ArchiveLimits = archiveLimits): Promise<ImageFiles> {
  const tar = await unpacked(archive, limits.bytes);
  try {
    const files = await filesOfTar(tar, limits);
    return { read: (path) => Promise.resolve(files.get(path)?.content) };
  } catch (error) {
    throw error instanceof ArchiveError ? new ImageError(error.message) : error;
  }
}

/** What is in gzip, and at most `limit` bytes of it; what is in none as it is. Throws `ImageError`. */
export async function unpacked(archive: Buffer, limit: number = archiveLimits.bytes): Promise<Buffer> {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) return archive;
  try {
    return await promisify(gunzip)(archive, { maxOutputLength: limit });
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw new ImageError(`it unpacks to more than ${limit} bytes`);
    throw new ImageError(`it is gzip data that cannot be unpacked: ${(error as Error).message}`);
  }
}
