import { createHash } from 'node:crypto';
import { checkName, checkVersion } from './address.ts';
import { PluginServerError } from './errors.ts';
import { type ModuleInterface, readInterface } from '../proxy-wasm/interface.ts';
import { moduleDefect, moduleDefectOf } from '../proxy-wasm/format.ts';

/** Where one version of one plugin is: `<name>/<version>`. */
export interface Address {
  readonly name: string;
  readonly version: string;
}

/** How an artifact came here. */
export interface Provenance {
  /** When it was published; of a file that was put here by hand, its time. */
  readonly at: Date;
  /** Who published it: the name that goes with the token. Absent where nobody said. */
  readonly by?: string;
  /** What it was made of: `upload (tar.gz)`, `file`, `build`, the URL of a peer. */
  readonly source: string;
}

/** What is known of an artifact besides its bytes; true of them if their digest is `sha256`. */
export interface Facts extends Address {
  readonly sha256: string;
  readonly interface: ModuleInterface;
  readonly provenance: Provenance;
}

/** One version of one plugin: immutable, whole in memory, its digests computed once. */
export class Artifact {
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
  /** Lower-case hex; what Envoy's `sha256:` and Istio's `sha256:` take. */
  readonly sha256: string;
  /** Strong, and equal on every replica: it is made of the content, not of a file's time. */
  readonly etag: string;
  /** `Repr-Digest` (RFC 9530): the digest again, for clients that check it themselves. */
  readonly reprDigest: string;
  readonly interface: ModuleInterface;
  readonly provenance: Provenance;
  #md5: string | undefined;

  /** `bytes` have the digest `sha256`: that is the caller's to know, and so are the other facts. */
  constructor(facts: Facts, bytes: Buffer) {
    const { name, version, sha256, provenance } = facts;
    this.name = name;
    this.version = version;
    this.bytes = bytes;
    this.sha256 = sha256;
    this.etag = `"${sha256}"`;
    this.reprDigest = `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
    this.interface = facts.interface;
    this.provenance = provenance;
    Object.freeze(this);
  }

  /** Lower-case hex; Higress' metadata.txt has it. Nothing here trusts it, and few ask: it is made at the first time. */
  get md5(): string {
    return (this.#md5 ??= createHash('md5').update(this.bytes).digest('hex'));
  }

  get modified(): Date {
    return this.provenance.at;
  }
}

/** Where an artifact comes from, if its maker does not say. */
function built(at: Date): Provenance {
  return { at, source: 'build' };
}

/**
 * Makes an artifact of a module's bytes, which are copied: what the caller does with them later changes nothing.
 * `modified` is the time that metadata.txt shows; by default now.
 * Throws `invalid_name`, `invalid_version`, or `not_wasm` with the reason.
 */
export function loadArtifact(name: string, version: string, bytes: Uint8Array, modified = new Date()): Artifact {
  checkAddress({ name, version });
  const copy = Buffer.from(bytes);
  return artifactOf({ name, version }, copy, moduleDefect(copy), built(modified));
}

/** As `loadArtifact`, for bytes that nobody else has and that are validated beside other work. */
export async function verifyArtifact(address: Address, bytes: Buffer, provenance: Provenance): Promise<Artifact> {
  checkAddress(address);
  return artifactOf(address, bytes, await moduleDefectOf(bytes), provenance);
}

function artifactOf(address: Address, bytes: Buffer, defect: string | undefined, provenance: Provenance): Artifact {
  const found = defect ?? readInterface(bytes);
  if (typeof found === 'string') throw new PluginServerError('not_wasm', addressText(address), found);
  return new Artifact({ ...address, sha256: sha256Of(bytes), interface: found, provenance }, bytes);
}

/** Throws `invalid_name` or `invalid_version`. */
export function checkAddress({ name, version }: Address): void {
  checkName(name);
  checkVersion(version);
}

export function addressText({ name, version }: Address): string {
  return `${name}/${version}`;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Where the files of a version are served, as an absolute path: a full URL would repeat the client's own Host header as a fact. */
export function filePath(address: Address, file: string): string {
  return `/plugins/${addressText(address)}/${file}`;
}

export function modulePath(address: Address): string {
  return filePath(address, 'plugin.wasm');
}
