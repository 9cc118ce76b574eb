import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isClone, ownFile } from '../common/home.ts';
import { CommandError, exitCode } from './io.ts';

export interface OwnModule {
  /** Absolute path. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, lower-case hex. */
  readonly digest: string;
}

/** A file to be taken instead, such as build/debug/plugin.wasm. */
const moduleVariable = 'SLUICE_MODULE';

/**
 * The module of this Sluice: a clone builds it of its sources as they are now, an installed package brought it along.
 * @param signal ends a build under way
 * @throws CommandError with the compiler's messages
 */
export async function ownModule(
  progress: (line: string) => void,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<OwnModule> {
  const named = env[moduleVariable];
  if (named !== undefined) return read(resolve(named), `${moduleVariable} names no module`);
  if (!isClone()) return read(ownFile('build/plugin.wasm'), 'this package is not whole, install it again');
  progress('building the module …');
  // The compiler is there in a clone only.
  const { BuildError, build } = await import('../scripts/build.ts');
  try {
    return (await build(undefined, { ...(signal && { signal }) })).plugin;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    throw new CommandError(error.message, exitCode.environment, error.details);
  }
}

function read(file: string, otherwise: string): OwnModule {
  try {
    const bytes = readFileSync(file);
    return { file, bytes, digest: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    throw new CommandError(`${otherwise}: ${(error as Error).message}`);
  }
}
