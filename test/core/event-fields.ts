import { Window } from './chunks.ts';
import type { Core } from './core.ts';
import { fieldIn, linesOf } from './event-streams.ts';

const MORE = 0;
const EVENT_END = 2;
const FIELDS = ['other', 'comment', 'data', 'event', 'id', 'retry'];
const SEPARATORS = ['', ':', ': '];

/** What the module's parser of event streams tells. */
export class FieldReader {
  readonly #core: Core;
  readonly #chunk: Window;

  constructor(core: Core) {
    this.#core = core;
    this.#chunk = new Window(core, 1 << 16);
  }

  /** A line for each value, with the name of its field, and `end` for an event's end. */
  read(chunks: Iterable<Uint8Array>): string[] {
    const core = this.#core;
    const told: string[] = [];
    let pieces: Uint8Array[] = [];
    core.call('parserOpen');
    for (const chunk of chunks) {
      core.call('parserFeed', ...this.#chunk.show(chunk));
      for (let part = core.call('parserNext'); part !== MORE; part = core.call('parserNext')) {
        if (part === EVENT_END) {
          told.push('end');
          continue;
        }
        const value = core.bytes('parserValue');
        if (!value) throw new Error('a value without a place');
        if (core.call('parserBegins') !== Number(pieces.length === 0)) throw new Error('a value that begins twice');
        pieces.push(value);
        if (core.call('parserEnds') === 0) continue;
        const field = FIELDS[core.call('parserField')] ?? '';
        const separator = SEPARATORS[core.call('parserSeparator')] ?? '';
        told.push(`${field}${separator}|${Buffer.concat(pieces).toString()}`);
        pieces = [];
      }
    }
    return told;
  }
}

/** The same, found line by line. */
export function fieldsOf(stream: string): string[] {
  // What follows the last end of a line is no line yet.
  return linesOf(stream)
    .slice(0, -1)
    .map((line) => {
      if (line === '') return 'end';
      const { name, value } = fieldIn(line);
      const field = name === '' ? 'comment' : ['data', 'event', 'id', 'retry'].includes(name) ? name : 'other';
      return `${field}${/^[^:]*(: ?)/.exec(line)?.[1] ?? ''}|${value}`;
    });
}
