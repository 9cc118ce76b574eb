// `sluice bundle`: what is in the file, that it is the same each time, and that a folder that was loaded makes it again.
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv, type AnySchemaObject } from 'ajv';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { clone } from '../launcher/support.ts';
import { bundleInto, errorOf, filesIn, folder, remove, runs, sluice } from './support.ts';

const require = createRequire(import.meta.url);

vi.setConfig({ testTimeout: 90_000 });

let work: string;
let made: { file: string; sha256: string };
let loaded: string;

beforeAll(async () => {
  work = folder();
  made = await bundleInto(work);
  loaded = join(work, 'sluice');
  expect(await sluice(['load', made.file, '--into', loaded, '--sha256', made.sha256])).toMatchObject({ code: 0 });
});

afterAll(() => {
  remove(work);
});

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly 'bom-ref': string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
}

interface Sbom {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const sbom = (): Sbom => JSON.parse(readFileSync(join(loaded, 'sbom.cdx.json'), 'utf8')) as Sbom;

describe('the file', () => {
  test('has the same bytes each time', async () => {
    const again = folder();
    try {
      const second = await bundleInto(again);
      expect(second.sha256).toBe(made.sha256);
      expect(readFileSync(second.file).equals(readFileSync(made.file))).toBe(true);
    } finally {
      remove(again);
    }
  });

  test('has the digest that was told, and at most 6 MB', async () => {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(made.file)) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(made.sha256);
    expect(statSync(made.file).size).toBeLessThanOrEqual(6_000_000);
  });

  test('is an archive that tar reads, the loader first', async () => {
    const { stdout } = await runs('tar', ['-tf', made.file]);
    expect(stdout.split('\n').slice(0, 3)).toEqual(['sluice-load.mjs', 'bundle.json', 'SHA256SUMS']);
  });
});

/** A file of the folder, and what it imports before it runs, by path. */
function importedBy(path: string, found = new Map<string, number>()): ReadonlyMap<string, number> {
  if (found.has(path)) return found;
  const text = readFileSync(join(loaded, path), 'utf8');
  found.set(path, text.length);
  const imports = text.matchAll(/^import\s*(?:[\w${}\s,*]+?from\s*)?"(\.[^"]+)";/gm);
  for (const [, target = ''] of imports) importedBy(join(dirname(path), target), found);
  return found;
}

describe('the folder', () => {
  // Half of the time until `serve` answers goes into loading code.
  test('has little code that serve loads before it answers', () => {
    const command = filesIn(join(loaded, 'dist/chunks'))
      .map((name) => `dist/chunks/${name}`)
      .filter((path) => readFileSync(join(loaded, path), 'utf8').includes('usage: sluice serve ['));
    expect(command).toHaveLength(1);
    const code = importedBy(command[0] ?? '');
    expect(code.size).toBeGreaterThan(3);
    const size = [...code.values()].reduce((sum, each) => sum + each, 0);
    expect(size).toBeGreaterThan(500_000);
    expect(size).toBeLessThanOrEqual(2_200_000);
  });

  test('has a command that keeps a plugin server small, unless the environment says otherwise', async () => {
    const programs = join(work, 'programs');
    mkdirSync(programs);
    const said = ['MALLOC_ARENA_MAX', 'MALLOC_TRIM_THRESHOLD_', 'NODE_OPTIONS'];
    const echo = `#!/bin/sh\necho "${said.map((name) => `$${name}`).join('|')}" "\${2} \${3}"\n`;
    writeFileSync(join(programs, 'node'), echo, { mode: 0o755 });
    const environment = (more: Record<string, string>, ...args: string[]): Promise<string> =>
      runs(join(loaded, 'sluice'), args, { env: { PATH: `${programs}:/usr/bin:/bin`, ...more } }).then(({ stdout }) =>
        stdout.trim(),
      );
    expect(await environment({}, 'serve', '--data')).toBe('1|131072|--max-semi-space-size=4  serve --data');
    expect(await environment({}, 'check', 'a file')).toBe('|| check a file');
    const own = { MALLOC_ARENA_MAX: '8', MALLOC_TRIM_THRESHOLD_: '1', NODE_OPTIONS: '--max-semi-space-size=16' };
    // Of two options of Node the later one is in force.
    expect(await environment(own, 'serve', 'x')).toBe('8|1|--max-semi-space-size=4 --max-semi-space-size=16 serve x');
  });

  test('has the checksums that sha256sum --check takes', async () => {
    const { stdout } = await runs('sha256sum', ['--check', 'SHA256SUMS'], { cwd: loaded });
    const checked = stdout.trimEnd().split('\n');
    expect(checked.every((line) => line.endsWith(': OK'))).toBe(true);
    expect(checked.map((line) => line.slice(0, -': OK'.length))).toEqual(
      filesIn(loaded).filter((path) => path !== 'SHA256SUMS'),
    );
  });

  test('has no compiler, no package, no source, and no path of the machine that made it', () => {
    const files = filesIn(loaded);
    expect(files.filter((path) => /node_modules|\.ts$|asc\.js|esbuild/.test(path))).toEqual([]);
    const withPath = files.filter((path) => readFileSync(join(loaded, path)).includes(clone.replace(/\/$/, '')));
    expect(withPath).toEqual([]);
  });

  test('has the module that the manifest names, the documentation and the examples', () => {
    const manifest = JSON.parse(readFileSync(join(loaded, 'bundle.json'), 'utf8')) as { moduleSha256: string };
    const module = readFileSync(join(loaded, 'build/plugin.wasm'));
    expect(createHash('sha256').update(module).digest('hex')).toBe(manifest.moduleSha256);
    expect(filesIn(loaded)).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSE',
        'docs/running.md',
        'envoy/envoy.yaml',
        'examples/whole.yaml',
        'plugin-server/page/assets/index.html',
      ]),
    );
  });

  test('packs itself again, to the same bytes', async () => {
    const out = join(work, 'again.tar');
    await runs(join(loaded, 'sluice'), ['bundle', '--out', out]);
    expect(readFileSync(out).equals(readFileSync(made.file))).toBe(true);
  });

  test('packs nothing where a file of it was changed', async () => {
    const copy = join(work, 'changed');
    await sluice(['load', made.file, '--into', copy, '--sha256', made.sha256]);
    writeFileSync(join(copy, 'docs/running.md'), 'changed');
    const { code, stdout } = await runs(join(copy, 'sluice'), ['bundle', '--json', '--out', join(work, 'no.tar')]).then(
      () => ({ code: 0, stdout: '' }),
      (error: unknown) => error as { code: number; stdout: string },
    );
    expect(code).toBe(3);
    expect(stdout).toContain('is not as it was loaded: its docs/running.md has the SHA-256');
  });
});

