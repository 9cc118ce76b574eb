// What the commands have in common that read one plugin configuration.
import { type ConfigurationFile, type Use, readConfiguration } from '../envoy/check/configuration.ts';
import type { SourceFile } from '../envoy/check/files.ts';
import { byPlace } from '../envoy/check/finding.ts';
import { askModuleOnce } from '../envoy/check/module.ts';
import { readLimited } from '../envoy/check/read-file.ts';
import { CommandError, exitCode } from './io.ts';

/** @param flag that named it, if one did. @throws CommandError (wrong use) where it cannot be read */
export function readSource(file: string, flag?: string): SourceFile {
  try {
    return { name: file, bytes: readLimited(file) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = file === '' ? 'expected the name of a file' : code === 'ENOENT' ? `there is no ${file}` : message;
    throw new CommandError(flag === undefined ? why : `${flag}: ${why}`, exitCode.usage);
  }
}

export interface Judging {
  readonly use: Use;
  /** Its bytes. */
  readonly module: Uint8Array;
  /** Asked in any case, or only where the configuration cannot be run, so that all errors are told at once. */
  readonly ask: 'always' | 'where wrong';
}

/**
 * Reads a plugin configuration, YAML or JSON, as `sluice check` does.
 * @throws CommandError with the place of each error
 */
export async function readJudged(
  { name, bytes }: SourceFile,
  { use, module, ask }: Judging,
): Promise<ConfigurationFile> {
  const { findings, report, configuration } = readConfiguration(name, bytes, use);
  const errors = (): typeof findings => findings.filter(({ severity }) => severity === 'error');
  const isUnreadable = errors().length > 0 || configuration?.file === undefined;
  if (configuration !== undefined && (ask === 'always' || isUnreadable))
    await askModuleOnce(module, { ...configuration, rootId: 'sluice' }, report);
  const found = errors().sort(byPlace);
  if (found.length === 0 && configuration?.file !== undefined) return configuration.file;
  const lines = found.map(({ line, column, path, message }) =>
    [`${name}:${line}:${column}`, path, message].filter((part) => part !== '').join(': '),
  );
  throw new CommandError(
    `the configuration has ${found.length === 1 ? 'an error' : `${found.length} errors`}`,
    exitCode.found,
    lines,
  );
}
