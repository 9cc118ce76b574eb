// Compiles the module and writes its digest where Envoy and Istio check it. Same sources, same bytes, on every machine and
// from every working directory.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CommandError, exitCode, processIo } from './io.ts';

const clone = fileURLToPath(new URL('..', import.meta.url));

/** What can be built: targets of asconfig.json with their entry and output, and the folders that their sources are in. */
const targets = {
  plugin: { entry: 'filter/index.ts', output: 'build/plugin.wasm', sources: ['filter'] },
  core: { entry: 'test/core/module/index.ts', output: 'build/core.wasm', sources: ['filter', 'test/core/module'] },
  probe: {
    entry: 'test/embedded/probe/module/index.ts',
    output: 'build/probe.wasm',
    sources: ['filter', 'test/embedded/probe/module'],
  },
} as const;

type Target = keyof typeof targets;

/** The files that name the module's bytes, each with the number of places: `vm_id: sluice-<digest>`, `sha256: <digest>`. */
export const digestPlaces = {
  'envoy/envoy.yaml': 2,
  'envoy/pair.yaml': 2,
  'envoy/istio/wasmplugin.yaml': 2,
  'envoy/istio/envoyfilter-hold.yaml': 2,
} as const;

export interface BuiltModule {
  /** Absolute path of the .wasm file. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, lower-case hex. */
  readonly digest: string;
  /** False: the sources were those of the last build, and the compiler did not run. */
  readonly compiled: boolean;
}

export interface Build {
  readonly plugin: BuiltModule;
  /** The core as a module of its own for tests without a host; absent where its entry does not exist. */
  readonly core?: BuiltModule;
  /** What tests of hosts run instead of the plugin; absent where its entry does not exist. */
  readonly probe?: BuiltModule;
  /** True: a file of `digestPlaces` carried another digest, and was rewritten. */
  readonly configurationChanged: boolean;
}

/**
 * Brings build/plugin.wasm, build/plugin.wasm.sha256, the modules of tests and the digests in envoy/ up to date.
 * @param root the clone to build; this one unless a test says otherwise
 * @throws CommandError with the compiler's messages
 */
export async function build(root: string = clone): Promise<Build> {
  const plugin = await buildTarget('plugin', root);
  replaceFile(`${plugin.file}.sha256`, `${plugin.digest}  plugin.wasm\n`);
  const changed = Object.entries(digestPlaces).filter(([file, places]) =>
    writeDigest(join(root, file), places, plugin.digest),
  );
  const configurationChanged = changed.length > 0;
  const build: Mutable<Build> = { plugin, configurationChanged };
  for (const target of ['core', 'probe'] as const) {
    if (existsSync(join(root, targets[target].entry))) build[target] = await buildTarget(target, root);
  }
  return build;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

async function buildTarget(target: Target, root: string): Promise<BuiltModule> {
  const { output } = targets[target];
  const file = join(root, output);
  const stamp = `${file}.stamp`;
  const inputs = inputsDigest(target, root);
  if (existsSync(file) && existsSync(stamp)) {
    const bytes = readFileSync(file);
    const digest = sha256(bytes);
    // Both halves must hold: an output that someone else wrote is not the output of these inputs.
    if (readFileSync(stamp, 'utf8') === `${inputs} ${digest}\n`) return { file, bytes, digest, compiled: false };
  }
  const bytes = await compile(target, root);
  const digest = sha256(bytes);
  replaceFile(file, bytes);
  replaceFile(stamp, `${inputs} ${digest}\n`);
  return { file, bytes, digest, compiled: true };
}

/** Digest of everything that the output depends on: sources, options, compiler. */
function inputsDigest(target: Target, root: string): string {
  const hash = createHash('sha256').update(`${target} ${compilerVersion()}\n`);
  const files = targets[target].sources.flatMap((folder) => sourcesIn(join(root, folder)));
  for (const file of ['asconfig.json', ...files.map((path) => relative(root, path)).sort()]) {
    const text = readFileSync(join(root, file), 'utf8');
    hash.update(`${file} ${text.length}\n${text}`);
  }
  return hash.digest('hex');
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Runs asc as a program of its own: imported here, all of it would pass through tsx's transpiler first (6 s, not 0.4).
 * It runs in the clone and is given relative paths, so that no absolute one can get into the output.
 */
async function compile(target: Target, root: string): Promise<Uint8Array> {
  const { entry, output } = targets[target];
  const unfinished = `${output}.${process.pid}.unfinished`;
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const options = ['--config', 'asconfig.json', '--target', target, '--outFile', unfinished, '--noColors'];
  mkdirSync(dirname(join(root, output)), { recursive: true });
  try {
    await promisify(execFile)(process.execPath, [asc, entry, ...options], { cwd: root, maxBuffer: 16 << 20 });
    return readFileSync(join(root, unfinished));
  } catch (error) {
    const { message, stderr = '' } = error as Error & { stderr?: string };
    const said = stderr.trim() === '' ? message : stderr.trim();
    throw new CommandError(`the build of ${entry} failed`, exitCode.environment, said.split('\n'));
  } finally {
    rmSync(join(root, unfinished), { force: true });
  }
}

/** A compiler of another version may make other bytes of the same sources. */
function compilerVersion(): string {
  const file = createRequire(import.meta.url).resolve('assemblyscript/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Writes the digest to its places in a file; everything else in it stays as it was written. */
function writeDigest(file: string, places: number, digest: string): boolean {
  const before = readFileSync(file, 'utf8');
  let found = 0;
  const after = before.replace(/^(\s*(?:vm_id: sluice-|sha256: ))[0-9a-f]{64}\b/gm, (_, key: string) => {
    found++;
    return key + digest;
  });
  if (found !== places) {
    throw new CommandError(`${file}: expected ${places} places to write the digest to, found ${found}`);
  }
  if (after === before) return false;
  replaceFile(file, after);
  return true;
}

/** Writes beside and renames: a reader sees the old bytes or the new ones. */
function replaceFile(file: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, contents);
  renameSync(temporary, file);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `plugin.wasm 36104 bytes sha256 … (unchanged)` */
export function describeBuild({ plugin }: Build): string {
  return `plugin.wasm ${plugin.bytes.length} bytes sha256 ${plugin.digest}${plugin.compiled ? '' : ' (unchanged)'}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    processIo.out(`${describeBuild(await build())}\n`);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    processIo.err(`${[error.message, ...error.details].join('\n')}\n`);
    process.exitCode = exitCode.environment;
  }
}
