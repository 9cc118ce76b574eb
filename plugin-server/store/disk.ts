import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Address, Artifact, addressText, sha256Of } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import type { Damage, NewSignature, Outcome, Persistence } from './artifact-store.ts';
import { forEach } from './each.ts';
import {
  codeOf,
  createFile,
  isFull,
  isUnwritable,
  readRegularFile,
  readRegularFileSync,
  reasonOf,
  replaceFile,
} from './files.ts';
import { StoreLayout } from './layout.ts';
import { signatureLimit } from '../../common/signature.ts';
import { moduleLimit } from './limits.ts';
import { parseRecord, recordText } from './record.ts';

/** What a scan found that was not known before. */
export interface Found {
  readonly artifacts: readonly Artifact[];
  readonly signatures: readonly (Address & { readonly signature: Buffer })[];
  readonly damages: readonly Damage[];
}

/** Files that are read at a time. */
const atOnce = 8;

/**
 * Keeps what is published in the folders of a `StoreLayout`. The module is in place before the record that names it, and
 * each comes whole, by link or rename, after its bytes have reached the disk: killed at any point, a version is there or
 * it is not. Several processes may share the folders.
 */
export class DiskStore implements Persistence {
  readonly #layout: StoreLayout;
  /** What each damaged version looked like when it was read, so that it is read again only after a change. */
  readonly #damaged = new Map<string, string>();
  /**
   * The first scan comes before anybody is served, and without promises a thousand modules are read in a third of the
   * time. Later ones hold nobody up.
   */
  #readFile: (file: string) => Buffer | Promise<Buffer> = (file) => readRegularFileSync(file, moduleLimit);

  /** @param directory an existing folder; nothing is written to it before the first publication */
  constructor(directory: string) {
    this.#layout = new StoreLayout(directory);
  }

  /** Whether it can be written to, as far as permissions say. */
  async isWritable(): Promise<boolean> {
    const allowed = (path: string): Promise<boolean> =>
      access(path, constants.W_OK | constants.X_OK).then(
        () => true,
        () => false,
      );
    const { root } = this.#layout;
    return (await exists(root)) ? allowed(root) : allowed(dirname(root));
  }

  /**
   * Reads the versions that `isKnown` does not know, and compares the digest of each module with its record. Rejects
   * where a folder cannot be listed; one that is not there is empty.
   * @param isKnown `signed` is false as long as another signature is of use, which is then read again
   */
  async scan(isKnown: (address: Address) => { readonly signed: boolean } | undefined): Promise<Found> {
    const artifacts: Artifact[] = [];
    const signatures: (Address & { signature: Buffer })[] = [];
    const damages: Damage[] = [];
    const records: Address[] = [];
    for (const { name, version, kind } of await this.#layout.versionFiles()) {
      const address = { name, version };
      const known = isKnown(address);
      if (kind === 'json' && known === undefined) records.push(address);
      if (kind === 'sig' && known?.signed !== true) await this.#readSignature(address, signatures);
    }
    await forEach(records, atOnce, async (address) => {
      const found = await this.#read(address);
      if (found instanceof Artifact) artifacts.push(found);
      else if (found !== undefined) damages.push(found);
    });
    this.#readFile = (file) => readRegularFile(file, moduleLimit);
    return { artifacts, signatures, damages };
  }

