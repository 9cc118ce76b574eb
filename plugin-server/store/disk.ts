import { access, constants, mkdir, readFile, readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Address, Artifact, addressText, checkAddress, sha256Of } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import type { Damage, Outcome, Persistence } from './artifact-store.ts';
import { forEach } from './each.ts';
import { codeOf, createFile, isFull, reasonOf, replaceFile, syncFolder } from './files.ts';
import { moduleLimit, signatureLimit } from './limits.ts';
import { parseRecord, recordText } from './record.ts';

/** What a scan found that was not known before. */
export interface Found {
  readonly artifacts: readonly Artifact[];
  readonly signatures: readonly (Address & { readonly signature: Buffer })[];
  readonly damages: readonly Damage[];
}

/** Milliseconds after which an unfinished file is nobody's: whoever wrote it would have come to an end. */
const leftoverAge = 15 * 60_000;

/** Files that are read at a time. */
const atOnce = 8;

/**
 * What was published, below `<directory>/.store`:
 *
 *     blobs/sha256/<digest>            the modules, by content
 *     plugins/<name>/<version>.json    what is known of each version, and the digest of its module
 *     plugins/<name>/<version>.sig     its signature
 *     incoming/                        unfinished files
 *
 * The module is in place before the record that names it, and each comes whole, by link or rename, after its bytes have
 * reached the disk: killed at any point, a version is there or it is not. Several processes may share the folder.
 */
export class DiskStore implements Persistence {
  readonly #root: string;
  /** What each damaged version looked like when it was read, so that it is read again only after a change. */
  readonly #damaged = new Map<string, string>();

  /** @param directory an existing folder; nothing is written to it before the first publication */
  constructor(directory: string) {
    this.#root = join(directory, '.store');
  }

