import { type Artifact, filePath, modulePath } from './artifact.ts';
import { type ImportLabel, type ModuleImport, importLabel } from '../proxy-wasm/interface.ts';

/** One version as the JSON listings show it. `size` in bytes, `url` relative to the server. */
export interface Listing {
  readonly version: string;
  readonly size: number;
  readonly sha256: string;
  readonly url: string;
  /** URL of the detached signature, where there is one. */
  readonly signature?: string;
  /** The name of the key that made it, where this server has that key. */
  readonly signedBy?: string;
}

/** That a version has a signature, and whose, where that is known. */
export interface Signed {
  readonly by?: string;
}

export interface PluginListing {
  readonly name: string;
  /** Newest first. */
  readonly versions: readonly Listing[];
}

export function listing(artifact: Artifact, signed?: Signed): Listing {
  const { version, bytes, sha256 } = artifact;
  return {
    version,
    size: bytes.length,
    sha256,
    url: modulePath(artifact),
    ...(signed && { signature: filePath(artifact, 'plugin.wasm.sig') }),
    ...(signed?.by !== undefined && { signedBy: signed.by }),
  };
}

/** All that is known of a version: `metadata.json`. */
export interface Metadata extends Listing {
  readonly name: string;
  readonly md5: string;
  readonly abi: string;
  readonly imports: readonly (ModuleImport & { readonly host: ImportLabel })[];
  readonly exports: readonly string[];
  readonly published: { readonly at: string; readonly by?: string; readonly source: string };
}

export function metadata(artifact: Artifact, signed: Signed | undefined): Metadata {
  const { name, md5, provenance } = artifact;
  const { abi, imports, exports } = artifact.interface;
  return {
    name,
    ...listing(artifact, signed),
    md5,
    abi,
    imports: imports.map((each) => ({ ...each, host: importLabel(each, abi) })),
    exports,
    published: { ...provenance, at: provenance.at.toISOString() },
  };
}

/** The line that `sha256sum plugin.wasm` prints, so that `sha256sum --check` takes it. */
export function checksumLine({ sha256 }: Artifact): string {
  return `${sha256}  plugin.wasm\n`;
}

/**
 * The lines of the metadata.txt of Higress' plugin-server in their order, and the digest that gateways verify. An
 * artifact never changes, so it was created when it was last modified. Times are UTC.
 */
export function metadataText({ name, bytes, modified, md5, sha256 }: Artifact): string {
  const time = modified.toISOString();
  return [
    `Plugin Name: ${name}`,
    `Size: ${bytes.length} bytes`,
    `Last Modified: ${time}`,
    `Created: ${time}`,
    `MD5: ${md5}`,
    `SHA256: ${sha256}`,
    '',
  ].join('\n');
}
