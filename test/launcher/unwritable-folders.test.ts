// Folders in which nothing can be written: each command says so, and what to do.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { withAdvice } from '../../cli/file-errors.ts';
import { claimFiles } from '../../cli/start/files.ts';
import { replaceFile } from '../../scripts/replace-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-unwritable-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
/** No folder can be made below it, whoever runs the tests. */
const file = join(folder, 'file');
writeFileSync(file, 'one');

test('a command of a clone says that there is no folder for temporary files', () => {
  const command = fileURLToPath(new URL('../../bin/sluice.mjs', import.meta.url));
  const env = { ...process.env, TMPDIR: join(file, 'tmp'), TMP: join(file, 'tmp'), TEMP: join(file, 'tmp') };
  const { status, stderr } = spawnSync(process.execPath, [command, 'help'], { env, encoding: 'utf8' });
  expect(stderr).toBe(
    `sluice needs a folder for temporary files, and ${join(file, 'tmp')} is none (ENOTDIR): set TMPDIR to one\n`,
  );
  expect(status).toBe(3);
});

test('start says where its files cannot be kept, and how to name another folder', () => {
  expect(() => claimFiles(join(file, 'data'))).toThrow(
    `the files of this gateway cannot be kept in ${join(file, 'data')} (ENOTDIR): name a folder that this user may write to in SLUICE_DATA_DIR`,
  );
});

test('a build writes nothing that is there already, and says where it cannot write', () => {
  const before = statSync(file).ino;
  replaceFile(file, 'one');
  expect(statSync(file).ino).toBe(before);
  replaceFile(file, 'two');
  expect(statSync(file).ino).not.toBe(before);
  expect(() => {
    replaceFile(join(file, 'build', 'plugin.wasm'), 'x');
  }).toThrow(`this clone has to be built, and ${join(file, 'build', 'plugin.wasm')} cannot be written: run \`npm run`);
});

test.each([
  ['EACCES', 'run it as the user that this belongs to, or name another place'],
  ['EROFS', 'that file system can only be read: name another place'],
  ['ENOSPC', 'make room on that disk, or name another place'],
])('%s of the file system is told with what to do', (code, next) => {
  const error = Object.assign(new Error(`${code}: it failed, open '/x'`), { code, syscall: 'open', path: '/x' });
  expect(withAdvice(error)).toBe(`${code}: it failed, open '/x'; ${next}`);
  expect(withAdvice(Object.assign(new Error('refused'), { code, syscall: 'connect' }))).toBe('refused');
});
