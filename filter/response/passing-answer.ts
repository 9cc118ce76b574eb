import { CARRIAGE_RETURN, CLOSING_BRACE, CLOSING_BRACKET, LINE_FEED, SPACE, TAB, isDigit } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, after, between, equals, length, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { MarkState, brokenMark, markAfter, markIn } from '../json/byte-order-mark';
import { isString, textOf } from '../json/text';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { Token } from '../json/token';
import { Field, newParser, Parser, Part } from '../sse/parser';

/**
 * Whether a response that passes holds the answer to its request, whole. Nothing of it is kept: a document, or the
 * events of a stream as they come, are scanned until a message with a result or an error begins; from there on only the
 * last bytes are looked at, so that a large result costs no more than a small one.
 */
@unmanaged
export class PassingAnswer {
  /** A message with a result, or an error, has begun, as far as is known with the request's id. */
  begun: bool;
  /** Its length is told, so that a document which has begun cannot end early. */
  hasLength: bool;
  /** As the client wrote it, or NONE where it is not known. */
  id: Span;
  scanner: Scanner;
  arena: Arena;
  /** For a response that is an event stream, else null. */
  events: Parser | null;
  private mark: MarkState;
  private member: Member;
  /** The message that is scanned has the id of another request. */
  private isOther: bool;
  /** What is left of the message is no JSON. */
  private isBroken: bool;
  /** The last eight bytes, the last of them lowest. */
  private tail: u64;
  /** The event with the answer has ended: a comment or another event may be the last of the stream. */
  private isDelivered: bool;
  /** Ends of lines in a row behind the beginning of the answer, and whether the last byte was a carriage return. */
  private lineEnds: i32;
  private isBehindReturn: bool;

  /** Takes the next bytes, all of them. */
  read(bytes: Span): void {
    const events = this.events;
    if (this.begun) return this.readTail(bytes);
    if (events === null) this.readDocument(bytes);
    else this.readEvents(events, bytes);
    this.keepTail(bytes);
    if (this.begun && events !== null) this.seekBlankLine(between(limit(events.value), limit(bytes)));
  }

  /** Takes the last of the next bytes, LAST_BYTES at least where there are so many. */
  readTail(bytes: Span): void {
    this.keepTail(bytes);
    if (this.events !== null) this.seekBlankLine(bytes);
  }

  /** In the last of the bytes: no server writes much behind its answer. */
  private seekBlankLine(bytes: Span): void {
    const end = limit(bytes);
    let at = pointer(bytes);
    if (end - at > (LAST_BYTES as usize)) {
      at = end - (LAST_BYTES as usize);
      this.lineEnds = 0;
      this.isBehindReturn = false;
    }
    for (; at < end && !this.isDelivered; at++) {
      const c = load<u8>(at);
      const isSecond = c === LINE_FEED && this.isBehindReturn;
      this.isBehindReturn = c === CARRIAGE_RETURN;
      if (c !== LINE_FEED && c !== CARRIAGE_RETURN) this.lineEnds = 0;
      else if (!isSecond) this.lineEnds++;
      this.isDelivered = this.lineEnds > 1;
    }
  }

  private keepTail(bytes: Span): void {
    const end = limit(bytes);
    for (let at = max(pointer(bytes), end - TAIL); at < end; at++) this.tail = (this.tail << 8) | (load<u8>(at) as u64);
  }

  /** Whether the answer is in a response that has ended, to its end. */
  get isWhole(): bool {
    if (!this.begun) return false;
    if (this.hasLength) return true;
    let rest = this.tail;
    while (rest !== 0 && isSpace((rest & 0xff) as u8)) rest >>= 8;
    // So much white space ends nothing that has not ended before.
    if (rest === 0) return true;
    const last = (rest & 0xff) as u8;
    return last === CLOSING_BRACE || last === CLOSING_BRACKET || this.endsEvent;
  }

  /** Whether the client has the event with the answer, which a blank line ends, where the response breaks off now. */
  get endsEvent(): bool {
    if (!this.begun || this.events === null) return false;
    if (this.isDelivered) return true;
    let lineFeeds = 0;
    let returns = 0;
    for (let rest = this.tail; rest !== 0 && isSpace((rest & 0xff) as u8); rest >>= 8) {
      if ((rest & 0xff) === LINE_FEED) lineFeeds++;
      else if ((rest & 0xff) === CARRIAGE_RETURN) returns++;
    }
    return lineFeeds > 1 || returns > 1;
  }

