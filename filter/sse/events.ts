import { CARRIAGE_RETURN, LINE_FEED } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Field, newParser, Parser, Part } from './parser';

/** Ends the last line and the last event, where the stream does not. */
const MISSING_END = literal('\n\n');

/**
 * The events of a whole event stream, as far as MCP uses them: their data. Events without data, such as the priming
 * event of MCP 2025-11-25, are skipped; the last event counts even where its blank line is missing, as nothing can
 * follow it any more.
 */
@unmanaged
export class Events {
  parser: Parser;
  arena: Arena;
  data: Span;
  private isEnded: bool;

  next(): bool {
    const parser = this.parser;
    let joined: Writer | null = null;
    this.data = NONE;
    while (true) {
      const part = parser.next();
      if (part === Part.More) {
        if (this.isEnded) return false;
        this.isEnded = true;
        parser.feed(MISSING_END);
      } else if (part === Part.EventEnd) {
        if (length(this.data) > 0) return true;
        this.data = NONE;
        joined = null;
      } else if (parser.field === Field.Data && parser.begins) {
        // Where a value goes on behind the stream, nothing of it is there.
        const value = parser.value;
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
    }
  }
}

export function eventsIn(stream: Span, arena: Arena): Events {
  const events = make<Events>(arena);
  events.parser = newParser(arena);
  events.parser.feed(stream);
  events.arena = arena;
  return events;
}

/**
 * A whole event stream whose last event has its blank line: without one it is none to a client (HTML, server-sent events
 * §9.2.6), and some servers leave it out.
 */
export function completed(stream: Span, arena: Arena): Span {
  return length(stream) === 0 || endsWithBlankLine(stream)
    ? stream
    : newWriter(arena, length(stream) as usize)
        .bytes(stream)
        .bytes(MISSING_END).written;
}

/** A line ends with CR, LF, or both. */
function endsWithBlankLine(stream: Span): bool {
  const start = pointer(stream);
  let at = limit(stream);
  let ends = 0;
  for (; at > start && ends < 2; ends++) {
    const last: u32 = load<u8>(at - 1);
    if (last !== LINE_FEED && last !== CARRIAGE_RETURN) return false;
    at--;
    if (last === LINE_FEED && at > start && load<u8>(at - 1) === CARRIAGE_RETURN) at--;
  }
  return ends === 2;
}

const MESSAGE_EVENT = literal('event: message\n');
const DATA = literal('data: ');
const DATA_LINE = literal('\ndata: ');

/** Writes a message as an event. */
export function writeMessageEvent(out: Writer, message: Span): Writer {
  return writeData(out.bytes(MESSAGE_EVENT).bytes(DATA), message).bytes(MISSING_END);
}

/** White space of a message may be line breaks: each of its lines is one of data, the first of which has begun. */
export function writeData(out: Writer, message: Span): Writer {
  let from = pointer(message);
  for (let at = from; at < limit(message); at++) {
    const c = load<u8>(at);
    if (c !== LINE_FEED && c !== CARRIAGE_RETURN) continue;
    out.bytes(between(from, at)).bytes(DATA_LINE);
    from = at + 1;
  }
  return out.bytes(between(from, limit(message)));
}
