/** Why Envoy would not load a module: the message is Envoy's own, `cause` is what Envoy keeps to itself. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  /** What Envoy writes to its log, level error, component `wasm`: a line each. */
  readonly log: readonly string[];

  constructor(message: string, log: readonly string[], cause?: unknown) {
    super(message, { cause });
    this.log = log;
  }
}

/** Refused before anything was linked. */
export function unloadable(message: string, cause?: unknown): LoadError {
  return new LoadError(message, [`Wasm VM failed ${message}`, 'Wasm VM failed Failed to load Wasm code'], cause);
}

/** Refused while it was linked; `log` where that is not the message. */
export function unlinkable(message: string, cause?: unknown, log: readonly string[] = [message]): LoadError {
  return new LoadError(message, [...log, 'Wasm VM failed Failed to initialize Wasm code'], cause);
}
