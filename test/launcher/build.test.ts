import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { build, describeBuild, digestPlaces } from '../../scripts/build.ts';
import { clone, temporaryFolder } from './support.ts';

vi.setConfig({ testTimeout: 120_000 }); // two compilations take 8 s of a processor, which others may be using

/** What a build reads, and nothing that it writes. */
function copyOfSources(folder: string): string {
  const copy = join(temporaryFolder(), folder);
  for (const part of ['filter', 'asconfig.json', ...Object.keys(digestPlaces)])
    cpSync(join(clone, part), join(copy, part), { recursive: true });
  return copy;
}

/** The same, with a module that compiles in no time: what it does is not the point. */
function copyWithSmallModule(): string {
  const copy = copyOfSources('a');
  rmSync(join(copy, 'filter'), { recursive: true });
  mkdirSync(join(copy, 'filter'));
  writeFileSync(join(copy, 'filter/index.ts'), 'export function one(): i32 {\n  return 1;\n}\n');
  writeFileSync(join(copy, 'asconfig.json'), '{ "targets": { "plugin": {} } }');
  return copy;
}

test(
  'makes the same bytes of the same sources, wherever they are and whoever builds them',
  { timeout: 120_000 },
  async () => {
    const here = readFileSync(join(clone, 'build/plugin.wasm'));
    const [one, other] = [copyOfSources('a'), copyOfSources('a rather longer/path with spaces')];
    const first = await build(one);
    expect(first.plugin.compiled).toBe(true);
    // Another process, another working directory, another user's environment.
    const script = `import { build } from ${JSON.stringify(join(clone, 'scripts/build.ts'))}; await build(process.argv[1]);`;
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, other], {
      cwd: clone,
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', TZ: 'Asia/Tokyo', LC_ALL: 'C' },
    });
    expect(Buffer.compare(Buffer.from(first.plugin.bytes), here)).toBe(0);
    expect(Buffer.compare(readFileSync(join(other, 'build/plugin.wasm')), here)).toBe(0);
    const text = here.toString('latin1');
    for (const trace of [clone, tmpdir(), process.env['USER'] ?? clone]) expect(text).not.toContain(trace);
  },
);

test('compiles only what changed', async () => {
  const copy = copyWithSmallModule();
  expect((await build(copy)).plugin.compiled).toBe(true);
  const again = await build(copy);
  expect(again.plugin.compiled).toBe(false);
  expect(describeBuild(again)).toMatch(/^plugin\.wasm \d+ bytes sha256 [0-9a-f]{64} \(unchanged\)$/);
  writeFileSync(join(copy, 'build/plugin.wasm'), 'other bytes');
  expect((await build(copy)).plugin.compiled).toBe(true);
  writeFileSync(join(copy, 'filter/added.ts'), '// a new source\n');
  expect((await build(copy)).plugin.compiled).toBe(true);
});

test('writes the digest to its places, and changes nothing else there', async () => {
  const copy = copyWithSmallModule();
  const stale = new Map<string, string>();
  for (const [name, places] of Object.entries(digestPlaces)) {
    const text = readFileSync(join(copy, name), 'utf8').replaceAll(/\b[0-9a-f]{64}\b/g, 'f'.repeat(64));
    expect(text.split('f'.repeat(64))).toHaveLength(places + 1);
    stale.set(join(copy, name), text);
    writeFileSync(join(copy, name), text);
  }
  const { plugin, configurationChanged } = await build(copy);
  expect(configurationChanged).toBe(true);
  for (const [file, text] of stale) {
    expect(readFileSync(file, 'utf8')).toBe(text.replaceAll('f'.repeat(64), plugin.digest));
  }
  expect((await build(copy)).configurationChanged).toBe(false);
});

test('says which file has a place too few', async () => {
  const copy = copyWithSmallModule();
  writeFileSync(join(copy, 'envoy/pair.yaml'), 'vm_config: {}\n');
  await expect(build(copy)).rejects.toThrow(/envoy\/pair\.yaml: expected 2 places to write the digest to, found 0/);
});

test('fails with what the compiler says, and leaves the last module alone', async () => {
  const copy = copyWithSmallModule();
  mkdirSync(join(copy, 'build'));
  writeFileSync(join(copy, 'build/plugin.wasm'), 'the last one');
  writeFileSync(join(copy, 'filter/index.ts'), 'export function broken(): i32 { return "text"; }\n');
  await expect(build(copy)).rejects.toMatchObject({
    message: 'the build of filter/index.ts failed',
    details: expect.arrayContaining([expect.stringMatching(/^ERROR TS\d+/)]) as string[],
  });
  expect(readFileSync(join(copy, 'build/plugin.wasm'), 'utf8')).toBe('the last one');
});

test('the files in envoy/ and build/plugin.wasm.sha256 carry the digest of build/plugin.wasm', () => {
  const digest = createHash('sha256')
    .update(readFileSync(join(clone, 'build/plugin.wasm')))
    .digest('hex');
  expect(readFileSync(join(clone, 'build/plugin.wasm.sha256'), 'utf8')).toBe(`${digest}  plugin.wasm\n`);
  for (const [file, places] of Object.entries(digestPlaces)) {
    const found = readFileSync(join(clone, file), 'utf8').match(/(?<=\bsha256: |\bvm_id: sluice-)[0-9a-f]{64}\b/g);
    expect(found, file).toEqual(Array(places).fill(digest));
  }
  expect(existsSync(join(clone, 'build/plugin.wasm.stamp'))).toBe(true);
});
