/** One thing that is wrong with a configuration. */
export interface Problem {
  /** Where, as a reader would write it: `servers[2].prefix`; empty for the whole. */
  readonly path: string;
  /** What is wrong, and where that can be known, what was meant. Follows the path and a colon in a sentence. */
  readonly message: string;
  /** An error keeps the gateway from running as it is meant to; a warning is for someone to decide about. */
  readonly severity: 'error' | 'warning';
  /** In the file, from 1; where the place is known. */
  readonly line?: number;
  readonly column?: number;
}
