/** Where a command writes. `out` is its result (with `--json`: events and nothing else), `err` everything for people. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Progress is shown to a person at a terminal only. */
  readonly interactive: boolean;
  readonly env: NodeJS.ProcessEnv;
}

// A reader that has seen enough, as `head` has, is gone: what runs for it ends as it does on a signal.
let isUnread = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isUnread) process.kill(process.pid, 'SIGTERM');
    isUnread = true;
  });
}

export const processIo: Io = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  interactive: process.stderr.isTTY,
  env: process.env,
};

/** What a command's exit code says. */
export const exitCode = { ok: 0, found: 1, usage: 2, environment: 3 } as const;

/** A failure that is told in one line, and the exit code that goes with it; `details` are the lines that prove it. */
export class CommandError extends Error {
  readonly exitCode: number;
  readonly details: readonly string[];

  constructor(message: string, code: number = exitCode.environment, details: readonly string[] = []) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = code;
    this.details = details;
  }
}
