// What a fuzzer draws its inputs from. It makes some hundred thousand a second, which generators that can shrink do not.

export class Draw {
  readonly #random: () => number;

  /** @param random numbers from 0 to 1, such as `randomness` of a seed */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** From 0 to `below`, which is not reached. */
  number(below: number): number {
    return Math.floor(this.#random() * below);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  one<T>(all: readonly T[]): T {
    return all[this.number(all.length)] as T;
  }

  /** A JSON text. @param levels how deep it may nest */
  json(levels: number): string {
    const kind = this.number(levels > 0 ? 9 : 6);
    if (kind === 0) return this.one(['true', 'false', 'null', '0', '-1', '1.5', '1e3', '-0', '9007199254740993']);
    if (kind === 1) return String(this.number(1e9));
    if (kind < 6) return this.string();
    const count = this.number(4);
    if (kind === 6) return this.list('[', ']', count, () => this.json(levels - 1));
    return this.list('{', '}', count, () => `${this.string()}${this.space()}:${this.space()}${this.json(levels - 1)}`);
  }

  list(open: string, close: string, count: number, each: () => string): string {
    const all = Array.from({ length: count }, () => `${this.space()}${each()}${this.space()}`);
    return `${open}${all.join(',')}${close}`;
  }

  space(): string {
    return this.chance(0.9) ? '' : this.one([' ', '\n', '\t', '\r\n', '    ', ' '.repeat(40)]);
  }

  /** A JSON string of any characters and spellings, mostly short ones. */
  string(): string {
    let text = '';
    for (let count = this.number(4); count > 0; count--) text += this.one(texts);
    if (this.chance(0.01)) text += 'long '.repeat(this.number(200));
    return `"${text}"`;
  }

  /** The JSON string of a text, some of its letters written as escapes. */
  spelled(text: string): string {
    if (this.chance(0.9)) return `"${text}"`;
    const letters = Array.from(text, (letter) =>
      this.chance(0.3) && letter.length === 1 ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
    );
    return `"${letters.join('')}"`;
  }

  /** The same bytes with up to three slips: some missing, others, more of them, or twice. */
  damaged(bytes: Buffer): Buffer {
    let damaged = bytes;
    for (let count = 1 + this.number(3); count > 0; count--) {
      const at = this.number(damaged.length + 1);
      const end = Math.min(at + this.number(8), damaged.length);
      const put = this.one([Buffer.alloc(0), Buffer.of(this.number(256)), this.one(slips), damaged.subarray(at, end)]);
      damaged = Buffer.concat([damaged.subarray(0, at), put, damaged.subarray(this.chance(0.5) ? at : end)]);
    }
    return damaged;
  }

  /** Bytes in up to eight parts, some of them empty. */
  cut(bytes: Uint8Array): Uint8Array[] {
    const places = Array.from({ length: this.number(8) }, () => this.number(bytes.length + 1)).sort((a, b) => a - b);
    const ends = [...places, bytes.length];
    return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
  }
}

const texts = [
  ...['a', 'b', 'name', 'weather_get', 'é', '€', '😀', '\u2028', '\ufeff', '\x7f', ' ', '{', '}', '[', ']', ',', ':'],
  ...['\\"', '\\\\', '\\/', '\\b', '\\n', '\\u0000', '\\u0061', '\\uD800', '\\udc00', '\\ud83d\\ude00', '\\u00E9'],
];

const slips = [
  ...['"', '\\', '{', '}', '[', ']', ',', ':', '\0', '\x1f', '-', '.', 'e', '0', ' ', '\n', '\r', '\\u', '\\ud8'],
  ...['"id":1,', ',"name":"x"', 'null', '"METHOD":', '{}', '[[[['],
].map((text) => Buffer.from(text));
slips.push(Buffer.of(0xc3), Buffer.of(0xff), Buffer.of(0xed, 0xa0, 0x80), Buffer.of(0xef, 0xbb, 0xbf));
