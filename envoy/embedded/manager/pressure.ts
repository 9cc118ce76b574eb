/** Who wants to know that the response's way is blocked: its client, or a filter that holds it, is slow. */
export class Pressure {
  readonly #listeners: ((slow: boolean) => void)[] = [];

  listen(listener: (slow: boolean) => void): void {
    this.#listeners.push(listener);
  }

  tell(slow: boolean): void {
    for (const listener of this.#listeners) listener(slow);
  }
}
