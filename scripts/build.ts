// Compiles the module and makes the configurations that name it by its digest. Same sources, same bytes, on every machine and
// from every working directory.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { writeConfigurations } from './configurations.ts';
import { BuildError } from './build-error.ts';
import { replaceFile } from './replace-file.ts';
import { withFiles, withSourceMapUrl } from './source-map.ts';

const clone = fileURLToPath(new URL('..', import.meta.url));

/** What can be built: targets of asconfig.json with their entry and output, and the folders that their sources are in. */
const targets = {
  plugin: { entry: 'filter/index.ts', output: 'build/plugin.wasm', sources: ['filter'] },
  /** The same with the names of its functions and a source map, not optimized; for debuggers, never delivered. */
  debug: { entry: 'filter/index.ts', output: 'build/debug/plugin.wasm', sources: ['filter'] },
  core: { entry: 'test/core/module/index.ts', output: 'build/core.wasm', sources: ['filter', 'test/core/module'] },
  probe: {
    entry: 'test/embedded/probe/module/index.ts',
    output: 'build/probe.wasm',
    sources: ['filter', 'test/embedded/probe/module'],
  },
} as const;

type Target = keyof typeof targets;

export { BuildError };

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
  /** The plugin for debuggers, where it was asked for. */
  readonly debug?: BuiltModule;
  /** The core as a module of its own for tests without a host; absent where its entry does not exist. */
  readonly core?: BuiltModule;
  /** What tests of hosts run instead of the plugin; absent where its entry does not exist. */
  readonly probe?: BuiltModule;
  /** Configurations in envoy/ that were changed by hand, as paths from the clone: in them the digest alone is new. */
  readonly changedByHand: readonly string[];
}

/**
 * Brings build/plugin.wasm, build/plugin.wasm.sha256, the modules of tests and the configurations of envoy/templates/ up
 * to date.
 * @param root the clone to build; this one unless a test says otherwise
 * @param wanted `debug`: build/debug/plugin.wasm and its source map as well; `signal` ends the compiler
 * @throws BuildError with the compiler's messages
 */
export async function build(
  root: string = clone,
  wanted: { readonly debug?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Build> {
  const { signal } = wanted;
  const plugin = await buildTarget('plugin', root, signal);
  replaceFile(`${plugin.file}.sha256`, `${plugin.digest}  plugin.wasm\n`);
  const build: Mutable<Build> = { plugin, changedByHand: writeConfigurations(root, plugin.digest) };
  if (wanted.debug === true) build.debug = await buildTarget('debug', root, signal);
  for (const target of ['core', 'probe'] as const) {
    if (existsSync(join(root, targets[target].entry))) build[target] = await buildTarget(target, root, signal);
  }
  return build;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

async function buildTarget(target: Target, root: string, signal?: AbortSignal): Promise<BuiltModule> {
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
  const bytes = await compile(target, root, signal);
  const digest = sha256(bytes);
  replaceFile(file, bytes);
  replaceFile(stamp, `${inputs} ${digest}\n`);
  return { file, bytes, digest, compiled: true };
}

/** Digest of everything that the output depends on: sources, options, compiler. */
function inputsDigest(target: Target, root: string): string {
  const place = target === 'debug' ? root : ''; // its source map says where the sources are
  const hash = createHash('sha256').update(`${target} ${compilerVersion()} ${place}\n`);
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
 * It runs in the clone and is given relative paths, so that no absolute one can get into what is delivered.
 */
async function compile(target: Target, root: string, signal?: AbortSignal): Promise<Uint8Array> {
  const { entry, output } = targets[target];
  const unfinished = `${output}.${process.pid}.unfinished`;
  const map = `${output}.${process.pid}.wasm.map`; // as asc derives it
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const options = ['--config', 'asconfig.json', '--target', target, '--outFile', unfinished, '--noColors'];
  mkdirSync(dirname(join(root, output)), { recursive: true });
  try {
    const running = { cwd: root, maxBuffer: 16 << 20, ...(signal && { signal }) };
    // With source maps it is the compiler; without, asc starts a second process for it, which outlives the first.
    await promisify(execFile)(process.execPath, ['--enable-source-maps', asc, entry, ...options], running);
    const bytes = readFileSync(join(root, unfinished));
    return existsSync(join(root, map)) ? mapped(bytes, join(root, map), `${join(root, output)}.map`, root) : bytes;
  } catch (error) {
    const { message, stderr = '' } = error as Error & { stderr?: string };
    const said = stderr.trim() === '' ? message : stderr.trim();
    throw new BuildError(`the build of ${entry} failed`, said.split('\n'));
  } finally {
    for (const path of [unfinished, map]) rmSync(join(root, path), { force: true });
  }
}

/** Puts the map where the module then says it is: an absolute URL, as a debugger has the bytes and not their place. */
function mapped(bytes: Uint8Array, made: string, place: string, root: string): Uint8Array {
  replaceFile(place, withFiles(readFileSync(made, 'utf8'), join(root, '/')));
  return withSourceMapUrl(bytes, pathToFileURL(place).href);
}

/** A compiler of another version may make other bytes of the same sources. */
function compilerVersion(): string {
  const file = createRequire(import.meta.url).resolve('assemblyscript/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @throws BuildError that names the argument which is none of ours */
function options(args: string[]): { debug?: boolean } {
  try {
    return parseArgs({ args, options: { debug: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new BuildError(`${(error as Error).message}; npm run build takes -- --debug and nothing else`);
  }
}

/** `plugin.wasm 36104 bytes sha256 … (unchanged)` */
export function describeBuild({ plugin }: Build): string {
  return `plugin.wasm ${plugin.bytes.length} bytes sha256 ${plugin.digest}${plugin.compiled ? '' : ' (unchanged)'}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const built = await build(clone, options(process.argv.slice(2)));
    process.stdout.write(`${describeBuild(built)}\n`);
    if (built.debug !== undefined) process.stdout.write(`for debuggers: ${relative(clone, built.debug.file)}\n`);
    for (const name of built.changedByHand)
      process.stderr.write(
        `${name} was changed by hand and got the digest only; without the file, a build makes it anew\n`,
      );
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    process.stderr.write(`${[error.message, ...error.details].join('\n')}\n`);
    process.exitCode = 3; // as the command's: something is missing here
  }
}
