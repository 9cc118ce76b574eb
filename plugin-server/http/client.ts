// What every client of another server has to mind.

/** A body that is larger than it may be. */
export class TooLarge extends Error {}

/**
 * Reads a body as it comes, up to a limit.
 * @param limit bytes
 * @throws TooLarge in a sentence that begins with the other side ("it sends more than …")
 */
export async function bodyOf(response: Response, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    size += bytes.length;
    if (size > limit) throw new TooLarge(`it sends more than the ${limit} bytes that it may`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, size);
}

/** The value of a JSON text; `undefined` where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch says no more than that it failed; why is in the causes. */
export function failureText(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error & { code?: string } };
  return cause === undefined ? message : `${message}: ${cause.code ?? cause.message}`;
}

/** Waits, or until `stop`. */
export function wait(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds).unref();
    stop.addEventListener('abort', done);
  });
}
