import type { Artifact } from '../artifact.ts';
import type { ModuleSource } from './modules.ts';

/** Modules that are there from the start, and stay. */
export function modulesOf(artifacts: Iterable<Artifact>): ModuleSource {
  const all = [...artifacts];
  return {
    revision: 0,
    names: () => [...new Set(all.map(({ name }) => name))],
    versions: (name) => all.filter((artifact) => artifact.name === name),
    bytes: (name, version) => {
      const found = all.find((artifact) => artifact.name === name && artifact.version === version);
      if (found === undefined) throw new Error(`${name} ${version} is gone`);
      return found.bytes;
    },
  };
}
