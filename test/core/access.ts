import { type Core, instance } from './core.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf8', { fatal: true });

export type Headers = readonly (readonly [name: string, value: string])[];

/** The access of a gateway: what is decided on a request's headers before anything else is looked at. */
export class Access {
  readonly #core: Core = instance();

  /** @returns what is wrong with the configuration */
  configure(configuration: unknown): string[] {
    const count = this.#call('accessConfigure', JSON.stringify(configuration));
    return Array.from({ length: count }, (_, index) => {
      this.#core.call('accessProblem', index);
      return this.#text();
    });
  }

  hostAllowed(hosts: readonly string[], authority: string, address: string): boolean {
    return this.#call('accessHostAllowed', hosts.join(' '), authority, address) !== 0;
  }

  originAllowed(origins: readonly string[], origin: string, authority: string): boolean {
    return this.#call('accessOriginAllowed', origins.join(' '), origin, authority) !== 0;
  }

  /** @returns the reply, or undefined where the request may go on */
  enter(headers: Headers, address = '127.0.0.1:10000', identified = true): Reply | undefined {
    const packed = this.#put(packHeaders(headers));
    const status = this.#core.call('accessEnter', ...packed, ...this.#put(encoder.encode(address)), identified);
    const reply = status === 0 ? undefined : { status, headers: new Map(unpackHeaders(this.#bytes())) };
    this.#core.clear();
    return reply;
  }

  /** The headers that are set, and those that are removed. */
  shareResponse(headers: Headers, page = ''): { set: Map<string, string>; removed: string[] } {
    this.#core.call('accessShareResponse', ...this.#put(packHeaders(headers)), ...this.#put(encoder.encode(page)));
    const edits = unpackHeaders(this.#bytes());
    this.#core.clear();
    return {
      set: new Map(edits.filter(([, value]) => value !== '')),
      removed: edits.filter(([, value]) => value === '').map(([name]) => name),
    };
  }

  routerReply(details: string): string {
    this.#call('accessRouterReply', details);
    return this.#text();
  }

  isSubject(bytes: Uint8Array): boolean {
    return this.#call('accessIsSubject', bytes) !== 0;
  }

  subjectIn(headers: Headers, name: string): string {
    this.#core.call('accessSubjectIn', ...this.#put(packHeaders(headers)), ...this.#put(encoder.encode(name)));
    const subject = this.#text();
    this.#core.clear();
    return subject;
  }

  boundTo(issuer: string, subject: string): Buffer {
    this.#call('accessBoundTo', issuer, subject);
    return Buffer.from(this.#bytes());
  }

  #call(name: string, ...texts: (string | Uint8Array)[]): number {
    const parameters = texts.flatMap((text) => this.#put(typeof text === 'string' ? encoder.encode(text) : text));
    const found = this.#core.call(name, ...parameters);
    this.#core.clear();
    return found;
  }

  #put(bytes: Uint8Array): [pointer: number, length: number] {
    return [this.#core.put(bytes), bytes.length];
  }

  #bytes(): Uint8Array {
    return this.#core.get(this.#core.call('accessResult'), this.#core.call('accessResultLength'));
  }

  #text(): string {
    return decoder.decode(this.#bytes());
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** As the ABI hands a header map over. */
function packHeaders(headers: Headers): Uint8Array {
  const pairs = headers.map(([name, value]) => [encoder.encode(name), encoder.encode(value)] as const);
  const sizes = new Uint32Array([pairs.length, ...pairs.flatMap(([name, value]) => [name.length, value.length])]);
  const texts = pairs.flatMap(([name, value]) => [...name, 0, ...value, 0]);
  return Uint8Array.from([...new Uint8Array(sizes.buffer), ...texts]);
}

function unpackHeaders(packed: Uint8Array): [name: string, value: string][] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const count = packed.length === 0 ? 0 : view.getUint32(0, true);
  let at = 4 + count * 8;
  const take = (length: number): string => {
    const text = decoder.decode(packed.subarray(at, at + length));
    at += length + 1;
    return text;
  };
  return Array.from({ length: count }, (_, index) => {
    const name = take(view.getUint32(4 + index * 8, true));
    return [name, take(view.getUint32(8 + index * 8, true))];
  });
}
