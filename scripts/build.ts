// Compiles the module and makes the configurations that name it by its digest. Same sources, same bytes, on every machine and
// from every working directory.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeConfigurations } from './configurations.ts';
import { BuildError } from './build-error.ts';
import { replaceFile } from './replace-file.ts';

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
 * @throws BuildError with the compiler's messages
 */
export async function build(root: string = clone): Promise<Build> {
  const plugin = await buildTarget('plugin', root);
  replaceFile(`${plugin.file}.sha256`, `${plugin.digest}  plugin.wasm\n`);
  const build: Mutable<Build> = { plugin, changedByHand: writeConfigurations(root, plugin.digest) };
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
    throw new BuildError(`the build of ${entry} failed`, said.split('\n'));
  } finally {
    rmSync(join(root, unfinished), { force: true });
  }
}

/** A compiler of another version may make other bytes of the same sources. */
function compilerVersion(): string {
  const file = createRequire(import.meta.url).resolve('assemblyscript/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
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
    const built = await build();
    process.stdout.write(`${describeBuild(built)}\n`);
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
