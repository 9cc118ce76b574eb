export type Header = readonly [name: string, value: string];

/**
 * Headers in their order, repeated names included; pseudo-headers (`:path`) come first. Names are lower case, values are
 * bytes as latin1 text, the way Node has them. (envoy: HeaderMapImpl)
 */
export class HeaderMap {
  #entries: Header[];

  constructor(entries: Iterable<Header> = []) {
    this.#entries = Array.from(entries, ([name, value]) => [name.toLowerCase(), value] as const);
  }

  /** The first value of this name. */
  get(name: string): string | undefined {
    return this.#entries.find((entry) => entry[0] === name)?.[1];
  }

  getAll(name: string): string[] {
    return this.#entries.filter((entry) => entry[0] === name).map((entry) => entry[1]);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Adds an entry, whatever there is of this name. */
  add(name: string, value: string): void {
    this.#entries.push([name.toLowerCase(), value]);
  }

  /** One entry in the place of the first of this name, or at the end. */
  set(name: string, value: string): void {
    const key = name.toLowerCase();
    const at = this.#entries.findIndex((entry) => entry[0] === key);
    if (at < 0) {
      this.#entries.push([key, value]);
      return;
    }
    this.#entries = this.#entries.filter((entry, index) => entry[0] !== key || index === at);
    this.#entries[at] = [key, value];
  }

  remove(name: string): void {
    this.#entries = this.#entries.filter((entry) => entry[0] !== name);
  }

  clear(): void {
    this.#entries = [];
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Bytes of all names and values. */
  get byteSize(): number {
    return this.#entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  }

  [Symbol.iterator](): IterableIterator<Header> {
    return this.#entries[Symbol.iterator]();
  }
}