  /** Whether it can be written to, as far as permissions say. */
  async isWritable(): Promise<boolean> {
    const allowed = (path: string): Promise<boolean> =>
      access(path, constants.W_OK | constants.X_OK).then(
        () => true,
        () => false,
      );
    return (await exists(this.#root)) ? allowed(this.#root) : allowed(dirname(this.#root));
  }

  /**
   * Reads the versions that `isKnown` does not know, and compares the digest of each module with its record. Rejects
   * where a folder cannot be listed; one that is not there is empty.
   */
  async scan(isKnown: (address: Address) => { readonly signed: boolean } | undefined): Promise<Found> {
    const artifacts: Artifact[] = [];
    const signatures: (Address & { signature: Buffer })[] = [];
    const damages: Damage[] = [];
    const records: Address[] = [];
    for (const name of await entries(this.#path('plugins'))) {
      for (const entry of await entries(this.#path('plugins', name))) {
        const [, version = '', kind] = /^(.+)\.(json|sig)$/.exec(entry) ?? [];
        const address = { name, version };
        if (!isAddress(address)) continue;
        const known = isKnown(address);
        if (kind === 'json' && known === undefined) records.push(address);
        if (kind === 'sig' && known?.signed !== true) await this.#readSignature(address, signatures);
      }
    }
    await forEach(records, atOnce, async (address) => {
      const found = await this.#read(address);
      if (found instanceof Artifact) artifacts.push(found);
      else if (found !== undefined) damages.push(found);
    });
    return { artifacts, signatures, damages };
  }

  /** Throws `conflict`, `damaged`, `store_full`. */
  async write(artifact: Artifact): Promise<Outcome> {
    const blob = this.#blob(artifact.sha256);
    const record = this.#file(artifact, 'json');
    return whole(artifact, async () => {
      await this.#makeFolders(artifact.name);
      // Also where it is there already: it may be the one that is damaged.
      await replaceFile(this.#path('incoming'), blob, artifact.bytes);
      if (await createFile(this.#path('incoming'), record, recordText(artifact))) return 'created';
      const taken = await this.#taken(artifact);
      if (taken !== artifact.sha256) throw new PluginServerError('conflict', addressText(artifact), taken);
      return 'unchanged';
    });
  }

  /** Throws `signature_conflict`, `store_full`. */
  async writeSignature(artifact: Artifact, signature: Buffer): Promise<Outcome> {
    const file = this.#file(artifact, 'sig');
    return whole(artifact, async () => {
      await this.#makeFolders(artifact.name); // the module may be one that was put here by hand
      if (await createFile(this.#path('incoming'), file, signature)) return 'created';
      if (signature.equals(await readFile(file))) return 'unchanged';
      throw new PluginServerError('signature_conflict', addressText(artifact));
    });
  }

  /**
   * Removes what killed publications left: unfinished files, and modules that no record names.
   * @param age milliseconds that a file has to be old; another process may be at work on younger ones
   */
  async clean(age: number = leftoverAge): Promise<void> {
    const limit = Date.now() - age;
    // Listed first: a record that is written meanwhile names a younger one.
    const blobs = await entries(this.#path('blobs', 'sha256'));
    const named = await this.#namedBlobs();
    const leftovers = (await entries(this.#path('incoming'))).map((entry) => this.#path('incoming', entry));
    const orphans = named === undefined ? [] : blobs.filter((digest) => !named.has(digest));
    await forEach([...leftovers, ...orphans.map((digest) => this.#blob(digest))], atOnce, async (file) => {
      const found = await stat(file).catch(() => undefined);
      if (found !== undefined && found.mtimeMs <= limit) await unlink(file).catch(() => undefined);
    });
  }

  async #read(address: Address): Promise<Artifact | Damage | undefined> {
    const key = addressText(address);
    let sha256: string | undefined;
    const before = this.#damaged.get(key);
    if (before !== undefined && before === (await this.#look(address))) return undefined;
    try {
      const { size, ...facts } = parseRecord(await readFile(this.#file(address, 'json'), 'utf8'), address);
      sha256 = facts.sha256;
      const blob = this.#blob(sha256);
      if (size > moduleLimit) throw new Error(`its record says ${size} bytes, more than the limit`);
      const found = await stat(blob);
      if (found.size !== size) throw new Error(`its module has ${found.size} bytes instead of ${size}`);
      const bytes = await readFile(blob);
      const digest = sha256Of(bytes);
      if (digest !== sha256) throw new Error(`its module has the digest ${digest} instead of ${sha256}`);
      this.#damaged.delete(key);
      return new Artifact(facts, bytes);
    } catch (error) {
      this.#damaged.set(key, await this.#look(address, sha256));
      return { ...address, ...(sha256 !== undefined && { sha256 }), reason: reasonOf(error) };
    }
  }

  /** What tells a file that was restored from the one that was found damaged. */
  async #look(address: Address, sha256?: string): Promise<string> {
    const record = await readFile(this.#file(address, 'json'), 'utf8').catch(() => '');
    const digest = sha256 ?? (/"sha256":"([0-9a-f]{64})"/.exec(record)?.[1] ?? '');
    const blob = await stat(this.#blob(digest)).catch(() => undefined);
    return JSON.stringify([record, blob?.ino, blob?.size, blob?.mtimeMs]);
  }

  async #readSignature(address: Address, into: (Address & { signature: Buffer })[]): Promise<void> {
    const file = this.#file(address, 'sig');
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && found.size <= signatureLimit) into.push({ ...address, signature: await readFile(file) });
  }

  /** The digest that the record at this address names. */
  async #taken(address: Address): Promise<string> {
    try {
      return parseRecord(await readFile(this.#file(address, 'json'), 'utf8'), address).sha256;
    } catch (error) {
      throw new PluginServerError('damaged', addressText(address), reasonOf(error));
    }
  }

  /** `undefined` where one record cannot be read: its module might be any. */
  async #namedBlobs(): Promise<Set<string> | undefined> {
    const named = new Set<string>();
    let unread = false;
    for (const name of await entries(this.#path('plugins'))) {
      const files = (await entries(this.#path('plugins', name))).filter((entry) => entry.endsWith('.json'));
      await forEach(files, atOnce, async (entry) => {
        const address = { name, version: entry.slice(0, -'.json'.length) };
        try {
          named.add(await this.#taken(address));
        } catch {
          unread = true;
        }
      });
    }
    return unread ? undefined : named;
  }

  async #makeFolders(name: string): Promise<void> {
    for (const folder of [this.#path('incoming'), this.#path('blobs', 'sha256'), this.#path('plugins', name)]) {
      const first = await mkdir(folder, { recursive: true });
      // Each folder that was made is an entry of the one above it.
      for (let made = folder; first !== undefined && made.length >= first.length; made = dirname(made)) {
        await syncFolder(dirname(made));
      }
    }
  }

  #path(...parts: string[]): string {
    return join(this.#root, ...parts);
  }

  #blob(sha256: string): string {
    return this.#path('blobs', 'sha256', sha256);
  }

  #file({ name, version }: Address, kind: 'json' | 'sig'): string {
    return this.#path('plugins', name, `${version}.${kind}`);
  }
}

async function whole(artifact: Artifact, step: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await step();
  } catch (error) {
    if (!isFull(error)) throw error;
    throw new PluginServerError('store_full', addressText(artifact), `its volume says ${codeOf(error)}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function isAddress(address: Address): boolean {
  try {
    checkAddress(address);
    return true;
  } catch {
    return false;
  }
}

async function entries(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
