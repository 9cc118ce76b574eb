import semver from 'semver';

/** Longest version or range, in characters. */
export const versionLimit = 128;

/** What ranges are made of; `validRange` takes line breaks and much else for spaces. */
const rangePattern = /^[ -~]+$/;

/** Exactly as it is written: `parse` also takes `v1.2.3` and spaces around, which would be second names of one version. */
export function isVersion(text: string): boolean {
  const parsed = semver.parse(text);
  if (parsed === null) return false;
  const build = parsed.build.length > 0 ? `+${parsed.build.join('.')}` : '';
  return parsed.version + build === text;
}

/** Whether `text` may stand where a version does and means several: `latest`, or a range as npm has them (`^0.1`, `1.x`). */
export function isRange(text: string): boolean {
  if (text.length > versionLimit || !rangePattern.test(text)) return false;
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
