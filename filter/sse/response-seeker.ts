import { Arena, make } from '../bytes/arena';
import { Span, between, limit, literal, pointer } from '../bytes/span';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { Token } from '../json/token';

const enum Line {
  /** Its first bytes, as far as they are those of `data`. */
  Field,
  /** Behind the colon of a `data` field, where one space may stand. */
  Colon,
  Value,
  /** Another field, or a comment. */
  Other,
}

/** Before the first byte of a stream, where a byte order mark may stand. */
const IN_MARK: i32 = -3;
const MARK = memory.data<u8>([0xef, 0xbb, 0xbf]);
const FIELD = memory.data<u8>([0x64, 0x61, 0x74, 0x61]);
const FIELD_SIZE: i32 = 4;
const LF: u8 = 0x0a;
const CR: u8 = 0x0d;
const COLON: u8 = 0x3a;
const SPACE: u8 = 0x20;
// prettier-ignore
const LFS = i8x16.splat(0x0a), CRS = i8x16.splat(0x0d);

const RESULT = literal('result');
const ERROR = literal('error');
const METHOD = literal('method');
const LINE_FEED = literal('\n');

/**
 * Looks in an event stream (WHATWG HTML §9.2.6) for the JSON-RPC response that it is for, chunk by chunk, and keeps
 * nothing of it. A batch counts as one (MCP 2025-03-26). Ids are not compared: on the stream of one request there is one
 * response.
 */
@unmanaged
export class ResponseSeeker {
  isFound: bool;
  private line: Line;
  /** Bytes of `data` that have come in this line. */
  matched: i32;
  private isBehindCr: bool;
  /** The data of the event that is under way. */
  scanner: Scanner;
  private hasOutcome: bool;
  private hasMethod: bool;
  private hasFailed: bool;

  read(chunk: Span): void {
    let at = pointer(chunk);
    const end = limit(chunk);
    while (at < end && !this.isFound) {
      const byte = load<u8>(at);
      if (this.line === Line.Value) {
        const to = endOfLine(at, end);
        this.take(between(at, to));
        at = to;
        if (at < end) at = this.endLine(at);
      } else if (byte === LF || byte === CR) at = this.endLine(at);
      else {
        this.isBehindCr = false;
        at += this.step(byte) ? 1 : 0;
      }
    }
  }

  /** The stream has ended: nothing can follow its last event, also where its blank line is missing. */
  end(): void {
    this.endEvent();
  }

  /** Takes a byte of a line whose value has not begun. False: the byte is the first of the value. */
  private step(byte: u8): bool {
    switch (this.line) {
      case Line.Field: {
        if (this.matched < 0) {
          if (byte === load<u8>(MARK + ((this.matched - IN_MARK) as usize))) {
            this.matched++;
            return true;
          }
          this.matched = 0;
        }
        if (this.matched < FIELD_SIZE && byte === load<u8>(FIELD + (this.matched as usize))) this.matched++;
        else this.line = this.matched === FIELD_SIZE && byte === COLON ? Line.Colon : Line.Other;
        return true;
      }
      case Line.Colon:
        this.line = Line.Value;
        return byte === SPACE;
      default:
        return true;
    }
  }

  /** Where the next line begins, or the rest of a CRLF. @param at of its end */
  private endLine(at: usize): usize {
    const byte = load<u8>(at);
    const isRestOfCrlf = byte === LF && this.isBehindCr;
    this.isBehindCr = byte === CR;
    if (isRestOfCrlf) return at + 1;
    if (this.line === Line.Field && this.matched <= 0) this.endEvent();
    // The lines of one event's data have a line feed between them, which is white space to JSON.
    else if (this.line === Line.Value) this.take(LINE_FEED);
    this.line = Line.Field;
    this.matched = 0;
    return at + 1;
  }

  private take(data: Span): void {
    if (this.hasFailed) return;
    const scanner = this.scanner;
    scanner.feed(data);
    for (;;) {
      const token = scanner.next();
      if (token === Token.More) return;
      if (token === Token.Invalid) {
        this.hasFailed = true;
        return;
      }
      if (token === Token.ArrayStart && scanner.depth === 1) this.hasOutcome = true;
      if (token !== Token.Key || scanner.depth !== 1) continue;
      if (scanner.reads(RESULT) || scanner.reads(ERROR)) this.hasOutcome = true;
      else if (scanner.reads(METHOD)) this.hasMethod = true;
    }
  }

  private endEvent(): void {
    const isResponse = this.hasOutcome && !this.hasMethod && !this.hasFailed && this.scanner.complete();
    if (isResponse) this.isFound = true;
    else this.begin();
  }

  private begin(): void {
    const at = changetype<usize>(this.scanner);
    memory.fill(at, 0, SCANNER_SIZE);
    newScanner(at, 1);
    this.hasOutcome = false;
    this.hasMethod = false;
    this.hasFailed = false;
  }
}

export function newResponseSeeker(arena: Arena): ResponseSeeker {
  const seeker = make<ResponseSeeker>(arena);
  seeker.scanner = newScanner(arena.zeroed(SCANNER_SIZE), 1);
  seeker.matched = IN_MARK;
  return seeker;
}

/** The place of the first CR or LF, or `end`. */
function endOfLine(from: usize, end: usize): usize {
  let at = from;
  for (; at + 16 <= end; at += 16) {
    const bytes = v128.load(at);
    const ends = v128.or(i8x16.eq(bytes, LFS), i8x16.eq(bytes, CRS));
    if (v128.any_true(ends)) return at + (ctz(i8x16.bitmask(ends)) as usize);
  }
  while (at < end && load<u8>(at) !== LF && load<u8>(at) !== CR) at++;
  return at;
}
