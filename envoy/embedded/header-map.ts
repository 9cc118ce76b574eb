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
  /** Names and values in turns: a request changes dozens of them, and an object for each would be as many to collect. */
  readonly #list: string[] = [];

  constructor(entries: Iterable<Header> = []) {
    for (const [name, value] of entries) this.#list.push(name.toLowerCase(), value);
  }

  copy(): HeaderMap {
    const copy = new HeaderMap();
    for (const text of this.#list) copy.#list.push(text);
    return copy;
  }

  /** The first value of this name. */
  get(name: string): string | undefined {
    const at = this.#find(name);
    return at < 0 ? undefined : this.#list[at + 1];
  }

  getAll(name: string): string[] {
    const list = this.#list;
    const values: string[] = [];
    for (let at = 0; at < list.length; at += 2) if (list[at] === name) values.push(list[at + 1] ?? '');
    return values;
  }

  has(name: string): boolean {
    return this.#find(name) >= 0;
  }

  /** Adds an entry, whatever there is of this name. */
  add(name: string, value: string): void {
    this.#add(name.toLowerCase(), value);
  }

  /** As add, but names that Envoy keeps one of have their values joined by commas. (envoy: HeaderMapImpl, inline headers) */
  append(name: string, value: string): void {
    const key = name.toLowerCase();
    const before = inline.has(key) ? this.get(key) : undefined;
    if (before === undefined) this.#add(key, value);
    else this.set(key, `${before},${value}`);
  }

  /** One entry in the place of the first of this name, or at the end. */
  set(name: string, value: string): void {
    const key = name.toLowerCase();
    const at = this.#find(key);
    if (at < 0) {
      this.#add(key, value);
      return;
    }
    this.#list[at + 1] = value;
    this.#removeFrom(at + 2, key);
  }

  remove(name: string): void {
    this.#removeFrom(0, name);
  }

  /** Takes out all of several names. */
  removeAll(names: ReadonlySet<string>): void {
    const list = this.#list;
    for (let at = list.length - 2; at >= 0; at -= 2) if (names.has(list[at] ?? '')) list.splice(at, 2);
  }

  clear(): void {
    this.#list.length = 0;
  }

  get size(): number {
    return this.#list.length / 2;
  }

  /** Bytes of all names and values. */
  get byteSize(): number {
    let sum = 0;
    for (const text of this.#list) sum += text.length;
    return sum;
  }

  /** Names and values in turns, as they are now. */
  get flat(): readonly string[] {
    return this.#list;
  }

  /** Without an object for each entry, as an iterator has them. */
  forEach(act: (name: string, value: string) => void): void {
    const list = this.#list;
    for (let at = 0; at + 1 < list.length; at += 2) act(list[at] ?? '', list[at + 1] ?? '');
  }

  *[Symbol.iterator](): IterableIterator<Header> {
    const list = this.#list;
    for (let at = 0; at + 1 < list.length; at += 2) yield [list[at] ?? '', list[at + 1] ?? ''];
  }

  #add(key: string, value: string): void {
    if (key.startsWith(':')) this.#list.splice(this.#behindPseudo(), 0, key, value);
    else this.#list.push(key, value);
  }

  #find(name: string): number {
    const list = this.#list;
    for (let at = 0; at < list.length; at += 2) if (list[at] === name) return at;
    return -1;
  }

  #behindPseudo(): number {
    const list = this.#list;
    let at = 0;
    while (at < list.length && list[at]?.startsWith(':') === true) at += 2;
    return at;
  }

  /** Takes entries of this name out, from a place on. */
  #removeFrom(start: number, name: string): void {
    const list = this.#list;
    let kept = start;
    for (let at = start; at + 1 < list.length; at += 2) {
      if (list[at] === name) continue;
      if (kept !== at) {
        list[kept] = list[at] ?? '';
        list[kept + 1] = list[at + 1] ?? '';
      }
      kept += 2;
    }
    if (kept < list.length) list.length = kept;
  }
}
