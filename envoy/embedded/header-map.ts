export type Header = readonly [name: string, value: string];

/** Names of which Envoy keeps one, as far as a client, a server or a filter may repeat them. (envoy: header_map.h) */
const inline = new Set([
  ...[':authority', ':method', ':path', ':scheme', ':status', 'connection', 'content-length', 'content-type', 'date'],
  ...['expect', 'grpc-message', 'grpc-status', 'grpc-timeout', 'host', 'keep-alive', 'location', 'proxy-connection'],
  ...['server', 'te', 'transfer-encoding', 'upgrade', 'user-agent', 'via', 'x-forwarded-for', 'x-forwarded-host'],
  ...[
    'x-forwarded-proto',
    'x-request-id',
    'accept',
    'accept-encoding',
    'authorization',
    'cache-control',
    'etag',
    'origin',
  ],
]);

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
    const key = name.toLowerCase();
    const behind = this.#entries.findIndex((entry) => !entry[0].startsWith(':'));
    if (key.startsWith(':') && behind >= 0) this.#entries.splice(behind, 0, [key, value]);
    else this.#entries.push([key, value]);
  }

  /** As add, but names that Envoy keeps one of have their values joined by commas. (envoy: HeaderMapImpl, inline headers) */
  append(name: string, value: string): void {
    const key = name.toLowerCase();
    const before = inline.has(key) ? this.get(key) : undefined;
    if (before === undefined) this.add(key, value);
    else this.set(key, `${before},${value}`);
  }

  /** One entry in the place of the first of this name, or at the end. */
  set(name: string, value: string): void {
    const key = name.toLowerCase();
    const at = this.#entries.findIndex((entry) => entry[0] === key);
    if (at < 0) {
      this.add(key, value);
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
