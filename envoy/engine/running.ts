export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A gateway that serves, whatever engine runs it. */
export interface RunningEngine {
  /** The id of the process that serves: an Envoy's, or this one's. */
  readonly pid: number;
  /** `1.40.0`: Envoy's version, or the one whose behaviour is reproduced. */
  readonly version: string;
  /** `http://127.0.0.1:9901` */
  readonly adminUrl: string;
  /** Each listener's name and the address that it is bound to, `127.0.0.1:10000`: the real port where 0 was asked. */
  readonly listeners: ReadonlyMap<string, string>;
  /** What the engine and its access log wrote so far, the last 16 MiB of it. */
  log(): string;
  /** Resolves when it is gone, whoever ended it. */
  readonly exited: Promise<Exit>;
  /** Ends it in good order. Resolves when all of it is gone; may be called at any time. */
  stop(): Promise<void>;
  /** Ends it without ceremony. */
  kill(): void;
}

/** `exit code 1`, `SIGKILL` */
export function describeExit({ code, signal }: Exit): string {
  return signal ?? `exit code ${String(code)}`;
}
