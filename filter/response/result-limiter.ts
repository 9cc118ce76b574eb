import { CLOSING_BRACE, LINE_FEED } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, between, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { eventsIn, writeMessageEvent } from '../sse/events';
import { Field, newParser, Parser, Part } from '../sse/parser';
import { newResultReader, ResultReader } from './result-reader';

const EMPTY = literal('');
const LINE_FEEDS = literal('\n\n');
const ONE_LINE_FEED = literal('\n');
const ID = literal('id: ');
const OPEN = literal('{"jsonrpc":"2.0","id":');
const RESULT = literal(',"result":');

/** Bytes of an event beside its message that are kept. */
const MOST_BESIDE: u32 = 16 << 10;
const MOST_OF_ID: i32 = 1024;
/** Kept, while it grows, and what is made of it. */
const COPIES: u64 = 4;

/** What becomes of the message that is read. */
const enum Way {
  /** It is kept until its end, or until it is too large. */
  Keep,
  /** It is too large: what is left of it is known at its end. */
  Cut,
  /** It is no result of a call. */
  Pass,
}

/**
 * Holds the results of calls to a size: the body of a response as it goes on to the client, one JSON document or an event
 * stream. A message is kept until its end; of one that is too large the beginning alone is, and either its text is cut, or
 * a refusal goes on in its place.
 */
@unmanaged
export class ResultLimiter {
  private most: u32;
  private cuts: bool;
  /** Results without content pass: what is asked for is no call, or nobody knows. */
  private passesOthers: bool;
  /** For who reads a result that was cut, as the inside of a JSON string. */
  private note: Span;
  /** The result in the place of one that cannot be cut. */
  private refusal: Span;
  /** The id of the request that the body answers, or NONE. */
  private requestId: Span;
  private events: Parser | null;
  private way: Way;
  private kept: Writer;
  /** Bytes of the message that have come, of an event its data. */
  private size: u32;
  private id: Writer;
  private reader: ResultReader;
  /** A result was refused. */
  refused: bool;

  /**
   * Takes the next bytes of the body.
   * @param arena for what goes on
   * @returns what goes on, as long as `bytes` and `arena` live
   */
  write(bytes: Span, arena: Arena): Span {
    if (length(bytes) === 0) return EMPTY;
    const events = this.events;
    return events === null ? this.writeDocument(bytes, arena) : this.writeEvents(events, bytes, arena);
  }

  /** The body has ended. @returns what is still to go on */
  end(arena: Arena): Span {
    if (this.way === Way.Keep) return this.kept.written;
    if (this.way === Way.Pass) return EMPTY;
    if (this.events === null) return this.left(arena);
    // Its blank line has not come.
    const out = newWriter(arena, 1024);
    this.writeLeft(out, arena);
    return out.written;
  }

  private writeDocument(bytes: Span, arena: Arena): Span {
    if (this.way === Way.Pass) return bytes;
    if (this.way === Way.Cut) {
      this.reader.read(bytes);
      return EMPTY;
    }
    if (this.fits(length(bytes) as u32, this.most)) {
      this.kept.bytes(bytes);
      return EMPTY;
    }
    this.beginCut(this.kept.written);
    this.reader.read(bytes);
    if (!this.passes) return this.forget();
    this.way = Way.Pass;
    return newWriter(arena, (this.kept.size as usize) + (length(bytes) as usize))
      .bytes(this.kept.written)
      .bytes(bytes).written;
  }

  private writeEvents(events: Parser, bytes: Span, arena: Arena): Span {
    const out = newWriter(arena, length(bytes) as usize);
    let from = pointer(bytes);
    events.feed(bytes);
    for (let part = events.next(); part !== Part.More; part = events.next()) {
      if (part === Part.EventEnd) {
        if (this.way === Way.Keep) out.bytes(this.kept.written);
        if (this.way !== Way.Cut) out.bytes(between(from, events.at));
        else this.writeLeft(out, arena);
        from = events.at;
        this.beginEvent();
      } else if (events.field === Field.Id) this.keepId(events);
      else if (events.field === Field.Data) {
        if (this.way === Way.Cut) {
          this.reader.read(events.value);
          if (events.ends) this.reader.read(ONE_LINE_FEED);
          from = events.at;
          continue;
        }
        this.size += length(events.value) as u32;
        const piece = between(from, events.at);
        if (this.way === Way.Pass || (this.size <= this.most && this.fits(piece as u32, this.most + MOST_BESIDE)))
          continue;
        this.beginCutOfEvent(piece, events.ends, arena);
        if (this.passes) {
          this.way = Way.Pass;
          out.bytes(this.kept.written);
          this.kept.truncate(0);
        } else {
          this.forget();
          from = events.at;
        }
      }
    }
    const rest = between(from, limit(bytes));
    if (this.way === Way.Pass) out.bytes(rest);
    else if (this.way === Way.Keep) {
      if (this.fits(length(rest) as u32, this.most + MOST_BESIDE)) this.kept.bytes(rest);
      else {
        // Fields that have no meaning: nothing of the event is for anybody.
        this.beginCut(EMPTY);
        this.forget();
      }
    }
    return out.written;
  }

