import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Address, checkAddress } from '../artifact.ts';
import { codeOf, makeFolderBelow, syncFolder } from './files.ts';

/** A file of a published version. */
export interface VersionFile extends Address {
  readonly kind: 'json' | 'sig';
}

/**
 * What was published, below `<directory>/.store`:
 *
 *     blobs/sha256/<digest>            the modules, by content
 *     plugins/<name>/<version>.json    what is known of each version, and the digest of its module
 *     plugins/<name>/<version>.sig     its signature
 *     incoming/                        unfinished files
 */
export class StoreLayout {
  readonly root: string;
  readonly incoming: string;
  readonly blobs: string;
  readonly #plugins: string;

  constructor(directory: string) {
    this.root = join(directory, '.store');
    this.incoming = join(this.root, 'incoming');
    this.blobs = join(this.root, 'blobs', 'sha256');
    this.#plugins = join(this.root, 'plugins');
  }

  blob(sha256: string): string {
    return join(this.blobs, sha256);
  }

  file({ name, version }: Address, kind: VersionFile['kind']): string {
    return join(this.#plugins, name, `${version}.${kind}`);
  }

  /** All files of versions; what has another name is not ours. */
  async versionFiles(): Promise<VersionFile[]> {
    const files: VersionFile[] = [];
    for (const name of await entries(this.#plugins)) {
      for (const entry of await entries(join(this.#plugins, name))) {
        const [, version = '', kind] = /^(.+)\.(json|sig)$/.exec(entry) ?? [];
        if (isAddress({ name, version })) files.push({ name, version, kind: kind === 'sig' ? 'sig' : 'json' });
      }
    }
    return files;
  }

  /** Makes the folders for a plugin in the directory, so that they outlive a power cut. */
  async makeFolders(name: string): Promise<void> {
    const directory = dirname(this.root);
    for (const folder of [this.incoming, this.blobs, join(this.#plugins, name)]) {
      await makeFolderBelow(directory, relative(directory, folder));
    }
    // Each time: whoever made them may have been killed before this.
    for (const folder of [dirname(this.blobs), this.#plugins, this.root, directory]) await syncFolder(folder);
  }
}

/** What is in a folder; nothing where it is not there. */
export async function entries(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function isAddress(address: Address): boolean {
  try {
    checkAddress(address);
    return true;
  } catch {
    return false;
  }
}
