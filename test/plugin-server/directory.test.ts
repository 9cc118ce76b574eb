import { mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { moduleLimit } from '../../plugin-server/store/limits.ts';
import { type Artifact, openStore } from '../../plugin-server/index.ts';
import { collectedLog } from './support.ts';
import { moduleWith } from './modules.ts';

let data: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'sluice-data-'));
});

afterEach(async () => {
  await rm(data, { recursive: true });
});

/** Writes a file below the data directory and returns its path. */
async function put(path: string, content: Uint8Array | string): Promise<string> {
  const file = join(data, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, content);
  return file;
}

async function loadDirectory(directory: string): Promise<Artifact[]> {
  const { store, close } = await openStore(directory, { log: collectedLog().log });
  close();
  return store.names().flatMap((name) => store.versions(name));
}

test('reads each <name>/<version>/plugin.wasm, with the time of the file', async () => {
  const modified = new Date('2026-01-02T03:04:05Z');
  await utimes(await put('sluice/1.0.0/plugin.wasm', moduleWith('a')), modified, modified);
  await put('sluice/1.1.0/plugin.wasm', moduleWith('b'));
  await put('ai-proxy/2.0.0/plugin.wasm', moduleWith('c'));
  const artifacts = await loadDirectory(data);
  expect(artifacts.map(({ name, version }) => `${name}/${version}`)).toEqual([
    'ai-proxy/2.0.0',
    'sluice/1.1.0',
    'sluice/1.0.0',
  ]);
  expect(artifacts[2]).toMatchObject({ bytes: moduleWith('a'), modified });
});

test('files beside the plugins are not ours', async () => {
  await put('README.md', 'text');
  await put('.git/config', 'text');
  await put('sluice/notes.txt', 'text');
  await put('sluice/1.0.0/metadata.txt', 'text');
  await put('sluice/1.0.0/plugin.wasm', moduleWith(''));
  await mkdir(join(data, 'lost+found'));
  expect(await loadDirectory(data)).toHaveLength(1);
});

test('a digest that is none is not repeated: it may be a link to anything', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'sluice-outside-'));
  await writeFile(join(outside, 'secret'), 'hunter2 and more\n');
  await put('sluice/1.0.0/plugin.wasm', moduleWith('a'));
  await symlink(join(outside, 'secret'), join(data, 'sluice/1.0.0/plugin.wasm.sha256'));
  const error: unknown = await loadDirectory(data).catch((caught: unknown) => caught);
  expect(String(error)).toContain('its plugin.wasm.sha256 has no digest in it');
  expect(String(error)).not.toContain('hunter2');
  await rm(outside, { recursive: true });
});

test('a pipe in place of a file is told, and not waited for', async () => {
  await mkdir(join(data, 'sluice/1.0.0'), { recursive: true });
  execFileSync('mkfifo', [join(data, 'sluice/1.0.0/plugin.wasm')]);
  await expect(loadDirectory(data)).rejects.toThrow(/sluice\/1\.0\.0\/plugin\.wasm: is not a file/);
});

test('links are followed, as in a Kubernetes mount', async () => {
  await put('..data_2026/plugin.wasm', moduleWith('linked'));
  await mkdir(join(data, 'sluice'));
  await symlink('../..data_2026', join(data, 'sluice/1.0.0'));
  expect((await loadDirectory(data))[0]?.bytes).toEqual(moduleWith('linked'));
});

test('the same module under several addresses is held once', async () => {
  await put('sluice/1.0.0/plugin.wasm', moduleWith('same'));
  await put('sluice/1.1.0/plugin.wasm', moduleWith('same'));
  const [newer, older] = await loadDirectory(data);
  expect(newer).toMatchObject({ version: '1.1.0', sha256: older?.sha256 });
  expect(newer?.bytes).toBe(older?.bytes);
});

test('an empty directory has no artifacts', async () => {
  expect(await loadDirectory(data)).toEqual([]);
});

test('everything that is wrong is told at once, and nothing is served', async () => {
  await put('sluice/1.0.0/plugin.wasm', moduleWith(''));
  await put('sluice/latest/plugin.wasm', moduleWith(''));
  await put('sluice/1.1.0/plugin.wasm', 'not found');
  await put('Sluice/1.0.0/plugin.wasm', moduleWith(''));
  await mkdir(join(data, 'key-auth/2.0.0'), { recursive: true });
  await mkdir(join(data, 'empty'));
  await truncate(await put('large/1.0.0/plugin.wasm', ''), moduleLimit + 1);
  await expect(loadDirectory(data)).rejects.toMatchObject({
    code: 'data_invalid',
    message: [
      `${data} cannot be served as it is; correct or remove:`,
      '  Sluice/1.0.0/plugin.wasm: "Sluice" is not a plugin name: use lower-case letters, digits, ".", "_" and "-"',
      '  empty: has no <version>/plugin.wasm in it',
      '  key-auth/2.0.0/plugin.wasm: ENOENT',
      '  large/1.0.0/plugin.wasm: has 268435457 bytes, more than the limit of 268435456',
      '  sluice/1.1.0/plugin.wasm: sluice/1.1.0 is no WebAssembly module that can be served: it begins with 6e6f7420, not with 0061736d',
      '  sluice/latest/plugin.wasm: "latest" is not a version: versions are exact, like 1.2.3; to read, a range like ^1.2 or latest will do too',
    ].join('\n'),
  });
});

test('a link that leads nowhere is wrong, not absent', async () => {
  await symlink('nowhere', join(data, 'sluice'));
  await expect(loadDirectory(data)).rejects.toMatchObject({
    code: 'data_invalid',
    message: `${data} cannot be served as it is; correct or remove:\n  sluice: ENOENT`,
  });
});

test('a directory that is not there, or is a file, is unreadable', async () => {
  const missing = join(data, 'missing');
  await expect(loadDirectory(missing)).rejects.toMatchObject({
    code: 'data_unreadable',
    message: `cannot read ${missing} (ENOENT); name an existing directory that this user may read`,
  });
  const file = await put('file', '');
  await expect(loadDirectory(file)).rejects.toMatchObject({ code: 'data_unreadable' });
});
