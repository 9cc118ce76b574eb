import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { PluginServerError } from '../errors.ts';
import {
  codeOf,
  createFile,
  makeFolder,
  makeFolderBelow,
  readRegularFile,
  reasonOf,
  replaceFile,
} from '../store/files.ts';

/** What every version has, whatever it is a version of. */
export interface Versioned {
  /** Counts the versions of one thing in this history, from 1. */
  readonly generation: number;
  /** Made of the content alone. */
  readonly version: string;
}

const currentSchema = z.object({
  generation: z.int().positive(),
  /** Digest of the source that a rollback turned away from: as long as it is this, the rollback holds. */
  instead: z.string().optional(),
});

/** Which version is given out. */
export type Current = Readonly<z.infer<typeof currentSchema>>;

/** Milliseconds. */
const youth = 3_600_000;

const currentName = 'current.json';
/** The same once more: without it a rollback would be forgotten with a file that is damaged. */
const backupName = 'current.backup.json';
/** Bytes of a version. */
const recordLimit = 64 * 1024 * 1024;
/** Unfinished files, which a crash leaves here. */
const incomingName = '.incoming';

/** The versions of many things, on disk: `<folder>/<thing>/<generation>.json`. */
export class History<Kept extends Versioned> {
  readonly #folder: string;
  readonly #schema: z.ZodType<Kept>;

  constructor(folder: string, schema: z.ZodType<Kept>) {
    this.#folder = folder;
    this.#schema = schema;
  }

  /** Makes the folder, and removes what a crash left in it. @throws where it cannot be written to */
  async open(): Promise<void> {
    await makeFolder(this.#folder, 0o700);
    await writeWhole(this.#folder, '.writable', '', replaceFile);
    for (const name of await namesIn(join(this.#folder, incomingName))) {
      await removeOld(join(this.#folder, incomingName, name));
    }
  }

  /** The things that have versions here. */
  async names(): Promise<string[]> {
    return (await namesIn(this.#folder)).filter((name) => !name.startsWith('.')).sort();
  }

  /** All versions of a thing, oldest first; files that are none are passed over. */
  async versions(thing: string): Promise<Kept[]> {
    const folder = join(this.#folder, thing);
    const kept: Kept[] = [];
    for (const name of await namesIn(folder)) {
      if (!/^\d+\.json$/.test(name)) continue;
      const record = this.#schema.safeParse(await readJson(join(folder, name)));
      if (record.success && name === `${record.data.generation}.json`) kept.push(record.data);
    }
    return kept.sort((a, b) => a.generation - b.generation);
  }

  /** The file that says which version is given out. */
  currentFile(thing: string): string {
    return join(this.#folder, thing, currentName);
  }

  async current(thing: string): Promise<Current | undefined> {
    for (const file of [this.currentFile(thing), join(this.#folder, thing, backupName)]) {
      const read = currentSchema.safeParse(await readJson(file));
      if (read.success) return read.data;
    }
    return undefined;
  }

  /**
   * Keeps a new version. It is not current by that.
   * @returns false where its generation is taken: another plugin server, which shares the folder, may be as far
   * @throws PluginServerError `not_kept`
   */
  async add(thing: string, version: Kept): Promise<boolean> {
    return await orNotKept(() =>
      writeWhole(this.#folder, join(thing, `${version.generation}.json`), JSON.stringify(version), createFile),
    );
  }

  /**
   * Puts a version in the place of the one of its generation.
   * @throws PluginServerError `not_kept`
   */
  async put(thing: string, version: Kept): Promise<void> {
    await keepWhole(this.#folder, join(thing, `${version.generation}.json`), JSON.stringify(version));
  }

  /** @throws PluginServerError `not_kept` */
  async setCurrent(thing: string, current: Current): Promise<void> {
    const text = JSON.stringify(current);
    await keepWhole(this.#folder, join(thing, backupName), text);
    await keepWhole(this.#folder, join(thing, currentName), text);
  }

  async remove(thing: string, generation: number): Promise<void> {
    await rm(join(this.#folder, thing, `${generation}.json`), { force: true });
  }
}

/** As `writeWhole`, for what is asked for while the server runs. @throws PluginServerError `not_kept` */
export async function keepWhole(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  await orNotKept(() => writeWhole(folder, name, content, replaceFile));
}

async function orNotKept<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new PluginServerError('not_kept', reasonOf(error));
  }
}

/**
 * Whoever reads it, after a crash at any point too, finds the old content or the new, never a part.
 * @param place puts the content at the target: over what is there, or not
 */
async function writeWhole<T>(
  folder: string,
  name: string,
  content: string | Uint8Array,
  place: (incoming: string, target: string, content: string | Uint8Array) => Promise<T>,
): Promise<T> {
  const incoming = join(folder, incomingName);
  for (const each of [incomingName, dirname(name)]) await makeFolderBelow(folder, each, 0o700);
  return await place(incoming, join(folder, name), content);
}

/**
 * A young one may be another plugin server's, which shares the folder and is about to use it; one that is gone was.
 * @throws where it cannot be looked at, or removed
 */
export async function removeOld(file: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(file);
    if (Date.now() - mtimeMs > youth) await rm(file, { force: true });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** The names in a folder, none where it is not there, or is no folder. */
export async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return [];
    throw error;
  });
}

/** A file's JSON; `undefined` where there is no file, or it holds none. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(String(await readRegularFile(file, recordLimit))) as unknown;
  } catch (error) {
    // What is no file, or too large, has no code: it holds no version either.
    if (error instanceof SyntaxError || ['ENOENT', ''].includes(codeOf(error))) return undefined;
    throw error;
  }
}
