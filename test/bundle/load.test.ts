// `sluice load`: what it takes, what it refuses, and that nothing is half written. Archives are harmless ones.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { sha256Of } from '../../bundle/checksums.ts';
import { type BundleManifest, manifestText } from '../../bundle/manifest.ts';
import { openBundle } from '../../bundle/open.ts';
import { packBundle } from '../../bundle/pack.ts';
import type { ArchivedFile } from '../../common/archive.ts';
import { clone } from '../launcher/support.ts';
import { type Entry, bundleInto, errorOf, filesIn, folder, messageOf, remove, sluice, tarOf } from './support.ts';

vi.setConfig({ testTimeout: 120_000 });

let work: string;
/** `sluice-load.mjs`, as it is in a bundle. */
let loader: string;

beforeAll(async () => {
  work = folder();
  const { file } = await bundleInto(work);
  const { files } = await openBundle(readFileSync(file));
  loader = join(work, 'sluice-load.mjs');
  writeFileSync(loader, files.get('sluice-load.mjs')?.content ?? '');
});

afterAll(() => {
  remove(work);
});

const content: Record<string, string> = {
  'sluice-load.mjs': '// the loader',
  sluice: '#!/bin/sh\n',
  'build/plugin.wasm': '\0asm',
  'sbom.cdx.json': '{}',
  'docs/a/deep/page.md': '# A page',
};

const manifest: BundleManifest = { version: '1.2.3', moduleSha256: sha256Of(Buffer.from('\0asm')), envoys: [] };

/** A small bundle: what of it is another one, and what its manifest says. */
function small(changes: Record<string, string> = {}, says: Partial<BundleManifest> = {}): Promise<Buffer> {
  const files = Object.entries({ ...content, ...changes }).map(([path, text]): [string, ArchivedFile] => [
    path,
    { content: Buffer.from(text), executable: path === 'sluice' },
  ]);
  return packBundle(new Map(files), { ...manifest, ...says });
}

/** The entries of a small bundle, to be changed by hand. */
async function entries(): Promise<Entry[]> {
  const { files } = await openBundle(await small());
  return [...files].map(([name, file]) => [{ name }, file.content]);
}

/** A folder of one test. */
function place(): string {
  const path = folder();
  onTestFinished(() => {
    remove(path);
  });
  return path;
}

interface Loaded {
  readonly code: number;
  readonly message: string;
  readonly warning: string;
  /** What lies beside the bundle afterwards. */
  readonly there: readonly string[];
}

async function load(bytes: Buffer, ...options: string[]): Promise<Loaded> {
  const path = place();
  const file = join(path, 'b.tar');
  writeFileSync(file, bytes);
  const told = await sluice(['load', file, '--into', join(path, 'made/here'), ...options]);
  return {
    code: told.code,
    message: errorOf(told).replaceAll(`${path}/`, ''),
    warning: messageOf(told, 'warning'),
    there: filesIn(path),
  };
}

describe('takes a bundle', () => {
  test('whose digest is the one that was given', async () => {
    const bytes = await small();
    const { code, there, warning } = await load(bytes, '--sha256', sha256Of(bytes).toUpperCase());
    expect({ code, warning }).toEqual({ code: 0, warning: '' });
    const expected = [...Object.keys(content), 'bundle.json', 'SHA256SUMS'].map((path) => `made/here/${path}`);
    expect(there).toEqual(['b.tar', ...expected].sort());
  });

  test('without a digest or a key, and says that nothing vouches for it', async () => {
    const { code, warning } = await load(await small());
    expect(code).toBe(0);
    expect(warning).toMatch(/^nobody has vouched for .*b\.tar: .* use --sha256 or --key$/);
  });

  test('into an empty folder, and a second time, where it changes nothing', async () => {
    const path = place();
    const [file, into] = [join(path, 'b.tar'), join(path, 'into')];
    writeFileSync(file, await small());
    mkdirSync(into);
    const first = await sluice(['load', file, '--into', into]);
    expect(first.events.at(-1)).toMatchObject({ event: 'loaded', version: '1.2.3', created: true, signedBy: null });
    writeFileSync(join(into, 'data of mine'), '');
    const second = await sluice(['load', file, '--into', into]);
    expect(second.events.at(-1)).toMatchObject({ event: 'loaded', created: false });
    expect(existsSync(join(into, 'data of mine'))).toBe(true);
  });
});

