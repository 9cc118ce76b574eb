import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Header, extract } from 'tar-stream';
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
 * Throws `ImageError` for what is no whole archive, exceeds `limits`, or holds what an image never needs and an attack
 * does: links, devices, names that are absolute or lead out of it, and two files of one name.
 */
export async function filesOfArchive(
  archive: Buffer,
  limits: { readonly bytes: number; readonly files: number } = archiveLimits,
): Promise<ImageFiles> {
  const tar = await unpacked(archive, limits.bytes);
  const files = new Map<string, Buffer>();
  const archived = extract();
  archived.end(tar);
  let size = 0;
  try {
    for await (const entry of archived) {
      const { header } = entry;
      const path = pathOf(header);
      const content = await contentOf(entry);
      if (header.type === 'directory') continue;
      if (files.has(path)) throw new ImageError(`it has two files ${JSON.stringify(path)}`);
      if (files.size === limits.files) throw new ImageError(`it has more than ${limits.files} files`);
      size += content.length;
      if (size > limits.bytes) throw new ImageError(`it unpacks to more than ${limits.bytes} bytes`);
      files.set(path, content);
    }
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw new ImageError(`it is no whole tar: ${(error as Error).message}`);
  }
  if (files.size === 0) throw new ImageError('it is no tar, or an empty one');
  return { read: (path) => Promise.resolve(files.get(path)) };
}

async function unpacked(archive: Buffer, limit: number): Promise<Buffer> {
  if (archive[0] !== 0x1f || archive[1] !== 0x8b) return archive;
  try {
    return await promisify(gunzip)(archive, { maxOutputLength: limit });
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw new ImageError(`it unpacks to more than ${limit} bytes`);
    throw new ImageError(`it is gzip data that cannot be unpacked: ${(error as Error).message}`);
  }
}

/** The one name of a file, without `./` in front. */
function pathOf({ name, type }: Header): string {
  if (type !== 'file' && type !== 'directory' && type !== 'contiguous-file') {
    throw new ImageError(`it has ${JSON.stringify(name)}, which is a ${type} and no file`);
  }
  const parts = name.split('/');
  if (name.startsWith('/') || parts.includes('..') || /[\0\\]/.test(name)) {
    throw new ImageError(`it has a file ${JSON.stringify(name)}, whose name leads out of it`);
  }
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

async function contentOf(entry: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
