import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { hasRoom } from '../bytes/room';
import { Span, between, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { member } from '../json/reader';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { Token } from '../json/token';
import { eventsIn, writeData } from '../sse/events';
import { Field, newParser, Parser, Part } from '../sse/parser';

const EMPTY = literal('');
const LINE_FEED = literal('\n');
const BLANK_LINE = literal('\n\n');
const OPEN = literal('event: message\ndata: ');

/** Levels of a message: its members, those of its result. */
const MESSAGE = 1;
const RESULT = 2;

const METHOD = literal('method');
const ID = literal('id');
const ERROR = literal('error');
const RESULT_NAME = literal('result');
const RESULT_TYPE = literal('resultType');
const INPUT_REQUIRED = literal('input_required');
const TASK = literal('task');
/** A result that has one of them is complete: it need not be kept until its type has come. */
const CONTENT = literal('content');
const CONTENTS = literal('contents');
const MESSAGES = literal('messages');

/** Kept, while it grows, and what is made of it. */
const COPIES: u64 = 4;

const enum Way {
  /** What it is, is not known yet. */
  Keep,
  /** It is no result that asks for input. */
  Pass,
  /** It asks for input, or is a task, and is kept to its end. */
  Ask,
  /** It is a request, or a notification: which, its end will say. */
  Request,
}

const enum Member {
  Other,
  Result,
  Type,
}

/**
 * Finds the result that asks for input (MCP 2026-07-28, multi round-trip requests), or that is a task (SEP-2663), in the
 * answer to a request, while that passes on to a client that would not know such a result. All other messages go on, kept no
 * longer than it takes to tell; a document as an event where its client can be asked, since a stream has to follow then, and
 * its type is told before.
 */
@unmanaged
export class InputReader {
  private most: u32;
  /** Null for a document. */
  private events: Parser | null;
  private scanner: Scanner;
  private way: Way;
  private member: Member;
  private kept: Writer;
  /** The event that a document becomes has begun. */
  private begun: bool;
  /** The document has ended. */
  private isWhole: bool;
  /** A document goes on as one. */
  staysDocument: bool;
  /** A task can take the place of the result. */
  private takesTasks: bool;
  /** The message that asks for input, or is a task, once it has come whole; else NONE. Nothing goes on behind it. */
  required: Span;
  /** It is a task. */
  isTask: bool;
  /** It is more than may be kept. */
  isTooLarge: bool;
  /** Requests of the server do not go on: its client is of an era that has none. */
  private takesRequests: bool;
  /** Those that came in what was written last, whole messages; null: none. */
  requests: List | null;

  /**
   * Takes the next bytes of the body.
   * @param arena for what goes on
   * @returns what goes on, as long as `bytes` and `arena` live
   */
  write(bytes: Span, arena: Arena): Span {
    this.requests = null;
    if (length(bytes) === 0 || this.required !== NONE) return EMPTY;
    const events = this.events;
    return events === null ? this.writeDocument(bytes, arena) : this.writeEvents(events, bytes, arena);
  }

  /** It has ended, a document of which nothing has gone on, before it was whole. */
  get isCutOff(): bool {
    return this.events === null && !this.begun && !this.isWhole;
  }

  /** The body has ended. @returns what is still to go on */
  end(arena: Arena): Span {
    if (this.required !== NONE || this.way === Way.Ask) return EMPTY;
    if (this.events !== null) return this.way === Way.Pass ? EMPTY : this.kept.written;
    if (this.isCutOff) return EMPTY;
    // No JSON, or cut off behind its beginning: one that is whole has its blank line.
    return this.begun && !this.isWhole && !this.staysDocument ? BLANK_LINE : EMPTY;
  }

  /** Its event ends with it, not with the body: what ends in trailers has no part behind the last one. */
  private writeDocument(bytes: Span, arena: Arena): Span {
    // White space may follow.
    if (this.isWhole) return this.staysDocument && this.way === Way.Pass ? bytes : EMPTY;
    this.scan(bytes);
    // A whole one that does not ask is one that passes.
    if (this.isWhole) this.decide(Way.Pass);
    const out = newWriter(arena, (this.kept.size as usize) + (length(bytes) as usize) + 64);
    if (this.way === Way.Pass) {
      this.begin(out);
      this.writePart(out, bytes);
      return (this.isWhole && !this.staysDocument ? out.bytes(BLANK_LINE) : out).written;
    }
    this.keep(bytes, out);
    if (this.isWhole && this.way === Way.Ask && !this.isTooLarge) this.required = this.kept.written;
    return out.written;
  }

  private begin(out: Writer): void {
    if (this.begun) return;
    this.begun = true;
    this.writePart(this.staysDocument ? out : out.bytes(OPEN), this.kept.written);
    this.kept.truncate(0);
  }

  private writePart(out: Writer, bytes: Span): Writer {
    return this.staysDocument ? out.bytes(bytes) : writeData(out, bytes);
  }

  private writeEvents(events: Parser, bytes: Span, arena: Arena): Span {
    const out = newWriter(arena, (this.kept.size as usize) + (length(bytes) as usize) + 64);
    let from = pointer(bytes);
    events.feed(bytes);
    for (let part = events.next(); part !== Part.More; part = events.next()) {
      if (part === Part.EventEnd) {
        if (this.way === Way.Ask) {
          this.kept.bytes(between(from, events.at));
          const found = eventsIn(this.kept.written, this.kept.arena);
          if (found.next()) this.required = found.data;
          return out.written;
        }
        if (!this.takeRequest(between(from, events.at), arena)) {
          out.bytes(this.kept.written).bytes(between(from, events.at));
        }
        from = events.at;
        this.beginEvent();
      } else if (events.field === Field.Data && this.way === Way.Keep) {
        this.scan(events.value);
        if (events.ends) this.scan(LINE_FEED);
      }
    }
    const rest = between(from, limit(bytes));
    if (this.way !== Way.Pass) this.keep(rest, out);
    else {
      out.bytes(this.kept.written).bytes(rest);
      this.kept.truncate(0);
    }
    return out.written;
  }

  /** Whether the event that ends with this piece has a request that does not go on. */
  private takeRequest(piece: Span, arena: Arena): bool {
    if (this.way !== Way.Request) return false;
    const event = newWriter(arena, ((this.kept.size as u32) + (length(piece) as u32)) as usize);
    const found = eventsIn(event.bytes(this.kept.written).bytes(piece).written, arena);
    if (!found.next() || member(found.data, ID, arena) === NONE) return false;
    if (this.requests === null) this.requests = newList(arena);
    this.requests!.push(found.data as u64);
    return true;
  }

  private beginEvent(): void {
    this.way = Way.Keep;
    this.member = Member.Other;
    this.kept.truncate(0);
    memory.fill(changetype<usize>(this.scanner), 0, SCANNER_SIZE);
    this.scanner.watch = RESULT;
  }

  /** What is more than may be kept goes on, where it need not ask for input; and where it does, nothing of it can. */
  private keep(bytes: Span, out: Writer): void {
    const size = (this.kept.size as u64) + (length(bytes) as u64);
    if (size <= (this.most as u64) && hasRoom(COPIES * size)) this.kept.bytes(bytes);
    else if (this.way === Way.Ask) this.isTooLarge = true;
    else {
      this.way = Way.Pass;
      if (this.events === null) {
        this.begin(out);
        this.writePart(out, bytes);
      } else {
        out.bytes(this.kept.written).bytes(bytes);
        this.kept.truncate(0);
      }
    }
  }

  private scan(bytes: Span): void {
    const scanner = this.scanner;
    scanner.feed(bytes);
    for (let token = scanner.next(); token !== Token.More; token = scanner.next()) {
      if (token === Token.Invalid) return this.decide(Way.Pass);
      if (token === Token.ArrayStart && scanner.depth === MESSAGE) this.decide(Way.Pass);
      else if (token === Token.Key) this.readKey(scanner.depth);
      else if ((token === Token.ObjectEnd || token === Token.ArrayEnd) && scanner.depth === 0) this.isWhole = true;
      else if (this.member === Member.Type && scanner.depth === RESULT && token === Token.String) {
        const isTask = this.takesTasks && scanner.reads(TASK);
        if (this.way === Way.Keep) this.isTask = isTask;
        this.decide(isTask || scanner.reads(INPUT_REQUIRED) ? Way.Ask : Way.Pass);
      }
      // Of a document the end is sought.
      if (this.events !== null && (this.way === Way.Pass || this.way === Way.Request)) return;
    }
  }

  private readKey(depth: i32): void {
    const scanner = this.scanner;
    if (depth === MESSAGE) {
      if (scanner.reads(METHOD)) this.decide(this.takesRequests ? Way.Request : Way.Pass);
      else if (scanner.reads(ERROR)) this.decide(Way.Pass);
      this.member = scanner.reads(RESULT_NAME) ? Member.Result : Member.Other;
    } else if (depth === RESULT && this.member !== Member.Other) {
      if (scanner.reads(CONTENT) || scanner.reads(CONTENTS) || scanner.reads(MESSAGES)) this.decide(Way.Pass);
      this.member = scanner.reads(RESULT_TYPE) ? Member.Type : Member.Result;
    }
  }

  /** The first word counts. */
  private decide(way: Way): void {
    if (this.way === Way.Keep) this.way = way;
  }

  prepare(isStream: bool, most: u32, takes: u32, staysDocument: bool, arena: Arena): InputReader {
    this.most = most;
    this.takesRequests = (takes & Takes.Requests) !== 0;
    this.takesTasks = (takes & Takes.Tasks) !== 0;
    this.staysDocument = staysDocument;
    this.kept = newWriter(arena, 1024);
    this.required = NONE;
    this.scanner = newScanner(arena.zeroed(SCANNER_SIZE), RESULT);
    if (isStream) this.events = newParser(arena);
    return this;
  }
}

/** What else does not go on, in bits. */
export const enum Takes {
  Nothing = 0,
  /** Requests of the server. */
  Requests = 1,
  /** A result that is a task. */
  Tasks = 2,
}

/**
 * @param isStream an event stream, else one document @param most bytes that are kept @param takes bits of Takes
 * @param staysDocument what is one document goes on as one @param arena for as long as it passes
 */
export function newInputReader(isStream: bool, most: u32, takes: u32, staysDocument: bool, arena: Arena): InputReader {
  return make<InputReader>(arena).prepare(isStream, most, takes, staysDocument, arena);
}

/** The same of a body that is here whole. @returns the message that asks for input, or NONE */
export function inputRequiredIn(body: Span, isStream: bool, arena: Arena): Span {
  return readWhole(body, isStream, Takes.Nothing, arena).required;
}

/** @returns the message whose result is a task, or NONE */
export function taskIn(body: Span, isStream: bool, arena: Arena): Span {
  const reader = readWhole(body, isStream, Takes.Tasks, arena);
  return reader.isTask ? reader.required : NONE;
}

function readWhole(body: Span, isStream: bool, takes: u32, arena: Arena): InputReader {
  const reader = newInputReader(isStream, u32.MAX_VALUE, takes, true, arena);
  reader.write(body, arena);
  return reader;
}
