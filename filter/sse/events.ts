import { CARRIAGE_RETURN, COLON, LINE_FEED, SPACE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, pointer, limit, length, startsWith, after, equals, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';

const DATA = literal('data');
const BOM = memory.data<u8>([0xef, 0xbb, 0xbf]);

/**
 * The events of a whole event stream (WHATWG HTML §9.2.6), as far as MCP uses them: their data. Events without data, such
 * as the priming event of MCP 2025-11-25, are skipped; the last event counts even where its blank line is missing, as
 * nothing can follow it any more.
 *
 *     stream = [ bom ] *event      event = *( comment / field ) end-of-line
 *     field  = 1*name-char [ colon [ space ] *any-char ] end-of-line      end-of-line = CRLF / LF / CR
 */
@unmanaged
export class Events {
  at: usize;
  end: usize;
  arena: Arena;
  data: Span;

  next(): bool {
    this.data = NONE;
    let joined: Writer | null = null;
    while (this.at < this.end) {
      const line = this.line();
      if (length(line) === 0) {
        if (length(this.data) > 0) return true;
        this.data = NONE;
        joined = null;
        continue;
      }
      const value = dataOf(line);
      if (value === NONE) continue;
      if (this.data === NONE) this.data = value;
      else {
        // Several data lines are one text with line feeds between; this is rare, one line is not copied.
        const writer: Writer =
          joined !== null ? joined : newWriter(this.arena, (length(this.data) as usize) * 2).bytes(this.data);
        writer.byte(LINE_FEED).bytes(value);
        this.data = writer.written;
        joined = writer;
      }
    }
    return length(this.data) > 0;
  }

  private line(): Span {
    const from = this.at;
    let at = from;
    while (at < this.end && load<u8>(at) !== LINE_FEED && load<u8>(at) !== CARRIAGE_RETURN) at++;
    const line = between(from, at);
    if (at < this.end) {
      const crlf = load<u8>(at) === CARRIAGE_RETURN && at + 1 < this.end && load<u8>(at + 1) === LINE_FEED;
      at += crlf ? 2 : 1;
    }
    this.at = at;
    return line;
  }
}

export function eventsIn(stream: Span, arena: Arena): Events {
  const events = make<Events>(arena);
  events.at = pointer(stream);
  events.end = limit(stream);
  events.arena = arena;
  if (length(stream) >= 3 && memory.compare(events.at, BOM, 3) === 0) events.at += 3;
  return events;
}

/** The value of a `data` field, or NONE where the line is another field or a comment. */
function dataOf(line: Span): Span {
  if (!startsWith(line, DATA)) return NONE;
  if (equals(line, DATA)) return after(line, 4);
  const rest = after(line, 4);
  if (load<u8>(pointer(rest)) !== COLON) return NONE;
  const value = after(rest, 1);
  return length(value) > 0 && load<u8>(pointer(value)) === SPACE ? after(value, 1) : value;
}
