import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { hasRoom } from '../bytes/room';
import { Span, between, equals, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { isJson, Kind, kindOf, member, strip } from '../json/reader';
import { textOf } from '../json/text';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { Token } from '../json/token';
import { NO_LEVEL, severityOf, UNKNOWN_LEVEL } from '../mcp/log-levels';
import { eventsIn, writeData, writeMessageEvent } from '../sse/events';
import { Field, newParser, Parser, Part } from '../sse/parser';
import { withoutUrlError } from './url-elicitation';

const EMPTY = literal('');
const LINE_FEED = literal('\n');
const BLANK_LINE = literal('\n\n');
const OPEN = literal('event: message\ndata: ');

/** Levels of a message: its members, those of its result. */
const MESSAGE = 1;
const RESULT = 2;

const METHOD = literal('method');
const ID = literal('id');
const PARAMS = literal('params');
const LEVEL = literal('level');
const LOG_MESSAGE = literal('notifications/message');
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
  /** It is an error, which may be one that the client's era does not have: its end will say. */
  Error,
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
  /** Its server has sessions and its client does not: requests do not go on, nor what the client's era does not have. */
  private isOfSessions: bool;
  /** How severe what the server logs has to be to go on, see mcp/log-levels.ts. There, and where this is so. */
  loggedFrom: u32;
  /** The client can be asked to open a page. */
  opensUrls: bool;
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

  /** The end of the answer may wait for what the client or a task says. */
  get mayHoldEnd(): bool {
    return !this.isOfSessions;
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
    if (this.isWhole && this.way === Way.Error) this.writeError(out, arena);
    if (this.isWhole && this.way === Way.Ask && !this.isTooLarge) this.required = this.kept.written;
    return out.written;
  }

  /** An error of a document that is whole. */
  private writeError(out: Writer, arena: Arena): void {
    const other = withoutUrlError(strip(this.kept.written), this.opensUrls, arena);
    this.begun = true;
    this.writePart(this.staysDocument ? out : out.bytes(OPEN), other === NONE ? this.kept.written : other);
    if (!this.staysDocument) out.bytes(BLANK_LINE);
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
          if (found.next() && isJson(found.data, arena)) {
            this.required = strip(found.data);
            return out.written;
          }
          out.bytes(this.kept.written);
        } else if (!this.takes(between(from, events.at), out, arena)) {
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

  /** Whether the event that ends with this piece does not go on as it is. What it becomes is written. */
  private takes(piece: Span, out: Writer, arena: Arena): bool {
    if (this.way !== Way.Request && this.way !== Way.Error) return false;
    const event = newWriter(arena, ((this.kept.size as u32) + (length(piece) as u32)) as usize);
    const found = eventsIn(event.bytes(this.kept.written).bytes(piece).written, arena);
    // Up to here its beginning alone was looked at.
    if (!found.next() || !isJson(found.data, arena)) return false;
    const message = strip(found.data);
    if (this.way === Way.Error) {
      const other = withoutUrlError(message, this.opensUrls, arena);
      if (other !== NONE) writeMessageEvent(out, other);
      return other !== NONE;
    }
    if (member(message, ID, arena) === NONE) return this.isUnasked(message, arena);
    if (this.requests === null) this.requests = newList(arena);
    this.requests!.push(message as u64);
    return true;
  }

  /** Whether a notification is one of the server's log that the client has not asked for. */
  private isUnasked(message: Span, arena: Arena): bool {
    const method = textIn(message, METHOD, arena);
    if (method === NONE || !equals(method, LOG_MESSAGE)) return false;
    const level = textIn(member(message, PARAMS, arena), LEVEL, arena);
    return (level === NONE ? UNKNOWN_LEVEL : severityOf(level)) < this.loggedFrom;
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
        // A server with sessions asks in another way.
        const isTask = this.takesTasks && scanner.reads(TASK);
        if (this.way === Way.Keep) this.isTask = isTask;
        this.decide(isTask || (!this.isOfSessions && scanner.reads(INPUT_REQUIRED)) ? Way.Ask : Way.Pass);
      }
      // Of a document the end is sought.
      if (this.events !== null && this.way !== Way.Keep && this.way !== Way.Ask) return;
    }
  }

  private readKey(depth: i32): void {
    const scanner = this.scanner;
    if (depth === MESSAGE) {
      if (scanner.reads(METHOD)) this.decide(this.isOfSessions && this.events !== null ? Way.Request : Way.Pass);
      else if (scanner.reads(ERROR)) this.decide(this.isOfSessions ? Way.Error : Way.Pass);
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
    this.isOfSessions = (takes & Takes.OfSessions) !== 0;
    this.loggedFrom = NO_LEVEL;
    this.takesTasks = (takes & Takes.Tasks) !== 0;
    this.staysDocument = staysDocument;
    this.kept = newWriter(arena, 1024);
    this.required = NONE;
    this.scanner = newScanner(arena.zeroed(SCANNER_SIZE), RESULT);
    if (isStream) this.events = newParser(arena);
    return this;
  }
}

function textIn(object: Span, name: Span, arena: Arena): Span {
  const value = member(object, name, arena);
  return value === NONE || kindOf(value) !== Kind.String ? NONE : textOf(value, arena);
}

/** What else does not go on, in bits. */
export const enum Takes {
  Nothing = 0,
  /** What a client of 2026-07-28 does not get of a server with sessions: requests, logs, an error. */
  OfSessions = 1,
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
