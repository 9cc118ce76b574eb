import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Address, Artifact, addressText, checkAddress, sha256Of, verifyArtifact } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import type { Damage } from './artifact-store.ts';
import { forEach } from './each.ts';
import type { Found } from './disk.ts';
import { codeOf, readRegularFile, readRegularFileSync, reasonOf } from './files.ts';
import { stampOf } from '../watch/stamp.ts';
import { signatureLimit } from '../../common/signature.ts';
import { moduleLimit } from './limits.ts';

/** What a scan of the tree found, and what it could not use: a line for each path. */
export interface FoundInTree extends Found {
  readonly problems: readonly string[];
}

/** Files that are read, and modules that are validated, at a time. */
const atOnce = 4;

/**
 * The tree `<directory>/<name>/<version>/plugin.wasm` that people, images and Kubernetes make. Symbolic links are
 * followed (Kubernetes mounts are made of them); plain files, dot-files and `lost+found` beside plugins are not ours.
 * A `plugin.wasm.sha256` beside a module has to be its digest; a `plugin.wasm.sig` is its signature.
 */
export class PluginTree {
  readonly #directory: string;
  /** As in `DiskStore`: at first without promises, which is faster, then without holding anybody up. */
  #readFile: (file: string) => Buffer | Promise<Buffer> = (file) => readRegularFileSync(file, moduleLimit);
  /** One artifact for each digest: the same module under another address is neither validated nor held twice. */
  readonly #verified = new Map<string, Artifact>();
  /** What each file that was read looked like, so that it is read again only after a change. */
  readonly #seen = new Map<string, { readonly look: string; readonly problem?: string }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Reads what is new. Throws `data_unreadable` if the directory cannot be listed. A version directory without a module
   * is a problem too: that is what a failed download leaves, and a server that starts without it answers 404 to the
   * gateway that needs it.
   * @param known the artifact that is served at an address: a file that is another one by now is a problem
   */
  async scan(known: (address: Address) => Artifact | undefined): Promise<FoundInTree> {
    const names = await subdirectories(this.#directory).catch((error: unknown) => {
      throw new PluginServerError('data_unreadable', this.#directory, reasonOf(error));
    });
    const found = {
      artifacts: [] as Artifact[],
      signatures: [] as (Address & { signature: Buffer })[],
      damages: [] as Damage[],
    };
    const problems = new Map<string, string>();
    const addresses: Address[] = [];
    for (const name of names) {
      try {
        const versions = await subdirectories(join(this.#directory, name));
        if (versions.length === 0) throw new Error('has no <version>/plugin.wasm in it');
        addresses.push(...versions.map((version) => ({ name, version })));
      } catch (error) {
        problems.set(name, reasonOf(error));
      }
    }
    await forEach(addresses, atOnce, async (address) => {
      const path = join(addressText(address), 'plugin.wasm');
      try {
        const { look, problem } = await this.#readIfNew(address, known(address), found);
        this.#seen.set(path, { look, ...(problem !== undefined && { problem }) });
        if (problem !== undefined) problems.set(path, problem);
      } catch (error) {
        problems.set(path, reasonOf(error));
      }
    });
    this.#readFile = (file) => readRegularFile(file, moduleLimit);
    return { ...found, problems: [...problems].sort().map(([path, problem]) => `${path}: ${problem}`) };
  }

  async #readIfNew(
    address: Address,
    known: Artifact | undefined,
    found: { artifacts: Artifact[]; signatures: (Address & { signature: Buffer })[]; damages: Damage[] },
  ): Promise<{ look: string; problem?: string }> {
    const file = join(this.#directory, addressText(address), 'plugin.wasm');
    const { size, mtime, ino } = await stat(file);
    // A signature may come later, or another one in the place of a false one.
    const look = `${ino} ${size} ${mtime.getTime()} ${await stampOf(`${file}.sig`)}`;
    const seen = this.#seen.get(join(addressText(address), 'plugin.wasm'));
    if (seen?.look === look) return seen;
    try {
      checkAddress(address);
      if (size > moduleLimit) throw new Error(`has ${size} bytes, more than the limit of ${moduleLimit}`);
      const bytes = await this.#readFile(file);
      const sha256 = sha256Of(bytes);
      if (known !== undefined && known.sha256 !== sha256) {
        throw new Error(
          `is another module now, sha256 ${sha256}; a version is immutable, so ${known.sha256} is served`,
        );
      }
      const promised = await promisedDigest(file);
      if (promised !== undefined && promised !== sha256) {
        const reason = `it has the digest ${sha256}, and its plugin.wasm.sha256 says ${promised}`;
        found.damages.push({ ...address, sha256: promised, reason });
        return { look };
      }
      if (known === undefined) found.artifacts.push(await this.#artifact(address, bytes, sha256, mtime));
      const signature = await optional(`${file}.sig`, signatureLimit);
      if (signature !== undefined) found.signatures.push({ ...address, signature });
      return { look };
    } catch (error) {
      return { look, problem: reasonOf(error) };
    }
  }

  async #artifact(address: Address, bytes: Buffer, sha256: string, at: Date): Promise<Artifact> {
    const provenance = { at, source: 'file' };
    const same = this.#verified.get(sha256);
    if (same !== undefined)
      return new Artifact({ ...address, sha256, interface: same.interface, provenance }, same.bytes);
    const artifact = await verifyArtifact(address, bytes, provenance);
    this.#verified.set(sha256, artifact);
    return artifact;
  }
}

/** @param problems a line each */
export function invalidTree(directory: string, problems: readonly string[]): PluginServerError {
  return new PluginServerError('data_invalid', directory, problems.map((line) => `  ${line}`).join('\n'));
}

/** The line that `sha256sum` prints, as our own `plugin.wasm.sha256` is. */
async function promisedDigest(file: string): Promise<string | undefined> {
  const line = await optional(`${file}.sha256`, 1024);
  if (line === undefined) return undefined;
  const [digest = ''] = line.toString('latin1').trim().split(/\s/);
  // It may be a link to anything: what is no digest is not repeated.
  if (!/^[0-9a-f]{64}$/i.test(digest)) throw new Error(`its ${basename(file)}.sha256 has no digest in it`);
  return digest.toLowerCase();
}

/** The content of a file that need not be there. */
async function optional(file: string, limit: number): Promise<Buffer | undefined> {
  try {
    return await readRegularFile(file, limit);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Error(`its ${basename(file)} ${(error as Error).message}`, { cause: error });
  }
}

async function subdirectories(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of (await readdir(directory)).sort()) {
    // The root of an ext4 volume has a lost+found that only root may read; a ConfigMap mount has ..data.
    if (entry.startsWith('.') || entry === 'lost+found') continue;
    const target = await stat(join(directory, entry)).catch(() => undefined);
    // A link that leads nowhere stays in: reading it fails, and that is told.
    if (target?.isDirectory() !== false) found.push(entry);
  }
  return found;
}
