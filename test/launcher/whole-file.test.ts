import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeWholeFile } from '../../cli/whole-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-whole-file-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const moduleAt = (path: string): string => JSON.stringify(new URL(`../../cli/${path}`, import.meta.url).href);

/** Writes `size` bytes as `file`, and prints why not. */
function write(file: string, size: number): string {
  return limited(`
    const { writeWholeFile } = await import(${moduleAt('whole-file.ts')});
    await writeWholeFile('--out', ${JSON.stringify(file)}, 'x'.repeat(${size})).catch((error) => console.log(error.message));
  `);
}

/** Runs a script in a process that may write files of 512 or 1,024 bytes (a block of `ulimit -f`). @returns what it prints */
function limited(script: string): string {
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync('sh', ['-c', 'ulimit -f 1; exec "$@"', 'sh', ...node], { encoding: 'utf8' });
  return stdout + stderr;
}

test('a file that does not fit leaves what there was, and nothing beside it', () => {
  const file = join(folder, 'sluice.tar');
  writeFileSync(file, 'before');
  expect(write(file, 100_000)).toBe(
    `--out: ${file} does not fit (EFBIG): make room there, or name a place on another disk\n`,
  );
  expect(readFileSync(file, 'utf8')).toBe('before');
  expect(readdirSync(folder)).toEqual(['sluice.tar']);
  expect(write(file, 100)).toBe('');
  expect(readFileSync(file, 'utf8')).toBe('x'.repeat(100));
});

test('what killed ones left beside a file is removed an hour later, and nothing else', async () => {
  const own = mkdtempSync(join(folder, 'killed-'));
  const others = ['out.tar.0123abcd', 'out.tar.sig', 'out.tar.sig.0123abcd.unfinished', 'out.tar.unfinished'];
  for (const name of ['out.tar.0123abcd.unfinished', 'out.tar.4567cdef.unfinished', ...others]) {
    writeFileSync(join(own, name), '');
    utimesSync(join(own, name), 0, 0);
  }
  const young = 'out.tar.89abcdef.unfinished';
  writeFileSync(join(own, young), '');
  await writeWholeFile('--out', join(own, 'out.tar'), 'x');
  expect(readdirSync(own).sort()).toEqual(['out.tar', young, ...others].sort());
});

test('a new file that does not fit is not there, and nothing beside it', () => {
  const own = mkdtempSync(join(folder, 'new-'));
  const file = join(own, 'ci.pem');
  const create = (size: number): string =>
    limited(`
      const { createWhole } = await import(${moduleAt('create-whole.ts')});
      try {
        console.log(createWhole(${JSON.stringify(file)}, 'x'.repeat(${size})));
      } catch ({ code }) {
        console.log(code);
      }
    `);
  expect(create(100_000)).toBe('EFBIG\n');
  expect(readdirSync(own)).toEqual([]);
  expect(create(100)).toBe('true\n');
  expect(create(50)).toBe('false\n');
  expect(readFileSync(file, 'utf8')).toBe('x'.repeat(100));
  expect(readdirSync(own)).toEqual(['ci.pem']);
});

test('a folder is refused, with what to name instead', async () => {
  const own = mkdtempSync(join(folder, 'folder-'));
  const file = join(own, 'out');
  mkdirSync(file);
  await expect(writeWholeFile('--out', file, 'x')).rejects.toThrow(`--out: ${file} is a folder: name a file in it`);
  expect(readdirSync(own)).toEqual(['out']);
});

test('a link to a file stays, and what it leads to is written', async () => {
  const own = mkdtempSync(join(folder, 'link-'));
  const [file, link] = [join(own, 'real'), join(own, 'link')];
  writeFileSync(file, 'before');
  symlinkSync('real', link);
  await writeWholeFile('--out', link, 'after');
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(file, 'utf8')).toBe('after');
});

test.skipIf(process.platform === 'win32')('a pipe is written to, and no file takes its place', async () => {
  const own = mkdtempSync(join(folder, 'pipe-'));
  const pipe = join(own, 'pipe');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  const [, got] = await Promise.all([writeWholeFile('--out', pipe, 'content'), readFile(pipe, 'utf8')]);
  expect(got).toBe('content');
  expect(statSync(pipe).isFIFO()).toBe(true);
  expect(readdirSync(own)).toEqual(['pipe']);
});
