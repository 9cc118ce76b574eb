import { setTimeout as sleep } from 'node:timers/promises';
import { contentDigest, signatureHeader } from '../../plugin-server/index.ts';
import { CommandError, exitCode } from '../io.ts';
import { refusal, unanswered } from '../remote.ts';

/** How often a server is tried that is not there, or says that it will be. */
const tries = 5;

const triedText = ` (tried ${tries} times)`;

/** The pause after the first try, in ms; it doubles. */
export const firstPause = 500;

/** What says "later": everything else will be the same next time. */
const temporary: readonly number[] = [502, 503, 504];

/** Milliseconds for one try, with 256 MiB on a slow line. */
const timeout = 600_000;

/**
 * Puts a file on a plugin server. Tries again where the server is not there or says "later": what was published by a lost answer is there, and the same.
 * @param signature of the module, which goes with it
 */
export async function put(
  url: string,
  body: Buffer,
  token: string,
  progress: (line: string) => void,
  pause: number,
  signature?: Buffer,
): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-digest': contentDigest(body),
    ...(signature && { [signatureHeader]: signature.toString('base64') }),
  };
  for (let tried = 1; ; tried++) {
    const signal = AbortSignal.timeout(timeout);
    const outcome = await fetch(url, { method: 'PUT', headers, body, signal, redirect: 'error' }).catch(
      (error: unknown) => unanswered(url, error, tried === tries ? triedText : ''),
    );
    const isTemporary = typeof outcome === 'string' || temporary.includes(outcome.status);
    if (!isTemporary && outcome.ok) return outcome;
    const reason =
      typeof outcome === 'string' ? outcome : refusal(outcome, await outcome.json().catch(() => undefined));
    if (!isTemporary) throw new CommandError(reason, isOurs(outcome.status) ? exitCode.environment : exitCode.found);
    if (tried === tries) throw new CommandError(typeof outcome === 'string' ? reason : `${reason}${triedText}`);
    progress(`${reason}; trying again`);
    await sleep(pause * 2 ** (tried - 1));
  }
}

/** Whether the fault lies in the token or the server, and not in the module. */
function isOurs(status: number): boolean {
  return status === 401 || status === 403 || status >= 500;
}
