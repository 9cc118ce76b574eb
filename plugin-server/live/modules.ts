import { maxSatisfying, validRange } from 'semver';
import { nearest } from '../nearest.ts';

/** The modules that gateways can be given. */
export interface ModuleSource {
  /** Grows when a module is published: what was resolved before may be resolved otherwise now. */
  readonly revision: number;
  names(): readonly string[];
  /** All versions of a module in any order; none where there is no such module. */
  versions(name: string): readonly ModuleVersion[];
  /** The module itself. */
  bytes(name: string, version: string): Uint8Array | Promise<Uint8Array>;
}

export interface ModuleVersion {
  readonly version: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What a gateway asks for: `{name: sluice, version: ^0.1}`. */
export interface ModuleRequest {
  readonly name: string;
  /** A version, a range in npm's notation, or `latest`: the newest that is no pre-release. */
  readonly version: string;
}

/** The module that a request led to. */
export interface ResolvedModule extends ModuleVersion {
  readonly name: string;
}

/** What `module` means where it is left out. */
export const defaultModule: ModuleRequest = { name: 'sluice', version: 'latest' };

/** A range of npm's, or `latest`. */
export function isVersionRequest(text: string): boolean {
  return text === 'latest' || validRange(text) !== null;
}

/**
 * The newest version that a request allows. A pre-release is taken only where the range names one, as npm does it.
 * @throws Error with a sentence that names what there is instead
 */
export function resolveModule({ name, version }: ModuleRequest, source: ModuleSource): ResolvedModule {
  const versions = source.versions(name);
  if (versions.length === 0) {
    const similar = nearest(name, source.names());
    throw new Error(
      similar === undefined
        ? `there is no module ${name}, and no other: publish one`
        : `there is no module ${name}; did you mean ${similar}?`,
    );
  }
  const chosen = maxSatisfying(
    versions.map((each) => each.version),
    version === 'latest' ? '*' : version,
  );
  const found = versions.find((each) => each.version === chosen);
  if (found !== undefined) return { name, version: found.version, sha256: found.sha256 };
  const known = versions.map((each) => each.version);
  throw new Error(`no version of ${name} is in ${version}; there is ${known.slice(0, 5).join(', ')}`);
}
