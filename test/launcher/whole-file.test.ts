import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'sluice-whole-file-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Writes `size` bytes as `file`, in a process that may write files of 512 or 1,024 bytes (a block of `ulimit -f`). */
function write(file: string, size: number): string {
  const script = `
    const { writeWholeFile } = await import(${JSON.stringify(new URL('../../cli/whole-file.ts', import.meta.url).href)});
    await writeWholeFile('--out', ${JSON.stringify(file)}, 'x'.repeat(${size})).catch((error) => console.log(error.message));
  `;
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
