import { existsSync, readFileSync, statSync } from 'node:fs';
import { checkFiles, sha256Of } from '../../bundle/checksums.ts';
import { type BundleManifest, parseManifest } from '../../bundle/manifest.ts';
import { bundled } from '../../bundle/names.ts';
import { sbomText } from '../../bundle/sbom.ts';
import { ArchiveError, type ArchivedFile } from '../../common/archive.ts';
import { home, isClone, ownFile, version } from '../../common/home.ts';
import { CommandError } from '../io.ts';
import { ownModule } from '../own-module.ts';
import type { CarriedEnvoy } from './envoy.ts';

/** What a bundle is packed of. */
export interface OwnFiles {
  /** Without manifest and checksums. */
  readonly files: ReadonlyMap<string, ArchivedFile>;
  readonly manifest: BundleManifest;
}

/**
 * `DIR/sluice`, called from anywhere, through links too. A plugin server may keep little memory that it does not use: one
 * pool of glibc, which gives back what is free at its end, and 4 MiB for V8's young objects. The environment goes before.
 */
const startScript = `#!/bin/sh
if [ "\${1-}" = serve ]; then
  export MALLOC_ARENA_MAX="\${MALLOC_ARENA_MAX-1}" MALLOC_TRIM_THRESHOLD_="\${MALLOC_TRIM_THRESHOLD_-131072}"
  export NODE_OPTIONS="--max-semi-space-size=4 \${NODE_OPTIONS-}"
fi
exec node "$(dirname "$(readlink -f "$0")")/bin/sluice.mjs" "$@"
`;

/**
 * The files of this Sluice: a clone compiles them, and a folder that was loaded has them.
 * @throws CommandError where they cannot be had
 */
export async function ownFiles(
  progress: (line: string) => void,
  env: NodeJS.ProcessEnv,
  envoy: CarriedEnvoy | undefined,
): Promise<OwnFiles> {
  if (isClone()) return filesOfClone(progress, env, envoy);
  if (!existsSync(ownFile(bundled.checksums))) {
    throw new CommandError('sluice bundle works in a clone, and in a folder that sluice load made; this is neither');
  }
  if (envoy !== undefined)
    throw new CommandError('--envoy works in a clone: a folder that was loaded is packed as it is');
  return filesOfLoaded();
}

async function filesOfClone(
  progress: (line: string) => void,
  env: NodeJS.ProcessEnv,
  envoy: CarriedEnvoy | undefined,
): Promise<OwnFiles> {
  const module = await ownModule(progress, env);
  progress('compiling the server …');
  const { compileBundle, shippedFiles } = await import('../../scripts/compile-bundle.ts');
  const { command, loader, packages, needs } = await compileBundle(home);
  const files = new Map<string, ArchivedFile>();
  const add = (path: string, content: Buffer | string, executable = false): void => {
    files.set(path, { content: Buffer.from(content), executable });
  };
  for (const [path, content] of [...shippedFiles(home), ...command]) add(path, content, path === 'bin/sluice.mjs');
  for (const { name, version, notices } of packages) {
    for (const [file, content] of notices) add(`licenses/${name}@${version}/${file}`, content);
  }
  add(bundled.loader, loader);
  add(bundled.command, startScript, true);
  add(bundled.module, Buffer.from(module.bytes));
  add(`${bundled.module}.sha256`, `${module.digest}  plugin.wasm\n`);
  add('package.json', packageJson());
  if (envoy !== undefined) add(envoy.path, envoy.content, true);
  const envoys = envoy === undefined ? [] : [envoy];
  add(
    bundled.sbom,
    sbomText({
      version,
      license: ownPackage().license,
      packages,
      needs,
      module: { name: 'sluice-module', version, sha256: module.digest },
      envoys: envoys.map((each) => ({ name: 'envoy', version: each.version, sha256: sha256Of(each.content) })),
    }),
  );
  const carried = envoys.map(({ version, os, arch, path }) => ({ version, os, arch, path }));
  return { files, manifest: { version, moduleSha256: module.digest, envoys: carried } };
}

/** @throws CommandError where a file is not what was loaded */
function filesOfLoaded(): OwnFiles {
  const read = (path: string): ArchivedFile => ({
    content: readFileSync(ownFile(path)),
    executable: (statSync(ownFile(path)).mode & 0o100) !== 0,
  });
  try {
    const listed = read(bundled.checksums).content.toString('utf8').trimEnd().split('\n');
    const files = new Map(listed.map((line) => line.slice(66)).map((path) => [path, read(path)]));
    checkFiles(new Map(files).set(bundled.checksums, read(bundled.checksums)));
    const manifest = parseManifest(read(bundled.manifest).content.toString('utf8'));
    files.delete(bundled.manifest);
    return { files, manifest };
  } catch (error) {
    if (!(error instanceof ArchiveError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new CommandError(`${home} is not as it was loaded: ${(error as Error).message}`);
  }
}

/** What a folder without npm still reads of package.json. */
function packageJson(): string {
  const { name, version, description, license, type, engines, bin } = ownPackage();
  return `${JSON.stringify({ name, version, description, license, private: true, type, engines, bin }, undefined, 2)}\n`;
}

function ownPackage(): Readonly<Record<'name' | 'version' | 'description' | 'license' | 'type', string>> & {
  readonly engines: object;
  readonly bin: object;
} {
  return JSON.parse(readFileSync(ownFile('package.json'), 'utf8')) as ReturnType<typeof ownPackage>;
}
