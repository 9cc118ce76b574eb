import type { Core } from './core.ts';

/** What stands behind a chunk, in turn: no text, a letter, a quote. Whoever reads it goes on too far or ends too early. */
const FOREIGN = [0xff, 0x61, 0x22];
const MARGIN = 64;

/** Where one chunk after the other is shown, as a host does; behind each stands what is not part of it. */
export class Window {
  readonly #core: Core;
  readonly #pointer: number;
  readonly #size: number;
  #shown = 0;

  constructor(core: Core, size: number) {
    this.#core = core;
    this.#size = size;
    this.#pointer = core.reserve(size + MARGIN);
  }

  /** Address and length of the chunk, until the next one is shown. */
  show(chunk: Uint8Array): [pointer: number, length: number] {
    if (chunk.length > this.#size) throw new Error(`a chunk of ${chunk.length} bytes in a window of ${this.#size}`);
    const memory = this.#core.memory;
    memory.set(chunk, this.#pointer);
    memory.fill(
      FOREIGN[this.#shown++ % FOREIGN.length] ?? 0,
      this.#pointer + chunk.length,
      this.#pointer + chunk.length + MARGIN,
    );
    return [this.#pointer, chunk.length];
  }
}

/** The ways in which bytes are fed: whole, cut in two at every byte, byte by byte with empty chunks between. */
export function* feedings(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  for (let cut = 1; cut < bytes.length; cut++) yield [bytes.subarray(0, cut), bytes.subarray(cut)];
  yield [...bytes].flatMap((_, at) => [bytes.subarray(at, at + 1), bytes.subarray(0, 0)]);
}

/** Cut at several places, in any order. */
export function cutAt(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((cut, i) => bytes.subarray(cuts[i], cut));
}
