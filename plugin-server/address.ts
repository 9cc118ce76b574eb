import { PluginServerError } from './errors.ts';

/** Longest name, and longest version, in characters. */
export const addressLimit = 128;

const namePattern = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/;

// https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string
const versionPattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-z-][0-9a-z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-z-][0-9a-z-]*))*))?(?:\+[0-9a-z-]+(?:\.[0-9a-z-]+)*)?$/i;

/**
 * Throws `invalid_name` unless `name` is 1–128 characters of `[a-z0-9._-]` that begin and end with a letter or digit.
 * What passes has no separator, no `..` of its own and no NUL, so it is as safe in a path as in a log line.
 */
export function checkName(name: string): void {
  if (name.length > addressLimit || !namePattern.test(name)) {
    throw new PluginServerError('invalid_name', JSON.stringify(name));
  }
}

/** Throws `invalid_version` unless `version` is a Semantic Versioning 2.0.0 version of at most 128 characters. */
export function checkVersion(version: string): void {
  if (version.length > addressLimit || !versionPattern.test(version)) {
    throw new PluginServerError('invalid_version', JSON.stringify(version));
  }
}

/**
 * Orders two valid versions by precedence (semver.org §11), oldest first. Versions that differ in build metadata only
 * have the same precedence but are two addresses, so they are ordered as text.
 */
export function compareVersions(a: string, b: string): number {
  const [coreA, preA] = parts(a);
  const [coreB, preB] = parts(b);
  const core = compareLists(coreA, coreB);
  if (core !== 0) return core;
  // §11.3: a pre-release comes before its release.
  if (preA.length === 0 || preB.length === 0) return preB.length - preA.length || compareText(a, b);
  return compareLists(preA, preB) || compareText(a, b);
}

function parts(version: string): [core: string[], prerelease: string[]] {
  const [, major = '', minor = '', patch = '', prerelease] = versionPattern.exec(version) ?? [];
  return [[major, minor, patch], prerelease?.split('.') ?? []];
}

function compareLists(a: string[], b: string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1; // §11.4.4: more fields win where all before are equal
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const numericA = /^\d+$/.test(a);
  const numericB = /^\d+$/.test(b);
  if (numericA !== numericB) return numericA ? -1 : 1; // §11.4.3
  // Without leading zeros the longer number is the larger one, of any size: a date with a time is beyond 2^53.
  if (numericA) return a.length - b.length || compareText(a, b);
  return compareText(a, b);
}

/** ASCII order (§11.4.2), which `localeCompare` is not. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
