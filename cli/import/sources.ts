import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ImageFiles, ImageError, filesOfArchive, filesOfDirectory } from '../../plugin-server/oci/image-files.ts';
import { moduleIn } from '../../plugin-server/oci/module-in.ts';
import { readImages } from '../../plugin-server/oci/read-images.ts';
import { type Naming, namingOf, namingOfFile } from './address.ts';

/** A module that was found, and what it may be called. */
export interface FoundModule {
  /** Where it was found, for messages. */
  readonly from: string;
  readonly bytes: Buffer;
  readonly naming: Naming;
}

/** What could not be read, and why. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

const wasmMagic = Buffer.from('\0asm', 'latin1');

/**
 * The modules in a file or folder that was carried in: a `.wasm`, an OCI layout or an archive of one, what `docker save`
 * wrote, each plain or in gzip, a tar with one module in it, or Higress' `plugins.properties` beside its archives.
 * @throws SourceError with the reason
 */
export async function modulesIn(source: string): Promise<FoundModule[]> {
  try {
    if (statSync(source).isDirectory()) return await modulesInFolder(source);
    if (source.endsWith('.properties')) return await modulesInList(source);
    const bytes = readFileSync(source);
    if (bytes.subarray(0, 4).equals(wasmMagic)) return [{ from: source, bytes, naming: namingOfFile(source) }];
    return await modulesInImages(source, await filesOfArchive(bytes));
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError(`${source}: ${(error as Error).message}`);
  }
}

async function modulesInFolder(folder: string): Promise<FoundModule[]> {
  const list = join(folder, 'plugins.properties');
  return existsSync(list) ? modulesInList(list) : modulesInImages(folder, filesOfDirectory(folder));
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
async function modulesInList(list: string): Promise<FoundModule[]> {
  const lines = readFileSync(list, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const found = await Promise.all(lines.map((line) => modulesOfLine(line, list)));
  if (found.length === 0) throw new SourceError(`${list}: it lists nothing`);
  return found.flat();
}

async function modulesOfLine(line: string, list: string): Promise<FoundModule[]> {
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
  const modules = await modulesIn(file);
  const [module] = modules;
  if (module === undefined || modules.length > 1) throw new SourceError(`${file}: one image is needed for ${name}`);
  return [{ ...module, naming: { ...module.naming, name, ...(version !== undefined && { version }) } }];
}
