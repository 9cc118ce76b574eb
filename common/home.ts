// Where Sluice's own files are, in a clone and where it is installed.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Absolute path of the folder with Sluice's package.json. Compiled files lie one folder deeper than their sources. */
export const home = folderOfPackage(import.meta.dirname);

/** The version of this Sluice, and of the module that it comes with. */
export const version = versionOf(home);

/** Absolute path of one of its files. */
export function ownFile(...path: string[]): string {
  return join(home, ...path);
}

/** Whether this code is TypeScript, which needs tsx; what is installed was compiled. */
export const isSource = import.meta.url.endsWith('.ts');

/** Whether this is a clone, which can build the module; what is installed has it built already. */
export function isClone(): boolean {
  return existsSync(ownFile('filter', 'index.ts'));
}

function folderOfPackage(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`${start} is in no package`);
  }
}

/** The version in the package.json of a folder. */
export function versionOf(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Where what is made at run time is kept: beside the sources of a clone; of an installed package, where it is run. */
export function workFolder(): string {
  return isClone() ? home : process.cwd();
}
