import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

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
