// Which keys may have signed what comes in, for the commands that take something in.
import { readFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { SignatureError, type TrustedKey, publicKey } from '../common/signature.ts';
import { CommandError, exitCode } from './io.ts';
import { whyUnreadable } from './unreadable.ts';

/** Files of keys, as in PATH: where it is set, a machine takes nothing in that none of these keys signed. */
export const trustedKeysVariable = 'SLUICE_TRUSTED_KEYS';

/** The files of the keys that are trusted: those of the options, else those of the environment. */
export function trustedKeyFiles(options: readonly string[], env: NodeJS.ProcessEnv): readonly string[] {
  if (options.length > 0) return options;
  return (env[trustedKeysVariable] ?? '').split(delimiter).filter((file) => file !== '');
}

/** @throws CommandError for a file that is not there, or no key */
export async function readTrustedKeys(files: readonly string[]): Promise<TrustedKey[]> {
  return Promise.all(files.map(async (file) => publicKeyIn(await textOf(file), file)));
}

/** @throws CommandError */
function publicKeyIn(pem: string, file: string): TrustedKey {
  try {
    return publicKey(pem, file);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new CommandError(error.message, exitCode.environment);
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(whyUnreadable(file, error));
  }
}
