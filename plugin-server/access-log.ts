import type { FastifyInstance } from 'fastify';

/** A request line may have some KiB; a log line need not. */
const longestField = 1024;

/** Writes one JSON object, without a line break, for each request that was answered or given up. */
export function logAccess(app: FastifyInstance, write: (line: string) => void): void {
  app.addHook('onResponse', (request, reply, done) => {
    // A POST that is not modified is a poll of a gateway that has everything: of a fleet, a hundred in a second.
    if (request.method === 'POST' && reply.statusCode === 304) {
      done();
      return;
    }
    const line = {
      time: new Date().toISOString(),
      method: request.method,
      path: request.url.slice(0, longestField),
      status: reply.statusCode,
      bytes: Number(reply.getHeader('content-length') ?? 0),
      ms: Math.round(reply.elapsedTime * 10) / 10,
      client: request.ip,
      agent: request.headers['user-agent']?.slice(0, longestField),
      request: request.id,
      // The client went away, or the server was told to stop, before the last byte was sent.
      ...(!reply.raw.writableFinished && { cut: true }),
    };
    write(JSON.stringify(line));
    done();
  });
}

/**
 * Collects lines and writes them together, at the latest after `delay` milliseconds: thousands of requests a second
 * would else be as many system calls.
 */
export function batched(
  write: (text: string) => void,
  delay = 100,
): { line: (line: string) => void; flush: () => void } {
  let text = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (text !== '') write(text);
    text = '';
  };
  const line = (line: string): void => {
    text += `${line}\n`;
    if (text.length > 64 * 1024) flush();
    else timer ??= setTimeout(flush, delay).unref();
  };
  return { line, flush };
}
