import { randomBytes } from 'node:crypto';

/** A key for sessions, as a variable that `sessions.keys` names holds it: 32 random bytes in base64url. */
export function newSessionKey(): string {
  return randomBytes(32).toString('base64url');
}