  private readDocument(bytes: Span): void {
    const before = this.mark;
    const count = markIn(bytes, before);
    this.mark = markAfter(bytes, before, count);
    const broken = brokenMark(bytes, before, count);
    if (length(broken) > 0) this.scan(broken);
    this.scan(after(bytes, count));
  }

  private readEvents(events: Parser, bytes: Span): void {
    events.feed(bytes);
    for (let part = events.next(); part !== Part.More && !this.begun; part = events.next()) {
      if (part === Part.EventEnd) this.beginMessage();
      else if (events.field === Field.Data) {
        // A message may stand in several lines: what is between them is a line feed.
        if (events.begins && this.scanner.position > 0) this.scan(LINE_BREAK);
        this.scan(events.value);
      }
    }
  }

  private beginMessage(): void {
    memory.fill(changetype<usize>(this.scanner), 0, SCANNER_SIZE);
    this.scanner.watch = 1;
    this.member = Member.Other;
    this.isOther = false;
    this.isBroken = false;
  }

  private scan(bytes: Span): void {
    const scanner = this.scanner;
    if (this.isBroken) return;
    if (scanner.position === 0 && beginsAsUsual(bytes, this.id)) {
      this.begun = true;
      return;
    }
    scanner.feed(bytes);
    for (let token = scanner.next(); token !== Token.More; token = scanner.next()) {
      if (token === Token.Invalid) {
        this.isBroken = true;
        return;
      }
      // Each element of a batch may be the answer: the first one stands for all.
      if (token === Token.ArrayStart && scanner.depth === 1) scanner.watch = BATCH;
      else if (token === Token.ObjectStart && scanner.watch === BATCH) this.begun = true;
      else if (token === Token.Key && scanner.depth === 1) this.readKey();
      else if (this.member === Member.Id && scanner.depth === 1) this.readId(token);
      if (this.begun) return;
    }
  }

  private readKey(): void {
    const name = this.scanner.text;
    if (equals(name, RESULT) || equals(name, ERROR)) this.begun = !this.isOther;
    this.member = equals(name, ID) ? Member.Id : Member.Other;
  }

  /**
   * A server may write an id in another way than its client did; numbers are compared only as plain integers, and an id
   * that comes in two parts is taken for the right one.
   */
  private readId(token: Token): void {
    this.member = Member.Other;
    // The id of an error that answers what could not be read is null.
    if (this.id === NONE || token === Token.Word) return;
    const isText = token === Token.String;
    const found = this.scanner.raw;
    if (isText !== isString(this.id)) this.isOther = true;
    else if (found === NONE) return;
    else if (isText) this.isOther = !equals(textOf(found, this.arena), textOf(this.id, this.arena));
    else if (isPlain(found) && isPlain(this.id)) this.isOther = !equals(found, this.id);
  }
}

const enum Member {
  Other,
  Id,
}

const RESULT = literal('result');
const ERROR = literal('error');
const ID = literal('id');
const RESULT_FIRST = literal('{"result":');
const VERSION_FIRST = literal('{"jsonrpc":"2.0","id":');
const RESULT_NEXT = literal(',"result":');
const LINE_BREAK = literal('\n');
const TAIL: usize = 8;
/** Bytes of a part in which the end of the answer's event is looked for. */
export const LAST_BYTES: u32 = 256;
/** Depth of the messages in a batch. */
const BATCH = 2;

/**
 * Whether a message begins as nearly all servers write one that is the answer, so that there is no need to scan it: with
 * its result, or with JSON-RPC's version and the id as the client wrote it.
 */
function beginsAsUsual(message: Span, id: Span): bool {
  if (startsWith(message, RESULT_FIRST)) return true;
  if (id === NONE || !startsWith(message, VERSION_FIRST)) return false;
  const rest = after(message, VERSION_FIRST as u32);
  return startsWith(rest, id) && startsWith(after(rest, id as u32), RESULT_NEXT);
}

function isSpace(c: u8): bool {
  return c === SPACE || c === TAB || c === LINE_FEED || c === CARRIAGE_RETURN;
}

function isPlain(number: Span): bool {
  for (let at = pointer(number); at < limit(number); at++) if (!isDigit(load<u8>(at))) return false;
  return length(number) > 0;
}

/** @param isStream the response is an event stream, else one JSON document. @param id of the request, or NONE */
export function newPassingAnswer(isStream: bool, id: Span, arena: Arena): PassingAnswer {
  const answer = make<PassingAnswer>(arena);
  if (isStream) answer.events = newParser(arena);
  answer.id = id;
  answer.arena = arena;
  answer.scanner = newScanner(arena.zeroed(SCANNER_SIZE), 1);
  return answer;
}