  /** Throws `conflict`, `damaged`, `signature_conflict`, `store_full`. */
  async write(artifact: Artifact, signature?: NewSignature): Promise<Outcome> {
    const blob = this.#layout.blob(artifact.sha256);
    const record = this.#layout.file(artifact, 'json');
    return whole(artifact, async () => {
      await this.#layout.makeFolders(artifact.name);
      // Also where it is there already: it may be the one that is damaged.
      await replaceFile(this.#layout.incoming, blob, artifact.bytes);
      if (signature !== undefined) await this.#placeSignature(artifact, signature);
      if (await createFile(this.#layout.incoming, record, recordText(artifact))) return 'created';
      const taken = await this.#taken(artifact);
      if (taken !== artifact.sha256) throw new PluginServerError('conflict', addressText(artifact), taken);
      return 'unchanged';
    });
  }

  /** Throws `signature_conflict`, `store_full`. */
  async writeSignature(artifact: Artifact, { bytes, replaces }: NewSignature): Promise<Outcome> {
    const file = this.#layout.file(artifact, 'sig');
    return whole(artifact, async () => {
      await this.#layout.makeFolders(artifact.name); // the module may be one that was put here by hand
      if (await createFile(this.#layout.incoming, file, bytes)) return 'created';
      const kept = await readRegularFile(file, signatureLimit);
      if (bytes.equals(kept)) return 'unchanged';
      if (!replaces(kept)) throw new PluginServerError('signature_conflict', addressText(artifact));
      await replaceFile(this.#layout.incoming, file, bytes);
      return 'created';
    });
  }

  /** Where there is no record yet, a signature is what a killed publication left, and may be another one. */
  async #placeSignature(artifact: Artifact, signature: NewSignature): Promise<void> {
    if (await exists(this.#layout.file(artifact, 'json'))) await this.writeSignature(artifact, signature);
    else await replaceFile(this.#layout.incoming, this.#layout.file(artifact, 'sig'), signature.bytes);
  }

  async #read(address: Address): Promise<Artifact | Damage | undefined> {
    const key = addressText(address);
    let sha256: string | undefined;
    const before = this.#damaged.get(key);
    if (before !== undefined && before === (await this.#look(address))) return undefined;
    try {
      const { size, ...facts } = parseRecord(String(await this.#readFile(this.#layout.file(address, 'json'))), address);
      sha256 = facts.sha256;
      if (size > moduleLimit) throw new Error(`its record says ${size} bytes, more than the limit`);
      const bytes = await this.#readFile(this.#layout.blob(sha256));
      if (bytes.length !== size) throw new Error(`its module has ${bytes.length} bytes instead of ${size}`);
      const digest = sha256Of(bytes);
      if (digest !== sha256) throw new Error(`its module has the digest ${digest} instead of ${sha256}`);
      this.#damaged.delete(key);
      return new Artifact(facts, bytes);
    } catch (error) {
      this.#damaged.set(key, await this.#look(address, sha256));
      return { ...address, ...(sha256 !== undefined && { sha256 }), reason: reasonOf(error) };
    }
  }

  async #text(address: Address): Promise<string> {
    return String(await readRegularFile(this.#layout.file(address, 'json'), moduleLimit));
  }

  /** What tells a file that was restored from the one that was found damaged. */
  async #look(address: Address, sha256?: string): Promise<string> {
    const record = await this.#text(address).catch(() => '');
    const digest = sha256 ?? /"sha256":"([0-9a-f]{64})"/.exec(record)?.[1] ?? '';
    const blob = await stat(this.#layout.blob(digest)).catch(() => undefined);
    return JSON.stringify([record, blob?.ino, blob?.size, blob?.mtimeMs]);
  }

  async #readSignature(address: Address, into: (Address & { signature: Buffer })[]): Promise<void> {
    const file = this.#layout.file(address, 'sig');
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile() === true && found.size <= signatureLimit) {
      into.push({ ...address, signature: await readRegularFile(file, signatureLimit) });
    }
  }

  /** The digest that the record at this address names. */
  async #taken(address: Address): Promise<string> {
    try {
      return parseRecord(await this.#text(address), address).sha256;
    } catch (error) {
      throw new PluginServerError('damaged', addressText(address), reasonOf(error));
    }
  }
}

async function whole(artifact: Artifact, step: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await step();
  } catch (error) {
    const code = codeOf(error);
    if (isFull(error)) throw new PluginServerError('store_full', addressText(artifact), `its volume says ${code}`);
    if (isUnwritable(error)) throw new PluginServerError('store_unwritable', addressText(artifact), code);
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
