// What the commands that talk to a plugin server share.
import { originIn } from '../common/origin.ts';
import { failureText } from '../plugin-server/http/client.ts';
import type { Io } from './io.ts';
import { readSecret, tokenVariable } from './secret.ts';

/** The origin of a plugin server. @throws Error that names the flag */
export function parseOrigin(flag: string, value: string): string {
  const origin = originIn(value);
  if (origin !== undefined) return origin;
  // Whoever put a password into it is not to find it in a log.
  const found = value.includes('@') ? 'one with something else in it' : JSON.stringify(value);
  throw new Error(`${flag} takes the URL of a plugin server, like http://127.0.0.1:8801, not ${found}`);
}

/**
 * The token that a command shows the server.
 * @param file absent: the environment has it
 * @returns undefined where there is none
 */
export async function tokenOf(file: string | undefined, io: Io): Promise<string | undefined> {
  const text = file === undefined ? (io.env[tokenVariable] ?? '') : await readSecret(file);
  // A file that the server reads, with names, will do as well: its first token is taken.
  const line = text.split('\n').find((each) => each.trim() !== '' && !each.trim().startsWith('#'));
  return line?.trim().split(/\s+/).at(-1);
}

/**
 * Why a plugin server refuses a request.
 * @param answer the body that it answered with, or what could be read of it
 */
export function refusal({ url, status }: Response, answer: unknown): string {
  const said = (answer as { error?: { message?: unknown } } | null | undefined)?.error?.message;
  return typeof said === 'string' ? said : `${url} answered ${status}, and not as a plugin server does`;
}

/** What Node says of a certificate that no authority known to it has signed. */
const unknownAuthority = /SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)/;

/**
 * Why a plugin server gave no answer, and what to do.
 * @param note stands behind the reason
 */
export function unanswered(url: string, error: unknown, note = ''): string {
  const reason = failureText(error);
  const advice = unknownAuthority.test(reason)
    ? 'name the file of the authority that signed its certificate in NODE_EXTRA_CA_CERTS'
    : 'see whether the plugin server runs, and compare the URL with the one that it printed';
  return `${url}: ${reason}${note}; ${advice}`;
}
