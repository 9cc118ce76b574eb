import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codeOf, readRegularFile, replaceFile } from '../store/files.ts';
import { moduleLimit } from '../store/limits.ts';

/** Why there is a version: a new file, a module that came into the file's range, or a plugin server that compiles otherwise. */
export type Cause = z.infer<typeof recordSchema>['cause'];

const resourceSchema = z.object({ name: z.string(), json: z.string() });

const recordSchema = z.object({
  /** Counts the versions of this gateway in this history, from 1. */
  generation: z.int().positive(),
  /** The version of the filters, and in it that of the clusters: what Envoys report. */
  version: z.string(),
  created: z.iso.datetime(),
  cause: z.enum(['edit', 'module', 'server']),
  /** The file's text. */
  text: z.string(),
  module: z.object({ name: z.string(), version: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  /** As they were given out, so that an Envoy that still has them can keep them for as long as it needs. */
  clusters: z.array(resourceSchema),
});

/** A version of a gateway's configuration, as it is kept. */
export type Kept = Readonly<z.infer<typeof recordSchema>>;

const currentSchema = z.object({
  generation: z.int().positive(),
  /** SHA-256 of the file's text that a rollback turned away from: as long as it is this, the rollback holds. */
  instead: z.string().optional(),
});

/** Which version is given out. */
export type Current = Readonly<z.infer<typeof currentSchema>>;

/** How many versions of a gateway are kept. */
export const historyLimit = 20;

/** Milliseconds. */
const youth = 3_600_000;

const currentName = 'current.json';
/** The same once more: without it a rollback would be forgotten with a file that is damaged. */
const backupName = 'current.backup.json';
/** Bytes of a version: its file, and the clusters that are made of it. */
const recordLimit = 64 * 1024 * 1024;
const modulesName = '.modules';
/** Unfinished files, which a crash leaves here. */
const incomingName = '.incoming';

/**
 * The versions of all gateways, on disk: `<folder>/<gateway>/<generation>.json`, the modules that they need beside them.
 * A module of the store may go; a version that was given out once can be given out again.
 */
export class History {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder, and removes what a crash left in it. @throws where it cannot be written to */
  async open(): Promise<void> {
    await this.#write('.writable', '');
    for (const name of await namesIn(join(this.#folder, incomingName))) {
      await removeOld(join(this.#folder, incomingName, name));
    }
  }

  /** All versions of a gateway, oldest first; files that are none are passed over. */
  async versions(gateway: string): Promise<Kept[]> {
    const folder = join(this.#folder, gateway);
    const kept: Kept[] = [];
    for (const name of await namesIn(folder)) {
      if (!/^\d+\.json$/.test(name)) continue;
      const record = recordSchema.safeParse(await readJson(join(folder, name)));
      if (record.success && name === `${record.data.generation}.json`) kept.push(record.data);
    }
    return kept.sort((a, b) => a.generation - b.generation);
  }

  /** The file that says which version is given out. */
  currentFile(gateway: string): string {
    return join(this.#folder, gateway, currentName);
  }

  async current(gateway: string): Promise<Current | undefined> {
    for (const file of [this.currentFile(gateway), join(this.#folder, gateway, backupName)]) {
      const read = currentSchema.safeParse(await readJson(file));
      if (read.success) return read.data;
    }
    return undefined;
  }

  /** Keeps a version and its module. It is not current by that. */
  async add(gateway: string, version: Kept, module: Uint8Array): Promise<void> {
    const { sha256 } = version.module;
    if ((await this.module(sha256)) === undefined) await this.#write(moduleFile(sha256), module);
    await this.#write(join(gateway, `${version.generation}.json`), JSON.stringify(version));
  }

  async setCurrent(gateway: string, current: Current): Promise<void> {
    const text = JSON.stringify(current);
    await this.#write(join(gateway, backupName), text);
    await this.#write(join(gateway, currentName), text);
  }

  async remove(gateway: string, generation: number): Promise<void> {
    await rm(join(this.#folder, gateway, `${generation}.json`), { force: true });
  }

  /** A module by its digest; `undefined` where it is not there, or has become another. */
  async module(sha256: string): Promise<Uint8Array | undefined> {
    const bytes = await readRegularFile(join(this.#folder, moduleFile(sha256)), moduleLimit).catch(() => undefined);
    if (bytes === undefined) return undefined;
    return createHash('sha256').update(bytes).digest('hex') === sha256 ? bytes : undefined;
  }

  /** Removes the modules that no version needs any more. */
  async removeModules(needed: ReadonlySet<string>): Promise<void> {
    for (const name of await namesIn(join(this.#folder, modulesName))) {
      const [, sha256] = /^([0-9a-f]{64})\.wasm$/.exec(name) ?? [];
      if (sha256 !== undefined && !needed.has(sha256)) await removeOld(join(this.#folder, moduleFile(sha256)));
    }
  }

  /** Whoever reads it, after a crash at any point too, finds the old content or the new, never a part. */
  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const incoming = join(this.#folder, incomingName);
    const target = join(this.#folder, name);
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await replaceFile(incoming, target, content);
  }
}

function moduleFile(sha256: string): string {
  return join(modulesName, `${sha256}.wasm`);
}

/** A young one may be another plugin server's, which shares the folder and is about to use it. */
async function removeOld(file: string): Promise<void> {
  const { mtimeMs } = await stat(file);
  if (Date.now() - mtimeMs > youth) await rm(file, { force: true });
}

/** The names in a folder, none where it is not there. */
async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
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
