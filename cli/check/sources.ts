import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { SourceFile } from '../../envoy/check/files.ts';
import { readLimited } from '../../envoy/check/read-file.ts';
import { ownFile } from '../../common/home.ts';
import { withAdvice } from '../file-errors.ts';
import { CommandError, exitCode } from '../io.ts';

/** The most files of one run. */
const mostFiles = 1_000;

/** What a directory of live delivery has for each node cluster. */
const gatewayFile = 'sluice.yaml';

/**
 * Reads what the command line names: files, and of directories their configurations.
 * @throws CommandError (wrong use) for what cannot be read
 */
export function readSources(paths: readonly string[]): SourceFile[] {
  const files = [...new Set(paths.length === 0 ? shipped() : paths.flatMap(filesOf))];
  if (files.length > mostFiles)
    throw wrong(`${files.length} files are too many: at most ${mostFiles} are checked at once`);
  return files.map((name) => {
    try {
      return { name, bytes: readLimited(name) };
    } catch (error) {
      throw wrong(withAdvice(error as Error));
    }
  });
}

/** The configurations in envoy/, named as seen from here. */
function shipped(): string[] {
  const folder = ownFile('envoy');
  const folders = [folder, join(folder, 'istio')].filter((candidate) => existsSync(candidate));
  return folders.flatMap(configurationsIn).map((file) => relative('', file));
}

function filesOf(path: string): string[] {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(path).isDirectory();
  } catch (error) {
    throw wrong((error as NodeJS.ErrnoException).code === 'ENOENT' ? `there is no ${path}` : (error as Error).message);
  }
  if (!isDirectory) return [path];
  const gateways = entriesOf(path)
    .map((name) => join(path, name, gatewayFile))
    .filter((file) => existsSync(file));
  const files = [...configurationsIn(path), ...gateways];
  if (files.length === 0) throw wrong(`${path} has no .yaml, .yml or .json, and no */${gatewayFile}`);
  return files;
}

function configurationsIn(folder: string): string[] {
  return entriesOf(folder)
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .map((name) => join(folder, name));
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    throw wrong(withAdvice(error as Error));
  }
}

function wrong(message: string): CommandError {
  return new CommandError(`${message} (sluice check --help lists what can be checked)`, exitCode.usage);
}
