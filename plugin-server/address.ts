import { isVersion, versionLimit } from '../common/version.ts';
import { PluginServerError } from './errors.ts';

/** Longest name, and longest version or range, in characters. */
export const addressLimit = versionLimit;

const namePattern = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/;

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
