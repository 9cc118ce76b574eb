import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { envoyYaml } from '../../envoy/yaml/write.ts';
import { CommandError, exitCode } from '../io.ts';
import { whyUnwritable } from '../unwritable.ts';

/**
 * Writes files of YAML into a directory, which is made where it is not there. None that is there is written over.
 * @returns their paths
 * @throws CommandError (wrong use)
 */
export function writeInto(directory: string, files: ReadonlyMap<string, object>): string[] {
  try {
    return [...files].map(([name, content]) => {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeNew(path, envoyYaml(content));
      return path;
    });
  } catch (error) {
    const { code, path = directory } = error as NodeJS.ErrnoException;
    const advice = 'remove it, or name another directory';
    const why =
      code === 'EEXIST' ? `${path} is there already, and is not written over: ${advice}` : whyUnwritable(path, error);
    throw new CommandError(`--into: ${why}`, exitCode.usage);
  }
}

/** Nothing is left of what could not be written whole. */
function writeNew(path: string, text: string): void {
  const file = openSync(path, 'wx');
  try {
    writeFileSync(file, text);
  } catch (error) {
    rmSync(path, { force: true });
    throw Object.assign(error as Error, { path });
  } finally {
    closeSync(file);
  }
}
