// The configurations that name the module by its digest: made of envoy/templates/ by the build, and never committed, so
// that two changes of the module do not meet in them.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BuildError } from './build-error.ts';
import { replaceFile } from './replace-file.ts';

/** What a template has where its copy has the digest. */
const placeholder = '<digest>';

/** Where a configuration names the module: `vm_id: sluice-<digest>`, `sha256: <digest>`. */
const places = /^(\s*(?:vm_id: sluice-|sha256: ))[0-9a-f]{64}\b/gm;

/** What the last build wrote, as `sha256sum` would list it: a file that is another one now was changed by hand. */
const record = 'build/configurations.sha256';

/**
 * Makes `envoy/<path>` of each `envoy/templates/<path>`. A file that was changed by hand keeps its changes, and gets the
 * digest alone.
 * @param root the clone
 * @param digest of the module, lower-case hex
 * @returns the files that were changed by hand, as paths from the root
 * @throws BuildError that names a template without a place for the digest
 */
export function writeConfigurations(root: string, digest: string): string[] {
  const written = recordOf(join(root, record));
  const changed: string[] = [];
  const lines = templatesIn(root).map((path) => {
    const name = join('envoy', path);
    const file = join(root, name);
    const wanted = copyOf(root, path, digest);
    const found = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    const isOurs = found === undefined || found === wanted || sha256(found) === written.get(name);
    const content = isOurs ? wanted : found.replace(places, (_, key: string) => key + digest);
    if (content !== found) replaceFile(file, content);
    if (!isOurs) changed.push(name);
    return `${sha256(wanted)}  ${name}\n`;
  });
  replaceFile(join(root, record), lines.join(''));
  return changed;
}

/** Paths from envoy/templates/, in order. */
export function templatesIn(root: string): string[] {
  const folder = join(root, 'envoy/templates');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function copyOf(root: string, path: string, digest: string): string {
  const template = join('envoy/templates', path);
  const text = readFileSync(join(root, template), 'utf8');
  if (!text.includes(placeholder))
    throw new BuildError(`${template}: expected ${placeholder} where the digest of the module belongs`);
  const head = `# Made of ${template} by \`npm run build\`. Changes that are made here stay; of the file it then renews the digest only.\n`;
  return head + text.replaceAll(placeholder, digest);
}

function recordOf(file: string): Map<string, string> {
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, 'utf8').split('\n');
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
