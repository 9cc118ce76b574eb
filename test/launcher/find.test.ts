import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Search, findEnvoy } from '../../envoy/engine/find.ts';
import { temporaryFolder } from './support.ts';

let home: string;
let search: Search;

beforeEach(() => {
  home = temporaryFolder();
  search = { env: { PATH: join(home, 'bin') }, home, folder: join(home, 'clone'), mode: 'hold' };
});

/** A program that answers as an Envoy of this version does; without V8, as the packaged 1.38.3 does. */
function fakeEnvoy(path: string, version: string, v8 = true): string {
  return program(
    path,
    `case "$1" in
  --version) echo "$0  version: 0123456789abcdef/${version}/Clean/RELEASE/BoringSSL" ;;
  *) ${v8 ? 'exit 0' : "echo '[error][wasm] [x.cc:103] Wasm VM failed Failed to load Wasm code' >&2; exit 1"} ;;
esac`,
  );
}

function program(path: string, script: string): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('findEnvoy', () => {
  test('takes ENVOY_PATH before all others, and what is there or nothing', async () => {
    fakeEnvoy('bin/envoy', '1.40.0');
    const asked = fakeEnvoy('elsewhere/my-envoy', '1.36.2');
    const env = { ...search.env, ENVOY_PATH: asked };
    expect(await findEnvoy({ ...search, env })).toEqual({ envoy: { path: asked, version: '1.36.2' }, rejected: [] });
    const missing = { ...env, ENVOY_PATH: join(home, 'none') };
    await expect(findEnvoy({ ...search, env: missing })).rejects.toThrow(/^ENVOY_PATH=.*none: no such file$/);
  });

  test('asks PATH, func-e, Python, the clone, in this order', async () => {
    const places = [
      fakeEnvoy('clone/1.40.0/bin/envoy', '1.40.0'),
      fakeEnvoy('python/envoy', '1.39.3'),
      fakeEnvoy('.func-e/versions/1.38.2/bin/envoy', '1.38.2'),
      fakeEnvoy('.local/share/func-e/envoy-versions/1.37.0/bin/envoy', '1.37.0'),
      fakeEnvoy('bin/envoy', '1.36.2'),
    ];
    const [clone, python, legacy, xdg, path] = places;
    // Each place hides those that come after it: unveil them one by one.
    const found = async (): Promise<string | undefined> => (await findEnvoy(search)).envoy?.path;
    expect(await found()).toBe(path);
    hide(path);
    expect(await found()).toBe(xdg);
    hide(xdg);
    expect(await found()).toBe(legacy);
    hide(legacy);
    expect(await found()).toBe(clone);
    program('bin/python3', `echo ${python ?? ''}`);
    expect(await found()).toBe(python);
    hide(python);
    expect(await found()).toBe(clone);
    hide(clone);
    expect(await found()).toBeUndefined();
  });

  test('prefers what `func-e use` chose, then the newest, by number', async () => {
    const folder = '.local/share/func-e/envoy-versions';
    const older = fakeEnvoy(`${folder}/1.36.2/bin/envoy`, '1.36.2');
    const newer = fakeEnvoy(`${folder}/1.36.10/bin/envoy`, '1.36.10');
    expect((await findEnvoy(search)).envoy?.path).toBe(newer);
    mkdirSync(join(home, '.config/func-e'), { recursive: true });
    writeFileSync(join(home, '.config/func-e/envoy-version'), '1.36.2\n');
    expect((await findEnvoy(search)).envoy?.path).toBe(older);
  });

  test('follows FUNC_E_HOME and FUNC_E_DATA_HOME', async () => {
    const inHome = fakeEnvoy('fh/versions/1.40.0/bin/envoy', '1.40.0');
    const inData = fakeEnvoy('fd/envoy-versions/1.40.0/bin/envoy', '1.40.0');
    const data = { ...search.env, FUNC_E_DATA_HOME: join(home, 'fd') };
    expect((await findEnvoy({ ...search, env: data })).envoy?.path).toBe(inData);
    const both = { ...data, FUNC_E_HOME: join(home, 'fh') };
    expect((await findEnvoy({ ...search, env: both })).envoy?.path).toBe(inHome);
  });

  test('passes over what cannot run the module, and says why', async () => {
    fakeEnvoy('bin/envoy', '1.34.9');
    fakeEnvoy('.func-e/versions/1.38.3/bin/envoy', '1.38.3', false);
    const good = fakeEnvoy('clone/1.40.0/bin/envoy', '1.40.0');
    const { envoy, rejected } = await findEnvoy(search);
    expect(envoy?.path).toBe(good);
    expect(rejected).toEqual([
      expect.stringMatching(/bin\/envoy: Envoy 1\.34\.9 is older than 1\.35 \(allow_on_headers_stop_iteration/),
      expect.stringMatching(/1\.38\.3\/bin\/envoy: Envoy 1\.38\.3 was built without V8 and cannot run WebAssembly$/),
    ]);
  });

  test.each([
    ['another program', 'echo hello', /not Envoy: --version says "hello"$/],
    ['one that fails', 'echo broken >&2; exit 1', /not Envoy: --version says "broken"$/],
  ])('is not taken in by %s of that name', async (_, script, why) => {
    const file = program('bin/envoy', script);
    expect((await findEnvoy(search)).rejected).toEqual([expect.stringMatching(why)]);
    const env = { ENVOY_PATH: file };
    await expect(findEnvoy({ ...search, env })).rejects.toThrow(why);
  });
});

function hide(path: string | undefined): void {
  chmodSync(path ?? '', 0o644);
}
