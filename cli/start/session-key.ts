import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWhole } from '../create-whole.ts';
import { CommandError } from '../io.ts';
import { newSessionKey } from '../new-session-key.ts';

/** The variable that `start` passes its session key in. */
export const sessionKeyVariable = 'SLUICE_KEY_1';

/**
 * The session key of this data directory: 32 random bytes as base64url, made at the first call and kept, so that
 * sessions survive a restart. Only its owner can read the file.
 * @throws CommandError where the file holds something else
 */
export function sessionKey(dataDirectory: string): string {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const file = join(dataDirectory, 'session-key');
  createWhole(file, `${newSessionKey()}\n`); // or another start was quicker
  const key = readFileSync(file, 'utf8').trim();
  if (!/^[\w-]{43}$/.test(key)) {
    throw new CommandError(`${file} does not hold a key of 32 bytes in base64url: remove it, and a new one is made`);
  }
  return key;
}
