import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { BuildError, build, describeBuild } from '../../scripts/build.ts';
import { templatesIn } from '../../scripts/configurations.ts';
import { until } from '../e2e/until.ts';
import { clone, isAlive, processTree, temporaryFolder } from './support.ts';

vi.setConfig({ testTimeout: 120_000 }); // compilations take seconds of a processor, which others may be using

/** What a build reads, and nothing that it writes. */
function copyOfSources(folder: string): string {
  const copy = join(temporaryFolder(), folder);
  for (const part of ['filter', 'asconfig.json', 'envoy/templates'])
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
  { timeout: 300_000 },
  () => {
    const here = readFileSync(join(clone, 'build/plugin.wasm'));
    const other = copyOfSources('a rather longer/path with spaces');
    // Another process, another working directory, another user's environment.
    const script = `import { build } from ${JSON.stringify(join(clone, 'scripts/build.ts'))}; await build(process.argv[1]);`;
    execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, other], {
      cwd: clone,
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', TZ: 'Asia/Tokyo', LC_ALL: 'C' },
    });
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

test('that is told to end leaves no compiler behind', async () => {
  const copy = copyOfSources('ended');
  const end = new AbortController();
  const building = build(copy, { signal: end.signal });
  const ended = expect(building).rejects.toThrow(BuildError);
  const compilers = () => processTree(process.pid).filter(({ command }) => command.includes('bin/asc.js'));
  await until('the compiler runs', () => compilers().some(({ command }) => command.includes('--enable-source-maps')));
  const pids = compilers().map(({ pid }) => pid);
  end.abort();
  await ended;
  await until('it has ended', () => !pids.some(isAlive));
});

/** What a file has in the places of the digest. */
const digestsIn = (text: string): string[] => text.match(/(?<=\bsha256: |\bvm_id: sluice-)[0-9a-f]{64}\b/g) ?? [];

describe('the configurations that the build makes of envoy/templates/', () => {
  const names = templatesIn(clone).map((path) => join('envoy', path));

  test('are the templates with the digest, and a word of where they come from', async () => {
    const copy = copyWithSmallModule();
    const { plugin, changedByHand } = await build(copy);
    expect(changedByHand).toEqual([]);
    expect(names).toContain('envoy/envoy.yaml');
    for (const name of names) {
      const [head, ...text] = readFileSync(join(copy, name), 'utf8').split('\n');
      const template = name.replace('envoy/', 'envoy/templates/');
      expect(head).toContain(`Made of ${template} by`);
      expect(text.join('\n').replaceAll(plugin.digest, '<digest>')).toBe(readFileSync(join(copy, template), 'utf8'));
      expect(digestsIn(text.join('\n')), name).toEqual([plugin.digest, plugin.digest]);
    }
  });

  test('follow the template and the module', async () => {
    const copy = copyWithSmallModule();
    const before = await build(copy);
    const template = join(copy, 'envoy/templates/pair.yaml');
    writeFileSync(template, `${readFileSync(template, 'utf8')}# more\n`);
    writeFileSync(join(copy, 'filter/index.ts'), 'export function two(): i32 {\n  return 2;\n}\n');
    const { plugin, changedByHand } = await build(copy);
    expect(changedByHand).toEqual([]);
    const text = readFileSync(join(copy, 'envoy/pair.yaml'), 'utf8');
    expect(text).toMatch(/# more\n$/);
    expect(plugin.digest).not.toBe(before.plugin.digest);
    expect(digestsIn(text)).toEqual([plugin.digest, plugin.digest]);
  });

  test('keep what was changed by hand, and get the digest all the same', async () => {
    const copy = copyWithSmallModule();
    const before = await build(copy);
    const file = join(copy, 'envoy/istio/wasmplugin.yaml');
    const edited = readFileSync(file, 'utf8').replaceAll('istio-ingress', 'edge');
    writeFileSync(file, edited);
    writeFileSync(join(copy, 'filter/index.ts'), 'export function two(): i32 {\n  return 2;\n}\n');
    for (const time of ['the first build after it', 'a later one']) {
      const { plugin, changedByHand } = await build(copy);
      expect(changedByHand, time).toEqual(['envoy/istio/wasmplugin.yaml']);
      expect(readFileSync(file, 'utf8')).toBe(edited.replaceAll(before.plugin.digest, plugin.digest));
    }
    rmSync(file);
    expect((await build(copy)).changedByHand).toEqual([]);
    expect(readFileSync(file, 'utf8')).toContain('istio-ingress');
  });

  test('are refused where a template has no place for the digest', async () => {
    const copy = copyWithSmallModule();
    writeFileSync(join(copy, 'envoy/templates/pair.yaml'), 'vm_config: {}\n');
    await expect(build(copy)).rejects.toThrow('envoy/templates/pair.yaml: expected <digest> where the digest');
  });

  test('are not committed', () => {
    const ignored = readFileSync(join(clone, '.gitignore'), 'utf8').split('\n');
    const made = ignored.filter((line) => line.startsWith('/envoy/')).map((line) => line.slice(1));
    expect(made.sort()).toEqual([...names].sort());
  });
});

test('the compiler and the tests use one copy of binaryen', () => {
  const read = (file: string): Record<string, Record<string, string>> =>
    JSON.parse(readFileSync(join(clone, file), 'utf8')) as Record<string, Record<string, string>>;
  const wanted = read('node_modules/assemblyscript/package.json')['dependencies']?.['binaryen'];
  expect(read('package.json')['devDependencies']?.['binaryen']).toBe(wanted);
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

test('build/plugin.wasm.sha256 and the configurations in envoy/ carry the digest of build/plugin.wasm', () => {
  const digest = createHash('sha256')
    .update(readFileSync(join(clone, 'build/plugin.wasm')))
    .digest('hex');
  expect(readFileSync(join(clone, 'build/plugin.wasm.sha256'), 'utf8')).toBe(`${digest}  plugin.wasm\n`);
  for (const path of templatesIn(clone)) {
    expect(digestsIn(readFileSync(join(clone, 'envoy', path), 'utf8')), path).toEqual([digest, digest]);
  }
  expect(existsSync(join(clone, 'build/plugin.wasm.stamp'))).toBe(true);
});
