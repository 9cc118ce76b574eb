import type { Counter, Gauge, Stats } from '../stats.ts';

/** Counts the requests of a listener; its statistics are looked up by their names once, not by each request. */
export class RequestStats {
  readonly #stats: Stats;
  readonly #prefix: string;
  readonly #active: Gauge;
  readonly #total: Counter;
  /** By the first digit of the status. */
  readonly #classes = new Map<number, Counter>();

  constructor(stats: Stats, statPrefix: string) {
    this.#stats = stats;
    this.#prefix = `http.${statPrefix}.`;
    this.#active = stats.gauge(`${this.#prefix}downstream_rq_active`);
    this.#total = stats.counter(`${this.#prefix}downstream_rq_total`);
  }

  begin(): void {
    this.#total.add(1n);
    this.#active.add(1n);
  }

  /** @param status undefined: there was no response */
  end(status = 0): void {
    this.#active.add(-1n);
    if (status > 0) this.#classOf(Math.floor(status / 100)).add(1n);
  }

  #classOf(digit: number): Counter {
    const known = this.#classes.get(digit);
    if (known !== undefined) return known;
    const counter = this.#stats.counter(`${this.#prefix}downstream_rq_${digit}xx`);
    this.#classes.set(digit, counter);
    return counter;
  }
}
