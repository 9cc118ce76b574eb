import { type Header, extract } from 'tar-stream';

/** What an archive is refused for: it is damaged, or made to do harm. The message is for who chose it. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

export interface ArchiveLimits {
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly files: number;
}

export interface ArchivedFile {
  readonly content: Buffer;
  /** Whether its owner may run it. */
  readonly executable: boolean;
}

/**
 * The files of a tar by their path in it, in their order; folders are left out. Nothing is written anywhere.
 * @throws ArchiveError for what is no whole tar, exceeds `limits`, or holds what none of ours needs and an attack does:
 * links, devices, names that are absolute or lead out of it, two files of one name, a file that is a folder as well
 */
export async function filesOfTar(tar: Buffer, limits: ArchiveLimits): Promise<Map<string, ArchivedFile>> {
  const files = new Map<string, ArchivedFile>();
  const folders = new Set<string>();
  const archived = extract();
  archived.end(tar);
  let size = 0;
  let entries = 0;
  try {
    for await (const entry of archived) {
      const { header } = entry;
      const path = pathOf(header);
      if (++entries > limits.files) throw new ArchiveError(`it has more than ${limits.files} files`);
      size += header.size;
      if (size > limits.bytes) throw new ArchiveError(`it unpacks to more than ${limits.bytes} bytes`);
      const content = await contentOf(entry);
      if (header.type === 'directory') continue;
      if (path === '') throw new ArchiveError('it has a file without a name');
      if (files.has(path)) throw new ArchiveError(`it has two files ${JSON.stringify(path)}`);
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        folders.add(path.slice(0, end));
      }
      files.set(path, { content, executable: (header.mode & 0o100) !== 0 });
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(`it is no whole tar: ${(error as Error).message}`);
  }
  const both = [...folders].find((folder) => files.has(folder));
  if (both !== undefined) throw new ArchiveError(`it has ${JSON.stringify(both)} as a file and as a folder`);
  if (files.size === 0) throw new ArchiveError('it is no tar, or an empty one');
  return files;
}

/** The one name of a file, without `./` in front. */
function pathOf({ name, type }: Header): string {
  if (type !== 'file' && type !== 'directory' && type !== 'contiguous-file') {
    throw new ArchiveError(`it has ${JSON.stringify(name)}, which is a ${type} and no file`);
  }
  const parts = name.split('/');
  if (name.startsWith('/') || parts.includes('..') || /[\0\\]/.test(name)) {
    throw new ArchiveError(`it has a file ${JSON.stringify(name)}, whose name leads out of it`);
  }
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

async function contentOf(entry: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
