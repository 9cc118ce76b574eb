/**
 * Something that keeps the gateway from running, said in one line; `details` are the lines that prove it (Envoy's or the
 * module's own words). `configuration`: the user's text is at fault; `environment`: the machine is.
 */
export class EngineError extends Error {
  readonly kind: 'configuration' | 'environment';
  readonly details: readonly string[];

  constructor(message: string, kind: EngineError['kind'] = 'environment', details: readonly string[] = []) {
    super(message);
    this.name = 'EngineError';
    this.kind = kind;
    this.details = details;
  }
}
