import { type Artifact, modulePath } from './artifact.ts';

/** One version as the JSON listings show it. `size` in bytes, `url` relative to the server. */
export interface Listing {
  readonly version: string;
  readonly size: number;
  readonly sha256: string;
  readonly url: string;
}

export function listing(artifact: Artifact): Listing {
  const { version, bytes, sha256 } = artifact;
  return { version, size: bytes.length, sha256, url: modulePath(artifact) };
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
