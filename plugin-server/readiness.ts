/** What one part says of itself; what else it wants to be seen goes beside `ready`. */
export interface PartState {
  readonly ready: boolean;
  readonly [detail: string]: unknown;
}

/** Collects whether the parts of the server can do their work: what `GET /readyz` answers. */
export class Readiness {
  readonly #parts = new Map<string, () => PartState>();
  #draining = false;

  /** @param state asked at each request, so it is to be cheap */
  add(part: string, state: () => PartState): void {
    this.#parts.set(part, state);
  }

  /** The server is on its way out: load balancers are to send nobody any more. */
  drain(): void {
    this.#draining = true;
  }

  report(): { readonly status: 'ready' | 'not ready' | 'draining'; readonly [part: string]: unknown } {
    const states = Array.from(this.#parts, ([part, state]) => [part, state()] as const);
    const ready = states.every(([, state]) => state.ready);
    const status = this.#draining ? 'draining' : ready ? 'ready' : 'not ready';
    return { status, ...Object.fromEntries(states) };
  }
}
