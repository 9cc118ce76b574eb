import { dirname, resolve } from 'node:path';
import { parseToolsLock, pinsIn } from '../../common/tools-lock.ts';
import { readLimited } from './read-file.ts';

/**
 * Puts the digests of the lock file that `pins.file` names into `pins.tools`, as the module has no files.
 * @param configuration the file that the configuration is in, which a relative path starts from
 * @param wrong is told what is wrong with the lock file
 */
export function withPinsOfFile(
  plugin: Readonly<Record<string, unknown>>,
  configuration: string,
  wrong: (path: string, message: string) => void,
): Record<string, unknown> {
  const { pins } = plugin;
  if (!isObject(pins) || pins['file'] === undefined) return plugin;
  const { file, ...others } = pins;
  if (typeof file !== 'string') wrong('pins.file', 'expected the name of a file that sluice lock has written');
  else if (others['tools'] !== undefined) wrong('pins.file', 'goes without pins.tools: the lock file has the digests');
  else {
    try {
      const text = Buffer.from(readLimited(resolve(dirname(configuration), file))).toString();
      return { ...plugin, pins: { ...others, tools: pinsIn(parseToolsLock(text)) } };
    } catch (error) {
      wrong('pins.file', whyUnusable(file, error as NodeJS.ErrnoException));
    }
  }
  return { ...plugin, pins: others };
}

function whyUnusable(file: string, { code, message }: NodeJS.ErrnoException): string {
  if (code !== 'ENOENT') return `${file}: ${message}`;
  return `there is no ${file}: start the gateway without pins, let sluice lock write the file, and put pins back`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
