import { basename } from 'node:path';
import { isVersion } from '../../common/version.ts';

/** What an image or a file is to be called, as far as that is known. */
export interface Naming {
  readonly name?: string;
  readonly version?: string;
}

/**
 * The name and version in a reference such as `registry.example.com:5000/plugins/key-auth:1.0.0`, or in a tag alone. A tag
 * stands for the version that it spells: `_` is the `+` that no tag can have, and a `v` in front is left out.
 */
export function namingOf(reference: string): Naming {
  const [, repository, tag] = /^(?:(.+?):)?([^:/@]+)(?:@sha256:.*)?$/.exec(reference) ?? [];
  if (tag === undefined) return {};
  const version = tag.replace(/^v(?=\d)/, '').replace('_', '+');
  const name = repository === undefined ? undefined : basename(repository);
  return { ...(name !== undefined && { name }), ...(isVersion(version) && { version }) };
}

/** The name and version in the name of a file or folder, such as `key-auth-1.0.0.tar.gz`. */
export function namingOfFile(file: string): Naming {
  const stem = basename(file).replace(/\.(?:wasm|tar|tgz|gz)(?:\.gz)?$/, '');
  const [, name, version] = /^(.+?)[-_@](\d+\.\d+\.\d+.*)$/.exec(stem) ?? [];
  if (name === undefined || version === undefined || !isVersion(version)) return { name: stem };
  return { name, version };
}
