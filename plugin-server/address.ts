import semver from 'semver';
import { PluginServerError } from './errors.ts';

/** Longest name, and longest version or range, in characters. */
export const addressLimit = 128;

const namePattern = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/;

/** What ranges are made of; `validRange` takes line breaks and much else for spaces. */
const rangePattern = /^[ -~]+$/;

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
  if (version.length > addressLimit || !isVersion(version)) {
    throw new PluginServerError('invalid_version', JSON.stringify(version));
  }
}

/** Exactly as it is written: `parse` also takes `v1.2.3` and spaces around, which would be second names of one version. */
export function isVersion(text: string): boolean {
  const parsed = semver.parse(text);
  if (parsed === null) return false;
  const build = parsed.build.length > 0 ? `+${parsed.build.join('.')}` : '';
  return parsed.version + build === text;
}

/** Whether `text` may stand where a version does and means several: `latest`, or a range as npm has them (`^0.1`, `1.x`). */
export function isRange(text: string): boolean {
  if (text.length > addressLimit || !rangePattern.test(text)) return false;
  return text === 'latest' || semver.validRange(text) !== null;
}

/**
 * The newest of `versions`, which are ordered newest first, that `range` means. A pre-release is never meant by
 * `latest` unless there is nothing else, and by a range only if that names one of the same release, as with npm.
 */
export function newestIn(versions: readonly string[], range: string): string | undefined {
  if (range === 'latest') return versions.find((version) => semver.prerelease(version) === null) ?? versions[0];
  const parsed = new semver.Range(range);
  return versions.find((version) => parsed.test(version));
}

/**
 * Orders two valid versions by precedence (semver.org §11), oldest first. Versions of the same precedence are two
 * addresses all the same, so they are ordered as text.
 */
export function compareVersions(a: string, b: string): number {
  return semver.compareBuild(a, b) || (a < b ? -1 : Number(a > b));
}
