// Compiles the command into a folder that needs no node_modules, for a bundle. Same sources, same bytes.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type BuildOptions, type Metafile, type Plugin, build } from 'esbuild';

/** A package that the compiled code has parts of. */
interface CompiledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  readonly integrity: string;
  /** Each as `name@version`. */
  readonly needs: readonly string[];
  /** Its licence and notices, by file name. */
  readonly notices: ReadonlyMap<string, Buffer>;
}

export interface CompiledBundle {
  /** The command, by path in the bundle: `dist/cli/main.js` and what it imports. */
  readonly command: ReadonlyMap<string, Buffer>;
  /** `sluice load` as one file. */
  readonly loader: Buffer;
  readonly packages: readonly CompiledPackage[];
  /** The packages that Sluice itself names, each as `name@version`. */
  readonly needs: readonly string[];
}

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What a package that came as CommonJS expects to be there. */
const banner = {
  js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
};

/** What only a clone has is left out: nothing asks for it elsewhere. */
const withoutScripts: Plugin = {
  name: 'without-scripts',
  setup: (compiler) => {
    compiler.onResolve({ filter: /\/scripts\// }, ({ path }) => ({ path, external: true }));
  },
};

/** @param root of the clone */
export async function compileBundle(root: string): Promise<CompiledBundle> {
  const options = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node' as const,
    format: 'esm' as const,
    target: 'node20.19',
    legalComments: 'none' as const, // the licences come as files
    metafile: true as const,
    write: false as const,
    outdir: 'dist',
    logLevel: 'silent' as const,
    banner,
    plugins: [withoutScripts],
  } satisfies BuildOptions;
  const command = await build({
    ...options,
    // Node parses what it loads at each start. Names stay, and so do short lines, for who reads a backtrace.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 120,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    // The thread that runs a module apart is looked for beside the code that starts it, which is in a chunk.
    entryPoints: { 'cli/main': 'cli/main.ts', 'chunks/thread': 'envoy/check/thread.ts' },
  });
  const loader = await build({
    ...options,
    entryPoints: { 'sluice-load': 'cli/load/standalone.ts' },
    outExtension: { '.js': '.mjs' },
  });
  const [single] = loader.outputFiles;
  if (single === undefined || loader.outputFiles.length > 1) throw new Error('the loader is to be one file');
  return {
    command: new Map(command.outputFiles.map(({ path, contents }) => [relative(root, path), Buffer.from(contents)])),
    loader: Buffer.from(single.contents),
    ...packagesOf([command.metafile, loader.metafile], root),
  };
}

function packagesOf(metafiles: readonly Metafile[], root: string): Pick<CompiledBundle, 'packages' | 'needs'> {
  const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const inputs = metafiles.flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  // npm puts some packages into several places.
  const packages = new Map(
    [...folders].map((folder) => packageOf(folder, locked, root)).map((each) => [nameOf(each), each]),
  );
  return { packages: [...packages.values()], needs: neededBy('', locked) };
}

function nameOf({ name, version }: CompiledPackage): string {
  return `${name}@${version}`;
}

function packageOf(folder: string, locked: Readonly<Record<string, LockedPackage>>, root: string): CompiledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const notices = readdirSync(join(root, folder)).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file));
  return {
    name,
    version,
    license: license ?? 'NOASSERTION',
    integrity: locked[folder]?.integrity ?? '',
    needs: neededBy(folder, locked),
    notices: new Map(notices.map((file) => [file, readFileSync(join(root, folder, file))])),
  };
}

/** What the package in `folder` of the lockfile needs, found as Node finds it: in its own node_modules, then further up. */
function neededBy(folder: string, locked: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.keys(locked[folder]?.dependencies ?? {}).flatMap((name) => {
    for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
      const found = locked[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`];
      if (found !== undefined) return [`${name}@${found.version}`];
      if (at === '') return [];
    }
  });
}

/** The files that the npm package has beside compiled code, as `files` of package.json names them, by their path. */
export function shippedFiles(root: string): Map<string, Buffer> {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: readonly string[] };
  const named = [...files.filter((entry) => !/^!?dist\b/.test(entry)), 'LICENSE', 'README.md'];
  const paths = named.flatMap((entry) => {
    const [folder = '', ending = ''] = entry.split('/**/*');
    return pathsIn(folder, root).filter((path) => path.endsWith(ending));
  });
  return new Map(paths.map((path) => [path, readFileSync(join(root, path))]));
}

/** A file, or all that are in a folder; what begins with a dot is no part of what is shipped. */
function pathsIn(path: string, root: string): string[] {
  const found = statSync(join(root, path), { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found === undefined ? [] : [path];
  const names = readdirSync(join(root, path)).filter((name) => !name.startsWith('.'));
  return names.flatMap((name) => pathsIn(`${path}/${name}`, root));
}
