import { isRange, isVersion } from '../address.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';

/** What a gateway asks for: `{name: sluice, version: ^0.1}`. */
export interface ModuleRequest {
  readonly name: string;
  /** A version, a range in npm's notation, or `latest`. */
  readonly version: string;
}

/** The module that a request leads to. */
export interface ResolvedModule extends ModuleRequest {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** What `module` means where it is left out. */
export const defaultModule: ModuleRequest = { name: 'sluice', version: 'latest' };

export function isVersionRequest(text: string): boolean {
  return isVersion(text) || isRange(text);
}

/**
 * The version itself, or the newest that the range allows.
 * @throws PluginServerError that names what there is instead
 */
export function resolveModule({ name, version }: ModuleRequest, store: ArtifactStore): ResolvedModule {
  const found = isVersion(version) ? store.get(name, version) : store.newest(name, version);
  return { name, version: found.version, sha256: found.sha256, bytes: found.bytes };
}