describe('the bill of materials', () => {
  test('is CycloneDX 1.6, held to its schema', () => {
    const library = require.resolve('@cyclonedx/cyclonedx-library/package.json');
    const schemas = join(library, '../res/schema');
    const schema = (name: string): AnySchemaObject =>
      JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8')) as AnySchemaObject;
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const name of ['spdx', 'jsf-0.82']) {
      ajv.addSchema({ ...schema(name), $id: `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json` });
    }
    const validate = ajv.compile(schema('bom-1.6'));
    expect(validate(sbom()), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...sbom(), specVersion: 1 })).toBe(false);
  });

  test('names the module and every package whose code is in the server, with the digest of the lockfile', () => {
    const { components } = sbom();
    const { packages } = JSON.parse(readFileSync(join(clone, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; integrity?: string }>;
    };
    const names = components.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['sluice-module', 'fastify', 'pino', 'yaml', 'zod', 'tar-stream', 'ajv']),
    );
    const tools = ['esbuild', 'assemblyscript', 'tsx', 'vitest', 'typescript'];
    expect(names.filter((name) => tools.includes(name))).toEqual([]);
    for (const { name, version, hashes } of components.filter(({ purl }) => purl !== undefined)) {
      const [hash] = hashes;
      const integrity = `sha512-${Buffer.from(hash?.content ?? '', 'hex').toString('base64')}`;
      const locked = Object.entries(packages).filter(([path]) => path.endsWith(`node_modules/${name}`));
      expect(
        locked.map(([, entry]) => [entry.version, entry.integrity]),
        name,
      ).toContainEqual([version, integrity]);
    }
  });

  test('says who needs whom, without a loose end', () => {
    const { components, dependencies } = sbom();
    const refs = new Set(components.map((each) => each['bom-ref']));
    const needed = dependencies.flatMap(({ dependsOn }) => dependsOn);
    expect(needed.filter((ref) => !refs.has(ref))).toEqual([]);
    // Whatever is there is there because somebody needs it.
    expect([...refs].filter((ref) => !needed.includes(ref))).toEqual([]);
  });

  test('has a licence text for each package', () => {
    const licensed = filesIn(join(loaded, 'licenses')).map((path) => path.replace(/\/[^/]+$/, ''));
    const packages = sbom().components.filter(({ purl }) => purl !== undefined);
    const without = packages
      .map(({ name, version }) => `${name}@${version}`)
      .filter((name) => !licensed.includes(name));
    // It names its licence in package.json, and has no text of it in what npm hands out.
    expect(without.map((name) => name.replace(/@[^@]+$/, ''))).toEqual(['abstract-logging']);
  });
});

describe('sluice bundle', () => {
  test.each([
    [[], 2, '--out is missing'],
    [
      ['--out', '/nonexistent/folder/x.tar'],
      3,
      '--out: /nonexistent/folder/x.tar cannot be written: there is no folder',
    ],
    [
      ['--out', 'x.tar', '--sign-key', '/nonexistent/key.pem'],
      3,
      '--sign-key: there is no /nonexistent/key.pem (ENOENT): compare',
    ],
    [['--out', 'x.tar', '--envoy', '/nonexistent/envoy'], 3, '--envoy /nonexistent/envoy: no such file'],
    [['--out', 'x.tar', '--envoy', process.execPath], 3, 'not Envoy'],
  ])('%j: exit code %i', async (args, code, message) => {
    const told = await sluice(['bundle', ...args]);
    expect(told.code).toBe(code);
    expect(errorOf(told)).toContain(message);
  });
});
