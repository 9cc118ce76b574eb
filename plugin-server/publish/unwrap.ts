import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { PluginServerError } from '../errors.ts';
import { codeOf } from '../store/files.ts';

export interface Unwrapped {
  readonly bytes: Buffer;
  /** What it came in, the outermost first: `gzip`, `tar`. */
  readonly wrappings: readonly string[];
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);
/** At offset 257 of each header that is not from the seventies (POSIX ustar, GNU). */
const tarMagic = Buffer.from('ustar');
const tarMagicOffset = 257;

/** gzip, a tar, a gzip within it: nobody means more, and each layer may be as large as the limit. */
const mostWrappings = 3;

/** Entries of a tar that are looked at. */
const mostEntries = 10_000;

/**
 * Takes a module out of gzip and tar, in any order, as Istio's agent does when it fetches; what is neither stays as it
 * is. Nothing is written anywhere, so no path in an archive can lead out of it. Throws `too_large` for what would
 * unpack to more than `limit` bytes (it is stopped there), `not_wasm` with the reason for what cannot be unwrapped.
 * @param what for messages
 */
export async function unwrap(bytes: Buffer, limit: number, what: string): Promise<Unwrapped> {
  const wrappings: string[] = [];
  let inner = bytes;
  for (let wrapping = wrappingOf(inner); wrapping !== undefined; wrapping = wrappingOf(inner)) {
    if (wrappings.length === mostWrappings) {
      throw new PluginServerError('not_wasm', what, `it is wrapped more than ${mostWrappings} times`);
    }
    wrappings.push(wrapping);
    inner = wrapping === 'gzip' ? await inflate(inner, limit, what) : await moduleInTar(inner, what);
  }
  return { bytes: inner, wrappings };
}

function wrappingOf(bytes: Buffer): 'gzip' | 'tar' | undefined {
  if (bytes.subarray(0, gzipMagic.length).equals(gzipMagic)) return 'gzip';
  const magic = bytes.subarray(tarMagicOffset, tarMagicOffset + tarMagic.length);
  return magic.equals(tarMagic) ? 'tar' : undefined;
}

async function inflate(bytes: Buffer, limit: number, what: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: limit });
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw new PluginServerError('too_large', `${what}, unpacked,`, limit);
    throw new PluginServerError(
      'not_wasm',
      what,
      `it is gzip data that cannot be unpacked: ${(error as Error).message}`,
    );
  }
}

/** The one file whose name ends in `.wasm`: of two it would be a guess which one is meant. */
async function moduleInTar(archive: Buffer, what: string): Promise<Buffer> {
  const modules: Buffer[] = [];
  const archived = extract();
  archived.end(archive);
  let entries = 0;
  try {
    for await (const entry of archived) {
      if (++entries > mostEntries) throw new Error(`it has more than ${mostEntries} entries`);
      const { name, type } = entry.header;
      if (type === 'file' && name.endsWith('.wasm')) modules.push(await contentOf(entry));
      else entry.resume();
    }
  } catch (error) {
    throw new PluginServerError('not_wasm', what, `it is a tar that cannot be unpacked: ${(error as Error).message}`);
  }
  const [module] = modules;
  if (module !== undefined && modules.length === 1) return module;
  throw new PluginServerError('not_wasm', what, `it is a tar with ${modules.length} files *.wasm in it; one is needed`);
}

async function contentOf(entry: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
