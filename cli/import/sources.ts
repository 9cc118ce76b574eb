import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type ImageFiles,
  ImageError,
  filesOfArchive,
  filesOfDirectory,
  unpacked,
} from '../../plugin-server/oci/image-files.ts';
import { moduleIn } from '../../plugin-server/oci/module-in.ts';
import { readImages } from '../../plugin-server/oci/read-images.ts';
import { unwrap } from '../../plugin-server/publish/unwrap.ts';
import { moduleLimit } from '../../plugin-server/store/limits.ts';
import { bundled } from '../../bundle/names.ts';
import { openBundle } from '../../bundle/open.ts';
import { signatureLimit } from '../../common/signature.ts';
import { type Naming, namingOf, namingOfFile } from './address.ts';

/** A module that was found, and what it may be called. */
export interface FoundModule {
  /** Where it was found, for messages. */
  readonly from: string;
  readonly bytes: Buffer;
  readonly naming: Naming;
  /** The signature of the module itself; absent where there is none beside it. */
  readonly signature?: Buffer;
}

/** Holds a file that was read to its signature, `FILE.sig`. Throws `SourceError`. */
export type Vouch = (file: string, bytes: Buffer) => void;

/** What could not be read, and why. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

const wasmMagic = Buffer.from('\0asm', 'latin1');

/**
 * The modules in a file or folder that was carried in: a `.wasm`, an OCI layout or an archive of one, what `docker save`
 * wrote, each plain or in gzip, a tar with one module in it, or Higress' `plugins.properties` beside its archives.
 * @param vouch asked of each file before anything in it is believed; absent where nothing has to be signed
 * @throws SourceError with the reason
 */
export async function modulesIn(source: string, vouch?: Vouch): Promise<FoundModule[]> {
  try {
    if (statSync(source).isDirectory()) return await modulesInFolder(source, vouch);
    const bytes = readFileSync(source);
    vouch?.(source, bytes);
    if (source.endsWith('.properties')) return await modulesInList(source, bytes, vouch);
    const plain = await unpacked(bytes);
    if (plain.subarray(0, 4).equals(wasmMagic)) {
      const signature = plain === bytes ? signatureBeside(source) : undefined;
      return [{ from: source, bytes: plain, naming: namingOfFile(source), ...(signature && { signature }) }];
    }
    const files = await filesOfArchive(plain);
    const has = async (path: string): Promise<boolean> => (await files.read(path)) !== undefined;
    if (await has(bundled.manifest)) return [await moduleInBundle(source, plain)];
    if ((await has('index.json')) || (await has('manifest.json'))) return await modulesInImages(source, files);
    const module = await unwrap(plain, moduleLimit, 'an archive that is no image');
    return [{ from: source, bytes: module.bytes, naming: namingOfFile(source) }];
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError(`${source}: ${(error as Error).message}`);
  }
}

/** What `sluice bundle` made has the one module that it is for. */
async function moduleInBundle(source: string, bytes: Buffer): Promise<FoundModule> {
  const { manifest, files } = await openBundle(bytes);
  const module = files.get(bundled.module)?.content ?? Buffer.alloc(0);
  return { from: source, bytes: module, naming: { name: 'sluice', version: manifest.version } };
}

/** The detached signature `FILE.sig`; undefined where there is none. @throws SourceError for one that is too large */
export function signatureBeside(file: string): Buffer | undefined {
  const place = `${file}.sig`;
  if (!existsSync(place)) return undefined;
  if (statSync(place).size > signatureLimit) throw new SourceError(`${place}: this is larger than a signature may be`);
  return readFileSync(place);
}

async function modulesInFolder(folder: string, vouch: Vouch | undefined): Promise<FoundModule[]> {
  const list = join(folder, 'plugins.properties');
  if (existsSync(list)) return modulesIn(list, vouch);
  if (vouch !== undefined)
    throw new SourceError(`${folder}: a folder has no signature; import the archive that was signed`);
  return modulesInImages(folder, filesOfDirectory(folder));
}

async function modulesInImages(source: string, files: ImageFiles): Promise<FoundModule[]> {
  const images = await readImages(files);
  if (images.length === 0) throw new ImageError('it has no image');
  return Promise.all(
    images.map(async (image) => {
      const { reference, annotations } = image;
      const said = {
        name: annotations['org.opencontainers.image.title'],
        version: annotations['org.opencontainers.image.version'],
      };
      const naming = { ...namingOfFile(source), ...defined(said), ...(reference !== undefined && namingOf(reference)) };
      return {
        from: reference === undefined ? source : `${source} (${reference})`,
        bytes: await moduleIn(image),
        naming,
      };
    }),
  );
}

function defined(naming: { readonly [Part in keyof Naming]: Naming[Part] | undefined }): Naming {
  return Object.fromEntries(Object.entries(naming).filter(([, value]) => value !== undefined));
}

/** `name=oci://host/namespace/image:tag`, a line each, as Higress' plugin server lists what it has. */
async function modulesInList(list: string, bytes: Buffer, vouch: Vouch | undefined): Promise<FoundModule[]> {
  const lines = bytes
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const found = await Promise.all(lines.map((line) => modulesOfLine(line, list, vouch)));
  if (found.length === 0) throw new SourceError(`${list}: it lists nothing`);
  return found.flat();
}

async function modulesOfLine(line: string, list: string, vouch: Vouch | undefined): Promise<FoundModule[]> {
  const [, name, reference] = /^([^=\s]+)\s*=\s*(?:oci:\/\/)?(\S+)$/.exec(line) ?? [];
  if (name === undefined || reference === undefined) {
    throw new SourceError(`${list}: expected NAME=oci://HOST/PATH:TAG, found ${JSON.stringify(line)}`);
  }
  const { version } = namingOf(reference);
  const stems = [name, ...(version === undefined ? [] : [`${name}-${version}`, `${name}_${version}`])];
  const files = stems.flatMap((stem) => ['.wasm', '.tar', '.tar.gz', '.tgz', ''].map((end) => stem + end));
  const file = files.map((each) => join(dirname(list), each)).find((each) => existsSync(each));
  if (file === undefined) {
    throw new SourceError(`${list}: nothing for ${name} beside it; one of ${files.slice(0, 4).join(', ')} is needed`);
  }
  const modules = await modulesIn(file, vouch);
  const [module] = modules;
  if (module === undefined || modules.length > 1) throw new SourceError(`${file}: one image is needed for ${name}`);
  return [{ ...module, naming: { ...module.naming, name, ...(version !== undefined && { version }) } }];
}
