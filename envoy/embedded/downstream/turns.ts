import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is answered on a connection: a request, or, where there is none, bytes that cannot be read as one. */
interface Turn {
  readonly request?: IncomingMessage;
  readonly response?: ServerResponse;
  /** @param done to be called once the answer is out */
  readonly answer: (done: () => void) => void;
}

/**
 * The order of answers on one HTTP/1.x connection: a request that was sent before the answer to the one before it waits
 * for that, as in Envoy. Node would serve them all at once, and a call would run before the one that it follows.
 */
export class Turns {
  readonly #socket: Socket;
  #waiting: Turn[] = [];
  #current: Turn | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  take(turn: Turn): void {
    this.#waiting.push(turn);
    this.#next();
  }

  /** What came last cannot be read: answers that once all requests before it have been answered, and nothing behind it. */
  takeLast(answer: () => void): void {
    const isCut = ({ request }: Turn): boolean => request !== undefined && !request.complete;
    if (this.#current !== undefined && isCut(this.#current)) {
      if (this.#current.response?.headersSent === true) this.#socket.destroySoon();
      else answer();
      return;
    }
    this.#waiting = this.#waiting.filter((turn) => !isCut(turn));
    this.take({ answer });
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const turn = this.#waiting.shift();
    if (turn === undefined || !this.#socket.writable) return;
    this.#current = turn;
    turn.answer(() => {
      this.#current = undefined;
      this.#next();
    });
  }
}