describe('refuses, and leaves nothing behind', () => {
  const other = 'a'.repeat(64);

  test.each<[string, () => Promise<Buffer>, string, string[]?]>([
    ['another digest', small, `and not ${other}`, ['--sha256', other]],
    ['no tar', () => Promise.resolve(Buffer.from('no tar at all')), 'it is no whole tar'],
    ['an empty file', () => Promise.resolve(Buffer.alloc(0)), 'it is no tar, or an empty one'],
    ['gzip', async () => gzipSync(await small()), 'it is no whole tar'],
    [
      'a tar of something else',
      () => tarOf([[{ name: 'a' }, 'a']]),
      'it has no SHA256SUMS, so it is no bundle of Sluice',
    ],
    ['one that was cut in a file', async () => (await small()).subarray(0, 3000), 'it is no whole tar'],
    ['one that was cut between two files', async () => (await small()).subarray(0, 2048), 'it has no SHA256SUMS'],
    [
      'a changed file',
      async () => changed(await entries(), 'docs/a/deep/page.md', 'changed'),
      'its docs/a/deep/page.md has the SHA-256',
    ],
    [
      'a changed module',
      async () => small({ 'build/plugin.wasm': 'other' }),
      'its build/plugin.wasm is not the module that its manifest names',
    ],
    [
      'a file that is missing',
      async () => tarOf((await entries()).filter(([{ name }]) => name !== 'sluice')),
      'it has not sluice, which its SHA256SUMS lists',
    ],
    [
      'a file that is not listed',
      async () => tarOf([...(await entries()), [{ name: 'more' }, '']]),
      'its more is not listed in its SHA256SUMS',
    ],
    [
      'a list that is none',
      async () => changed(await entries(), 'SHA256SUMS', 'no list\n'),
      'its SHA256SUMS has a line that is no checksum: "no list"',
    ],
    [
      'an absolute name (path traversal, CWE-36)',
      async () => tarOf([...(await entries()), [{ name: '/tmp/sluice-absolute' }, '']]),
      'it has a file "/tmp/sluice-absolute", whose name leads out of it',
    ],
    [
      'a name that leads out (path traversal, CWE-22)',
      async () => tarOf([...(await entries()), [{ name: 'docs/../../out' }, '']]),
      'it has a file "docs/../../out", whose name leads out of it',
    ],
    [
      'a backslash in a name',
      async () => tarOf([...(await entries()), [{ name: '..\\out' }, '']]),
      'whose name leads out of it',
    ],
    [
      'a symbolic link (CWE-61)',
      async () => tarOf([...(await entries()), [{ name: 'link', type: 'symlink', linkname: 'docs' }, '']]),
      'it has "link", which is a symlink and no file',
    ],
    [
      'a hard link (CWE-62)',
      async () => tarOf([...(await entries()), [{ name: 'link', type: 'link', linkname: 'sluice' }, '']]),
      'it has "link", which is a link and no file',
    ],
    [
      'a device',
      async () => tarOf([...(await entries()), [{ name: 'null', type: 'character-device' }, '']]),
      'it has "null", which is a character-device and no file',
    ],
    [
      'a pipe',
      async () => tarOf([...(await entries()), [{ name: 'pipe', type: 'fifo' }, '']]),
      'it has "pipe", which is a fifo and no file',
    ],
    [
      'two files of one name',
      async () => tarOf([...(await entries()), [{ name: './sluice' }, '']]),
      'it has two files "sluice"',
    ],
    [
      'a file that is a folder too',
      async () => tarOf([...(await entries()), [{ name: 'sluice/inner' }, '']]),
      'it has "sluice" as a file and as a folder',
    ],
    [
      'a file without a name',
      async () => tarOf([...(await entries()), [{ name: '.' }, 'x']]),
      'it has a file without a name',
    ],
    [
      'a manifest of something else',
      async () => tarOf(listed({ ...content, 'bundle.json': '{"name":"other"}' })),
      'its bundle.json is none of Sluice',
    ],
    [
      'a manifest that is no JSON',
      async () => tarOf(listed({ ...content, 'bundle.json': '{' })),
      'its bundle.json is none of Sluice',
    ],
    [
      'a bundle of a later form',
      async () =>
        tarOf(listed({ ...content, 'bundle.json': manifestText(manifest).replace('"format": 1', '"format": 2') })),
      'it is a bundle of format 2 (Sluice 1.2.3), and this loader knows format 1; use the sluice-load.mjs that is in it',
    ],
    [
      'an Envoy for another machine',
      () =>
        small(
          { 'engines/1.40.0/bin/envoy': 'x' },
          { envoys: [{ version: '1.40.0', os: 'plan9', arch: 'mips', path: 'engines/1.40.0/bin/envoy' }] },
        ),
      'its Envoy 1.40.0 is for plan9 mips, and this machine is',
    ],
    [
      'an Envoy that is not there',
      () => small({}, { envoys: [{ version: '1.40.0', os: 'linux', arch: 'x64', path: 'engines/1.40.0/bin/envoy' }] }),
      'it has not the Envoy that its manifest names, engines/1.40.0/bin/envoy',
    ],
  ])('%s', async (_, make, message, options = []) => {
    const { code, message: told, there } = await load(await make(), ...options);
    expect(told).toContain(message);
    expect(code).toBe(1);
    expect(there).toEqual(['b.tar']);
  });

  test('more files, or more bytes, than a bundle may have', async () => {
    const bytes = await small();
    await expect(openBundle(bytes, { bytes: 1024 * 1024, files: 3 } as never)).rejects.toThrow(
      'it has more than 3 files',
    );
    await expect(openBundle(bytes, { bytes: 100, files: 100 } as never)).rejects.toThrow(
      'it unpacks to more than 100 bytes',
    );
  });

  test('a folder with something else in it', async () => {
    const path = place();
    const file = join(path, 'b.tar');
    writeFileSync(file, await small());
    const into = join(path, 'into');
    mkdirSync(into);
    writeFileSync(join(into, 'mine'), 'mine');
    const told = await sluice(['load', file, '--into', into]);
    expect(told.code).toBe(1);
    expect(errorOf(told)).toContain('is there and is not empty; name a folder that is not there');
    expect(filesIn(into)).toEqual(['mine']);
  });

  test('a folder with another version, or with one that was changed', async () => {
    const path = place();
    const [first, second, into] = [join(path, '1.tar'), join(path, '2.tar'), join(path, 'into')];
    writeFileSync(first, await small());
    writeFileSync(second, await small({ 'docs/a/deep/page.md': 'newer' }));
    await sluice(['load', first, '--into', into]);
    const upgraded = await sluice(['load', second, '--into', into]);
    expect(upgraded.code).toBe(1);
    expect(errorOf(upgraded)).toContain('load each version into a folder of its own');
    writeFileSync(join(into, 'sluice'), 'changed');
    const again = await sluice(['load', first, '--into', into]);
    expect(errorOf(again)).toContain('its sluice is not that of this bundle');
  });

  test.each([
    [[], 2, 'load takes one file'],
    [['a', 'b', '--into', 'c'], 2, 'load takes one file'],
    [['a'], 2, '--into is missing'],
    [['a', '--into', 'b', '--sha256', 'abc'], 2, '--sha256 takes 64 hexadecimal digits'],
    [
      ['/nonexistent/b.tar', '--into', 'b'],
      3,
      'there is no /nonexistent/b.tar (ENOENT): compare the name with what is there',
    ],
    [['/', '--into', 'b'], 3, '/ is a folder: name a file'],
    [['/nonexistent/b.tar', '--into', 'b', '--key', '/nonexistent.pem'], 3, 'ENOENT'],
  ])('%j', async (args, code, message) => {
    const told = await sluice(['load', ...args]);
    expect(told.code).toBe(code);
    expect(errorOf(told)).toContain(message);
  });
});

