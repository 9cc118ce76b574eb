import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { envoyYaml } from '../../envoy/yaml/write.ts';
import { CommandError, exitCode } from '../io.ts';

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
      writeFileSync(path, envoyYaml(content), { flag: 'wx' });
      return path;
    });
  } catch (error) {
    const { code, message, path = directory } = error as NodeJS.ErrnoException;
    const advice = 'remove it, or name another directory';
    const why = code === 'EEXIST' ? `${path} is there already, and is not written over: ${advice}` : message;
    throw new CommandError(`--into: ${why}`, exitCode.usage);
  }
}
