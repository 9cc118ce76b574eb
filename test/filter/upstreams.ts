import type { Callout } from './callouts.ts';
import type { Listener } from './listener.ts';
import { type Answer, section } from './messages.ts';

/** The upstreams of one exchange: what they are asked is written down, and what they answer comes in its order. */
export class Upstreams {
  readonly seen: string[] = [];
  readonly #listener: Listener;
  readonly #answers: Answer[];
  readonly #told = new Set<Callout>();

  constructor(listener: Listener, answers: Answer[]) {
    this.#listener = listener;
    this.#answers = answers;
  }

  /** Time passes, and all that waits for an answer gets one. */
  settle(): void {
    const listener = this.#listener;
    listener.tick();
    this.#tell();
    while (listener.pending.length > 0) {
      const answer = this.#answers.shift();
      const callout = listener.pending.find(({ cluster }) => cluster === answer?.cluster);
      if (answer === undefined || callout === undefined) {
        throw new Error(`no answer for ${listener.pending[0]?.cluster ?? ''}, or one that nobody waits for`);
      }
      listener.wait(answer.after);
      listener.answer(callout, answer.to(callout));
      this.#tell();
    }
  }

  /** Twenty ticks: what looks wrong for so long is believed to be. */
  waitASecond(): void {
    for (let tick = 0; tick < 20; tick++) this.#listener.tick();
    this.settle();
  }

  #tell(): void {
    for (const callout of this.#listener.pending) {
      if (this.#told.has(callout)) continue;
      this.#told.add(callout);
      const { cluster, timeout, headers, body } = callout;
      this.seen.push(section(`callout ${cluster} ${timeout} ms`, headers, body));
    }
  }

  /** @throws where an answer is left */
  end(): void {
    if (this.#answers.length > 0) throw new Error(`${this.#answers.length} answers that nobody asked for`);
  }
}
