/** Asks for the end: Ctrl-C, a supervisor, a terminal that closes. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * One Ctrl-C may come twice: from the terminal, to the whole process group, and from npm or timeout, who pass theirs on.
 * A signal within this time after the first, in ms, is that echo.
 */
const echo = 300;

export interface StopSignals {
  /** Aborted by the first signal. */
  readonly stop: AbortSignal;
  /** Gives the signals back to whoever had them before, when no echo of the first one can come any more. */
  readonly release: () => void;
}

/**
 * Listens for the signals that ask for the end. The second one does not wait for it: `kill` runs, then the process exits
 * with 128 + the signal's number, as shells count.
 */
export function stopSignals(kill: () => void): StopSignals {
  const controller = new AbortController();
  let first = 0;
  const names = Object.keys(signals) as (keyof typeof signals)[];
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      first = performance.now();
      controller.abort();
      return;
    }
    if (performance.now() - first < echo) return;
    kill();
    process.exit(128 + signals[signal as keyof typeof signals]);
  };
  for (const name of names) process.on(name, onSignal);
  const giveBack = (): void => {
    for (const name of names) process.off(name, onSignal);
  };
  return {
    stop: controller.signal,
    release: () => {
      // Whoever stops quickly must not be killed by the echo of what it was stopped with.
      const left = controller.signal.aborted ? echo - (performance.now() - first) : 0;
      if (left > 0) setTimeout(giveBack, left).unref();
      else giveBack();
    },
  };
}
