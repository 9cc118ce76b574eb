// What was done to a gateway while clients used it: what makes an answer right that would be wrong otherwise.

interface Interval {
  readonly from: number;
  /** Infinity while it lasts. */
  to: number;
}

/** Times are those of `performance.now`. */
export class History {
  readonly #troubles = new Map<string, Interval[]>();

  /** @param what the name of a server, or another thing that clients depend on; @returns ends the trouble */
  begin(what: string): () => void {
    const interval = { from: performance.now(), to: Infinity };
    this.#troubles.set(what, [...(this.#troubles.get(what) ?? []), interval]);
    return () => {
      interval.to = performance.now();
    };
  }

  /** Whether there was trouble with it between two times. @param grace how long after its end it is still noticed, ms */
  had(what: string, from: number, to: number, grace = 0): boolean {
    return (this.#troubles.get(what) ?? []).some((one) => one.from <= to && one.to + grace >= from);
  }
}