describe('sluice-load.mjs, the file alone', () => {
  const run = (file: string, into: string, node: string[] = [], env: NodeJS.ProcessEnv = {}) =>
    promisify(execFile)(process.execPath, [...node, loader, file, '--into', into], { env: { PATH: '', ...env } }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: unknown) => error as { code: number | null; stdout: string; stderr: string },
    );

  test('imports nothing but what Node has', () => {
    const imported = [...readFileSync(loader, 'utf8').matchAll(/^import .*? from "(.*?)";$/gms)].map(
      ([, name]) => name,
    );
    expect(imported.length).toBeGreaterThan(3);
    expect(imported.filter((name) => name?.startsWith('node:') !== true)).toEqual([]);
  });

  test('killed at any call: the folder is there whole, or not at all, and the next run finishes and tidies up', async () => {
    const path = place();
    const file = join(path, 'b.tar');
    writeFileSync(file, await small());
    const whole = [...Object.keys(content), 'bundle.json', 'SHA256SUMS'].sort();
    const preload = ['--import', join(clone, 'test/bundle/kill-at.mjs')];
    const outcomes: boolean[] = [];
    for (let step = 0, killed = true; killed; step++) {
      const into = join(path, `into-${step}`);
      const { code } = await run(file, into, preload, { KILL_AT: String(step) });
      killed = code !== 0;
      outcomes.push(existsSync(into));
      if (existsSync(into)) expect(filesIn(into)).toEqual(whole);
      expect(await run(file, into)).toMatchObject({ code: 0 });
      expect(filesIn(into)).toEqual(whole);
      expect(readdirSync(path).filter((name) => name.includes('unfinished'))).toEqual([]);
      remove(into);
    }
    expect(outcomes.length).toBeGreaterThan(40);
    expect(outcomes[0]).toBe(false);
    expect(outcomes.at(-1)).toBe(true);
  });

  test('a disk that is full: one line, exit code 3, nothing left', async () => {
    const path = place();
    const file = join(path, 'b.tar');
    writeFileSync(file, await small({ 'docs/large.md': 'x'.repeat(4 << 20) }));
    const limited = `ulimit -f 2000; exec "${process.execPath}" "${loader}" "${file}" --into "${join(path, 'into')}"`;
    const { code, stderr } = await promisify(execFile)('sh', ['-c', limited]).then(
      () => ({ code: 0, stderr: '' }),
      (error: unknown) => error as { code: number; stderr: string },
    );
    expect(stderr).toMatch(/^sluice load: --into: \S+ does not fit \(EFBIG\): make room/m);
    expect(code).toBe(3);
    expect(readdirSync(path)).toEqual(['b.tar']);
  });
});

function changed(all: readonly Entry[], path: string, text: string): Promise<Buffer> {
  return tarOf(all.map((entry) => (entry[0].name === path ? [entry[0], text] : entry)));
}

/** Files with right checksums. */
function listed(files: Record<string, string>): Entry[] {
  const sums = Object.entries(files).map(([path, text]) => `${sha256Of(Buffer.from(text))}  ${path}\n`);
  return Object.entries({ ...files, SHA256SUMS: sums.join('') }).map(([name, text]) => [{ name }, text]);
}
