import { checkName, checkVersion, compareVersions } from './address.ts';
import type { Artifact } from './artifact.ts';
import { PluginServerError } from './errors.ts';
import { nearest } from './nearest.ts';

/** The artifacts of one server, by name and exact version. Lookups are in memory: no request reaches a file system. */
export class ArtifactStore {
  readonly #plugins = new Map<string, Map<string, Artifact>>();

  /** Throws `duplicate_artifact` where two artifacts have the same address. */
  constructor(artifacts: Iterable<Artifact>) {
    for (const artifact of [...artifacts].sort(byNameThenNewest)) {
      const { name, version } = artifact;
      const versions = this.#plugins.get(name) ?? new Map<string, Artifact>();
      if (versions.has(version)) throw new PluginServerError('duplicate_artifact', `${name}/${version}`);
      this.#plugins.set(name, versions.set(version, artifact));
    }
  }

  /** All names, in alphabetical order. */
  names(): string[] {
    return [...this.#plugins.keys()];
  }

  /**
   * All versions of a plugin, newest first. Throws `invalid_name`, `unknown_plugin` with the nearest name, or
   * `not_found` where there are no plugins at all.
   */
  versions(name: string): Artifact[] {
    return [...this.#versions(name).values()];
  }

  /** Throws as `versions` does, `invalid_version`, or `unknown_version` with the nearest version. */
  get(name: string, version: string): Artifact {
    const versions = this.#versions(name);
    checkVersion(version);
    const artifact = versions.get(version);
    if (artifact !== undefined) return artifact;
    throw new PluginServerError('unknown_version', version, name, nearest(version, versions.keys()) ?? '', name);
  }

  #versions(name: string): Map<string, Artifact> {
    checkName(name);
    const versions = this.#plugins.get(name);
    if (versions !== undefined) return versions;
    const similar = nearest(name, this.#plugins.keys());
    throw similar === undefined
      ? new PluginServerError('not_found')
      : new PluginServerError('unknown_plugin', name, similar);
  }
}

function byNameThenNewest(a: Artifact, b: Artifact): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return compareVersions(b.version, a.version);
}
