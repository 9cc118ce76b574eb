import { isVersion } from '../../common/version.ts';
import type { ModuleRequest } from '../../envoy/check/module-request.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';

/** The module that a request leads to. */
export interface ResolvedModule extends ModuleRequest {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/**
 * The version itself, or the newest that the range allows.
 * @throws PluginServerError that names what there is instead
 */
export function resolveModule({ name, version }: ModuleRequest, store: ArtifactStore): ResolvedModule {
  const found = isVersion(version) ? store.get(name, version) : store.newest(name, version);
  return { name, version: found.version, sha256: found.sha256, bytes: found.bytes };
}
