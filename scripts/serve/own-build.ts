import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Artifact, loadArtifact } from '../../plugin-server/index.ts';
import { CommandError } from '../io.ts';

/**
 * The module that `npm run build` made in the clone at `root`, under the version of its package.json.
 * Throws a `CommandError` that says how to build it, where there is none.
 */
export async function ownBuild(root = new URL('../..', import.meta.url)): Promise<Artifact> {
  const module = new URL('build/plugin.wasm', root);
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };
  try {
    return loadArtifact('sluice', version, await readFile(module), (await stat(module)).mtime);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new CommandError(
      `${fileURLToPath(module)} is not there: run "npm run build", or name plugins with --data DIR`,
    );
  }
}