  /** The data of the event so far go to the reader. */
  private beginCutOfEvent(piece: Span, isLine: bool, arena: Arena): void {
    const whole = newWriter(arena, (this.kept.size as usize) + (length(piece) as usize) + 2)
      .bytes(this.kept.written)
      .bytes(piece)
      .bytes(LINE_FEEDS).written;
    const found = eventsIn(whole, arena);
    this.beginCut(found.next() ? found.data : EMPTY);
    if (isLine) this.reader.read(ONE_LINE_FEED);
  }

  private beginCut(message: Span): void {
    this.way = Way.Cut;
    this.reader.restart();
    this.reader.read(message);
  }

  private get passes(): bool {
    return this.reader.isOther || (this.passesOthers && !this.reader.hasContent);
  }

  private forget(): Span {
    this.kept.truncate(0);
    return EMPTY;
  }

  private fits(more: u32, most: u32): bool {
    const size = (this.kept.size as u64) + (more as u64);
    return size <= (most as u64) && hasRoom(COPIES * size);
  }

  private keepId(events: Parser): void {
    if (events.begins) this.id.truncate(0);
    if (this.id.size + length(events.value) <= MOST_OF_ID) this.id.bytes(events.value);
  }

  private beginEvent(): void {
    this.way = Way.Keep;
    this.size = 0;
    this.kept.truncate(0);
    this.id.truncate(0);
  }

  private writeLeft(out: Writer, arena: Arena): void {
    if (this.id.size > 0) out.bytes(ID).bytes(this.id.written).byte(LINE_FEED);
    const left = this.left(arena);
    if (length(left) > 0) writeMessageEvent(out, left);
  }

  /** What goes on in the place of the message. */
  private left(arena: Arena): Span {
    const reader = this.reader;
    // It turned out to be something else, of which the beginning is gone.
    if (reader.isOther) return EMPTY;
    const cut = this.cuts ? reader.cut(this.note, arena) : NONE;
    if (cut !== NONE) return cut;
    this.refused = true;
    const id: Span = reader.id === NONE ? this.requestId : reader.id;
    if (id === NONE) return EMPTY;
    return newWriter(arena, 1024).bytes(OPEN).bytes(id).bytes(RESULT).bytes(this.refusal).byte(CLOSING_BRACE).written;
  }

  begin(
    isStream: bool,
    most: u32,
    cuts: bool,
    passesOthers: bool,
    note: Span,
    refusal: Span,
    id: Span,
    arena: Arena,
  ): ResultLimiter {
    this.most = most;
    this.cuts = cuts;
    this.passesOthers = passesOthers;
    this.note = note;
    this.refusal = refusal;
    this.requestId = id;
    this.kept = newWriter(arena, 1024);
    this.id = newWriter(arena, 64);
    this.reader = newResultReader(most, arena);
    if (isStream) this.events = newParser(arena);
    return this;
  }
}

/**
 * @param most bytes of a message. @param cuts text is cut, else the whole is refused
 * @param passesOthers results without content pass
 * @param note for who reads a result that was cut, as the inside of a JSON string
 * @param refusal the result in the place of one that cannot be cut
 * @param id of the request, or NONE where the body answers several
 * @param arena for as long as the body passes
 */
export function newResultLimiter(
  isStream: bool,
  most: u32,
  cuts: bool,
  passesOthers: bool,
  note: Span,
  refusal: Span,
  id: Span,
  arena: Arena,
): ResultLimiter {
  return make<ResultLimiter>(arena).begin(isStream, most, cuts, passesOthers, note, refusal, id, arena);
}
