import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { home, versionOf } from '../../common/home.ts';
import { type Artifact, loadArtifact } from '../../plugin-server/index.ts';
import { CommandError } from '../io.ts';

/**
 * The module of this Sluice, under the version of its package.json. In a clone it is the one that was built last.
 * @param root the folder with package.json and build/
 * @throws CommandError that says how to build it, where there is none
 */
export async function ownBuild(root = home): Promise<Artifact> {
  const module = join(root, 'build/plugin.wasm');
  try {
    return loadArtifact('sluice', versionOf(root), await readFile(module), (await stat(module)).mtime);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new CommandError(`${module} is not there: run "npm run build", or name plugins with --data DIR`);
  }
}
