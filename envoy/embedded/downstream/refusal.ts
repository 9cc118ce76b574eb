/** A request that is refused before any filter sees it. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly details: string;
  /** The connection ends with it, whatever is configured: what follows could not be read. */
  readonly closes?: true;
}

/** What Envoy's codec answers where it cannot read a request. */
export function malformed(details: string): Refusal {
  return { status: 400, body: 'Bad Request', details, closes: true };
}
