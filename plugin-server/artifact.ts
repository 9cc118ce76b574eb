import { createHash } from 'node:crypto';
import { checkName, checkVersion } from './address.ts';
import { PluginServerError } from './errors.ts';
import { moduleDefect } from './wasm.ts';

/** One version of one plugin: immutable, whole in memory, its digests computed once. */
export interface Artifact {
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
  /** Lower-case hex; what Envoy's `sha256:` and Istio's `sha256:` take. */
  readonly sha256: string;
  /** Lower-case hex; Higress' metadata.txt has it. Nothing here trusts it. */
  readonly md5: string;
  /** Strong, and equal on every replica: it is made of the content, not of a file's time. */
  readonly etag: string;
  readonly modified: Date;
}

/**
 * Makes an artifact of a module's bytes, which are copied: what the caller does with them later changes nothing.
 * `modified` is the time that metadata.txt shows; by default now.
 * Throws `invalid_name`, `invalid_version`, or `not_wasm` with the reason.
 */
export function loadArtifact(name: string, version: string, bytes: Uint8Array, modified = new Date()): Artifact {
  checkName(name);
  checkVersion(version);
  const defect = moduleDefect(bytes);
  if (defect !== undefined) throw new PluginServerError('not_wasm', `${name}/${version}`, defect);
  const copy = Buffer.from(bytes);
  const sha256 = createHash('sha256').update(copy).digest('hex');
  const md5 = createHash('md5').update(copy).digest('hex');
  return Object.freeze({ name, version, bytes: copy, sha256, md5, etag: `"${sha256}"`, modified });
}

/** Where the module is served, as an absolute path: a full URL would repeat the client's own Host header as a fact. */
export function modulePath({ name, version }: Pick<Artifact, 'name' | 'version'>): string {
  return `/plugins/${name}/${version}/plugin.wasm`;
}
