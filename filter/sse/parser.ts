import { CARRIAGE_RETURN, COLON, LINE_FEED, SPACE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, limit, pointer } from '../bytes/span';

/** What the parser of an event stream finds. */
export const enum Part {
  /** Nothing more in this chunk. */
  More,
  /** The value of a field or a comment, or the piece of it that stands in this chunk. */
  Value,
  /** A blank line, which ends the event: a client acts on it now. */
  EventEnd,
}

/** The fields that have a meaning; their names are written in small letters alone (WHATWG HTML §9.2.6). */
export const enum Field {
  Other,
  Comment,
  Data,
  Event,
  Id,
  Retry,
}

/** What stands between the name of a field and its value. */
export const enum Separator {
  /** A name alone, whose value is empty. */
  Absent,
  Colon,
  ColonAndSpace,
}

const enum State {
  InName,
  /** Behind the colon, where one space is no part of the value. */
  BehindColon,
  InValue,
}

// Names as numbers, the first byte highest.
const DATA: u64 = 0x64617461;
const EVENT: u64 = 0x6576656e74;
const ID: u64 = 0x6964;
const RETRY: u64 = 0x7265747279;
const BYTE_ORDER_MARK: u64 = 0xefbbbf;
const BYTE_ORDER_MARK_LENGTH: u32 = 3;
/** Longer names are all the same: none of ours. */
const MOST_OF_NAME: u32 = 8;

// prettier-ignore
const LINE_FEEDS = i8x16.splat(LINE_FEED), CARRIAGE_RETURNS = i8x16.splat(CARRIAGE_RETURN);

/**
 * Finds the fields of an event stream (WHATWG HTML §9.2.6). It can stop after any byte and go on with the next chunk; it
 * copies nothing, and keeps nothing but the beginning of a name, however long a line is.
 *
 *     stream = [ bom ] *event      event = *( comment / field ) end-of-line
 *     field  = 1*name-char [ colon [ space ] *any-char ] end-of-line      end-of-line = CRLF / LF / CR
 *
 *     parser.feed(chunk); while ((part = parser.next()) !== Part.More) …
 *
 * An event whose blank line has not come when the stream ends is none to a client.
 */
@unmanaged
export class Parser {
  /** The next byte to read. A line feed that completes a CRLF is read with what follows it. */
  at: usize;
  private end: usize;
  private state: State;
  private name: u64;
  private nameLength: u32;
  /** The line that is read is not the first one, or a byte order mark stood before it. */
  private pastStart: bool;
  private wasReturn: bool;
  /** A line of the event has come that is not blank, its name at least. */
  private hasLines: bool;
  /** A piece of the value has been told. */
  private hasPiece: bool;
  /** Which field the value is of. */
  field: Field;
  separator: Separator;
  /** Bytes of the chunk, without an end of line; they can be none. */
  value: Span;
  /** The value begins with them, in an earlier chunk otherwise. */
  begins: bool;
  /** The value ends with them, in a later chunk otherwise. */
  ends: bool;

  /** The chunk before must have been read to its end. */
  feed(chunk: Span): void {
    this.at = pointer(chunk);
    this.end = limit(chunk);
  }

  next(): Part {
    while (this.at < this.end) {
      if (this.state === State.InValue) return this.readValue();
      const c = load<u8>(this.at);
      if (this.state === State.BehindColon) {
        this.state = State.InValue;
        if (c !== SPACE) continue;
        this.separator = Separator.ColonAndSpace;
        this.at++;
      } else if (c === LINE_FEED && this.wasReturn) {
        this.wasReturn = false;
        this.at++;
      } else if (c === COLON) {
        this.endName(Separator.Colon, State.BehindColon);
        this.at++;
      } else if (!isEndOfLine(c)) this.readName(c);
      else if (this.nameLength > 0) this.endName(Separator.Absent, State.InValue);
      else {
        this.endLine();
        this.hasLines = false;
        return Part.EventEnd;
      }
    }
    return Part.More;
  }

  /** Whether what was read ends within a line. */
  get isInLine(): bool {
    return this.state !== State.InName || this.nameLength > 0;
  }

  /** Whether what was read ends within an event: its blank line has not come. */
  get isInEvent(): bool {
    return this.hasLines || this.isInLine;
  }

  private readName(c: u8): void {
    this.at++;
    this.wasReturn = false;
    this.name = (this.name << 8) | (c as u64);
    this.nameLength = min(this.nameLength, MOST_OF_NAME) + 1;
    if (this.pastStart || this.nameLength !== BYTE_ORDER_MARK_LENGTH || this.name !== BYTE_ORDER_MARK) return;
    this.pastStart = true;
    this.name = 0;
    this.nameLength = 0;
  }

  private endName(separator: Separator, state: State): void {
    this.field = fieldOf(this.name, this.nameLength);
    this.separator = separator;
    this.state = state;
    this.hasPiece = false;
    this.hasLines = true;
  }

  private readValue(): Part {
    const from = this.at;
    this.at = endOfLine(from, this.end);
    this.value = between(from, this.at);
    this.begins = !this.hasPiece;
    this.ends = this.at < this.end;
    this.hasPiece = true;
    if (this.ends) this.endLine();
    return Part.Value;
  }

  private endLine(): void {
    this.wasReturn = load<u8>(this.at) === CARRIAGE_RETURN;
    this.at++;
    this.state = State.InName;
    this.name = 0;
    this.nameLength = 0;
    this.pastStart = true;
  }
}

/** At the beginning of a stream. */
export function newParser(arena: Arena): Parser {
  return make<Parser>(arena);
}

function fieldOf(name: u64, count: u32): Field {
  if (count === 0) return Field.Comment;
  if (count === 4 && name === DATA) return Field.Data;
  if (count === 5 && name === EVENT) return Field.Event;
  if (count === 2 && name === ID) return Field.Id;
  return count === 5 && name === RETRY ? Field.Retry : Field.Other;
}

function isEndOfLine(c: u8): bool {
  return c === LINE_FEED || c === CARRIAGE_RETURN;
}

/** The first end of a line, or the end of the chunk. */
function endOfLine(from: usize, end: usize): usize {
  let at = from;
  while (at + 16 <= end) {
    const block = v128.load(at);
    const found = i8x16.bitmask(v128.or(i8x16.eq(block, LINE_FEEDS), i8x16.eq(block, CARRIAGE_RETURNS)));
    if (found !== 0) return at + (ctz(found) as usize);
    at += 16;
  }
  while (at < end && !isEndOfLine(load<u8>(at))) at++;
  return at;
}
