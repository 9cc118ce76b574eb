// Reads an event stream, in time that grows with its length alone, in however many parts it comes.

/** An event that has data (WHATWG HTML §9.2.6). */
export interface StreamEvent {
  /** `message` where the stream says nothing. */
  readonly type: string;
  readonly data: string;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class EventReader {
  /** Pieces of the line that has not ended. */
  #line: Buffer[] = [];
  /** A line feed that comes next belongs to the end of the line before. */
  #isBehindReturn = false;
  #isFirstLine = true;
  #type = '';
  #data: string[] = [];

  /** Takes the next bytes. @returns the events that end with them */
  read(part: Buffer): StreamEvent[] {
    const events: StreamEvent[] = [];
    let from = 0;
    for (let at = 0; at < part.length; at++) {
      const byte = part[at];
      const isSecond = byte === lineFeed && this.#isBehindReturn;
      this.#isBehindReturn = byte === carriageReturn;
      if (byte !== lineFeed && byte !== carriageReturn) continue;
      if (!isSecond) this.#end(part.subarray(from, at), events);
      from = at + 1;
    }
    if (from < part.length) this.#line.push(part.subarray(from));
    return events;
  }

  #end(rest: Buffer, events: StreamEvent[]): void {
    const bytes = this.#line.length === 0 ? rest : Buffer.concat([...this.#line, rest]);
    this.#line = [];
    const text = bytes.toString('utf8');
    const line = this.#isFirstLine ? text.replace(/^\ufeff/, '') : text;
    this.#isFirstLine = false;
    if (line === '') this.#dispatch(events);
    else this.#readField(line);
  }

  #readField(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#type = value;
  }

  #dispatch(events: StreamEvent[]): void {
    const data = this.#data.join('\n');
    if (this.#data.length > 0) events.push({ type: this.#type === '' ? 'message' : this.#type, data });
    this.#data = [];
    this.#type = '';
  }
}
