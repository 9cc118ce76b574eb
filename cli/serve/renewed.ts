import type { Log } from '../../plugin-server/index.ts';
import { readSecret } from '../secret.ts';

/** Milliseconds between two looks: a Secret of Kubernetes that changed is no event on every volume. */
const lookEvery = 5_000;

/** What is made of files that may change while the server runs. */
export interface Renewed<T> {
  readonly value: () => T;
  /** Reads the files now; never rejects. */
  readonly renew: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Makes something of files, now and whenever their content changes. What cannot be used then is told, and what was
 * there before stays. Throws `secret_unusable` if it cannot be made at the start.
 * @param make may throw
 */
export async function renewed<T>(
  files: readonly string[],
  make: (texts: readonly string[]) => T,
  log: Log,
): Promise<Renewed<T>> {
  const read = (): Promise<string[]> => Promise.all(files.map(readSecret));
  let texts = await read();
  let value = make(texts);
  let told = '';
  const renew = async (): Promise<void> => {
    try {
      const now = await read();
      if (now.every((text, index) => text === texts[index])) return;
      texts = now; // also what cannot be used: nothing is made of it twice
      value = make(now);
      log.info({ files }, 'read again');
      told = '';
    } catch (error) {
      const { message } = error as Error;
      if (message !== told) log.error({ files }, `what was read before stays in use: ${message}`);
      told = message;
    }
  };
  const timer = setInterval(() => void renew(), lookEvery).unref();
  const close = (): void => {
    clearInterval(timer);
  };
  return { value: () => value, renew, close };
}
