import { BACKSLASH, CLOSING_BRACE, CLOSING_BRACKET, COLON, COMMA, LOWER_U, QUOTE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, first, length, literal, span, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { characterSize, writeEscaped } from '../json/text';
import { TEXT_CAPACITY, Token } from '../json/token';

/** Levels of a message: its members, those of its result, the blocks of the content, their members. */
const MESSAGE = 1;
const RESULT = 2;
const BLOCKS = 3;
const BLOCK = 4;

const METHOD = literal('method');
const ID = literal('id');
const JSONRPC = literal('jsonrpc');
const RESULT_NAME = literal('result');
const CONTENT = literal('content');
const STRUCTURED = literal('structuredContent');
const TYPE = literal('type');
const TEXT = literal('text');
const TRUE = literal('true');
const FALSE = literal('false');
const TEXT_TYPE = literal(',"type":"text"');
const NEW_BLOCK = literal(',{"type":"text","text":"');
const ID_MEMBER = literal(',"id":');
const VERSION_MEMBER = literal(',"jsonrpc":"2.0"');

/** Bytes that a note and what closes the message may take. */
const RESERVE: u32 = 512;
/** Bytes of the members behind the content that are kept. */
const MOST_BEHIND: i32 = 512;

/** Which member the value belongs to that is read. */
const enum Member {
  Other,
  Id,
  Result,
  Content,
  Structured,
  Type,
  Text,
}

/**
 * Reads the response to a call that is larger than it may be, of which the beginning is kept, and says what is left of it:
 * the text that goes beyond what is kept is cut, and so is all text behind it. Where something else goes beyond, nothing
 * can be left.
 */
@unmanaged
export class ResultReader {
  private most: u32;
  private scanner: Scanner;
  /** The first `most` bytes. */
  private kept: Writer;
  private member: Member;
  private resultMember: Member;
  private blockMember: Member;
  /** It is a request or a notification. */
  isOther: bool;
  /** Its result has content. */
  hasContent: bool;
  private idText: Writer;
  /** No text alone is too large. */
  private isRefused: bool;
  private isInvalid: bool;
  private hasIdBefore: bool;
  private hasVersionBefore: bool;
  /** Offset behind the last block that is kept whole. */
  private wholeTo: u32;
  /** The text that goes beyond what is kept: where it begins; 0: there is none. */
  private textFrom: u32;
  private hasTypeBefore: bool;
  private hasType: bool;
  private isText: bool;
  private contentEnds: u32;
  /** Members of the result behind the content; and the name of the one that is read, where it is to be kept. */
  private behind: Writer;
  private name: Writer;

  private get budget(): u32 {
    return this.most - RESERVE;
  }

  /** As it stands there, or NONE. Where there are several, the last one. */
  get id(): Span {
    return this.idText.size === 0 ? NONE : this.idText.written;
  }

  /** Takes the next bytes of the message. */
  read(bytes: Span): void {
    const scanner = this.scanner;
    this.keep(first(bytes, min(this.most - (this.kept.size as u32), bytes as u32)));
    scanner.feed(bytes);
    for (let token = scanner.next(); token !== Token.More; token = scanner.next()) {
      switch (token) {
        case Token.Invalid:
          this.isInvalid = true;
          return;
        case Token.Key:
          this.readKey(scanner.depth);
          break;
        case Token.ObjectStart:
        case Token.ArrayStart:
          this.open(scanner.depth - 1, token === Token.ArrayStart);
          break;
        case Token.ObjectEnd:
        case Token.ArrayEnd:
          this.close(scanner.depth);
          break;
        default:
          this.readValue(token, scanner.depth);
      }
    }
  }

  private keep(bytes: Span): void {
    if (length(bytes) === 0) return;
    // A writer that grows has its bytes twice.
    if (hasRoom(3 * ((this.kept.size as u64) + (length(bytes) as u64)))) this.kept.bytes(bytes);
    else this.isRefused = true;
  }

  private get isInContent(): bool {
    return this.member === Member.Result && this.resultMember === Member.Content;
  }

  private readKey(depth: i32): void {
    const scanner = this.scanner;
    if (depth === MESSAGE) {
      this.member = scanner.reads(RESULT_NAME) ? Member.Result : scanner.reads(ID) ? Member.Id : Member.Other;
      if (scanner.reads(METHOD)) this.isOther = true;
      if (scanner.reads(JSONRPC) && scanner.finish <= this.budget) this.hasVersionBefore = true;
    } else if (depth === RESULT && this.member === Member.Result) {
      this.resultMember = scanner.reads(CONTENT)
        ? Member.Content
        : scanner.reads(STRUCTURED)
          ? Member.Structured
          : Member.Other;
      if (this.resultMember === Member.Content) this.hasContent = true;
      if (this.resultMember === Member.Other) this.beginBehind();
    } else if (depth === BLOCK && this.isInContent) {
      this.blockMember = scanner.reads(TYPE) ? Member.Type : scanner.reads(TEXT) ? Member.Text : Member.Other;
    }
  }

  private open(level: i32, isArray: bool): void {
    // No content that anybody knows how to cut.
    if (level === RESULT && this.isInContent && !isArray) this.isRefused = true;
    if (level !== BLOCKS || !this.isInContent) return;
    this.hasType = false;
    this.isText = false;
    this.blockMember = Member.Other;
  }

  private close(level: i32): void {
    const finish = this.scanner.finish;
    if (level === BLOCKS && this.isInContent) {
      if (finish <= this.budget) this.wholeTo = finish;
      else if (!this.isText) this.isRefused = true;
    } else if (level === RESULT && this.isInContent) this.contentEnds = finish;
    else if (level === RESULT && this.member === Member.Result) this.endStructured();
  }

  private endStructured(): void {
    if (this.resultMember === Member.Structured && this.scanner.finish > this.budget) this.isRefused = true;
  }

  private readValue(token: Token, depth: i32): void {
    const scanner = this.scanner;
    if (depth === MESSAGE && this.member === Member.Id) {
      this.idText.truncate(0);
      if (scanner.raw !== NONE) this.idText.bytes(scanner.raw);
      if (scanner.finish <= this.budget) this.hasIdBefore = true;
    } else if (depth === RESULT && this.member === Member.Result) {
      this.endStructured();
      this.endBehind(token);
    } else if (depth === BLOCKS && this.isInContent) {
      // No block at all.
      if (scanner.finish > this.budget) this.isRefused = true;
    } else if (depth === BLOCK && this.isInContent) {
      if (this.blockMember === Member.Type) {
        this.hasType = true;
        this.isText = token === Token.String && scanner.reads(TEXT);
      } else if (this.blockMember === Member.Text && token === Token.String) {
        if (scanner.start >= this.budget || scanner.finish <= this.budget) return;
        this.textFrom = scanner.start + 1;
        this.hasTypeBefore = this.hasType;
      }
    }
  }

  /** A member of the result behind the content: its name is kept until its value is known. */
  private beginBehind(): void {
    const scanner = this.scanner;
    this.name.truncate(0);
    if (scanner.start < this.budget || scanner.textLength > TEXT_CAPACITY || this.behind.size > MOST_BEHIND) return;
    writeEscaped(this.name.byte(COMMA).byte(QUOTE), scanner.text);
    this.name.byte(QUOTE).byte(COLON);
  }

  /** Its value, where that is no container. Nobody gives null for a member that may be left out. */
  private endBehind(token: Token): void {
    if (this.name.size === 0 || this.resultMember !== Member.Other) return;
    const scanner = this.scanner;
    const behind = this.behind;
    const size = scanner.finish - scanner.start;
    if (token === Token.Word) behind.bytes(this.name.written).bytes(size === 5 ? FALSE : TRUE);
    else if (token === Token.String && scanner.textLength <= TEXT_CAPACITY) {
      writeEscaped(behind.bytes(this.name.written).byte(QUOTE), scanner.text);
      behind.byte(QUOTE);
    } else if (token === Token.Number && scanner.raw !== NONE && size <= TEXT_CAPACITY) {
      behind.bytes(this.name.written).bytes(scanner.raw);
    }
    this.name.truncate(0);
  }

  /**
   * The message that is left of it. NONE: none is.
   * @param note for who reads the result, as the inside of a JSON string
   */
  cut(note: Span, arena: Arena): Span {
    if (this.isInvalid || !this.scanner.complete() || this.isRefused || this.id === NONE) return NONE;
    if (this.contentEnds <= this.budget) return NONE;
    const text = newWriter(arena, (this.most as usize) + 1024);
    if (this.textFrom !== 0) {
      text.bytes(span(this.kept.start, this.boundary())).bytes(note).byte(QUOTE);
      if (!this.hasTypeBefore) text.bytes(TEXT_TYPE);
      text.byte(CLOSING_BRACE);
    } else if (this.wholeTo !== 0) {
      text.bytes(span(this.kept.start, this.wholeTo)).bytes(NEW_BLOCK).bytes(note).byte(QUOTE).byte(CLOSING_BRACE);
    } else return NONE;
    text.byte(CLOSING_BRACKET);
    text.bytes(this.behind.written).byte(CLOSING_BRACE);
    if (!this.hasIdBefore) text.bytes(ID_MEMBER).bytes(this.id);
    if (!this.hasVersionBefore) text.bytes(VERSION_MEMBER);
    return text.byte(CLOSING_BRACE).written;
  }

  /** Where the last character ends that fits. */
  private boundary(): u32 {
    const end = this.kept.start + (this.budget as usize);
    const limit = this.kept.start + (this.kept.size as usize);
    let at = this.kept.start + (this.textFrom as usize);
    let next = at + sizeAt(at, limit);
    while (next <= end && next > at) {
      at = next;
      next = at + sizeAt(at, limit);
    }
    return (at - this.kept.start) as u32;
  }

  /** Forgets the message that was read. */
  restart(): void {
    const most = this.most;
    const scanner = this.scanner;
    const kept = this.kept;
    const id = this.idText;
    const behind = this.behind;
    const name = this.name;
    memory.fill(changetype<usize>(this), 0, offsetof<ResultReader>());
    memory.fill(changetype<usize>(scanner), 0, SCANNER_SIZE);
    kept.truncate(0);
    id.truncate(0);
    behind.truncate(0);
    name.truncate(0);
    this.most = most;
    this.scanner = newScanner(changetype<usize>(scanner), BLOCK);
    this.kept = kept;
    this.idText = id;
    this.behind = behind;
    this.name = name;
  }

  begin(most: u32, arena: Arena): ResultReader {
    this.most = most;
    this.kept = newWriter(arena, 4096);
    this.idText = newWriter(arena, 64);
    this.behind = newWriter(arena, 64);
    this.name = newWriter(arena, 64);
    this.scanner = newScanner(arena.zeroed(SCANNER_SIZE), BLOCK);
    return this;
  }
}

/** Bytes of a character in a JSON string; of two escapes that are one character, of both. */
function sizeAt(at: usize, limit: usize): usize {
  if (load<u8>(at) !== BACKSLASH) return characterSize(at, limit) as usize;
  if (load<u8>(at, 1) !== LOWER_U) return 2;
  if (at + 12 > limit || !isHigh(load<u8>(at, 2), load<u8>(at, 3))) return 6;
  return load<u8>(at, 6) === BACKSLASH && load<u8>(at, 7) === LOWER_U ? 12 : 6;
}

/** `\ud8` to `\udb`: the first half of a pair (RFC 8259 §7). */
function isHigh(c: u8, next: u8): bool {
  if ((c | 0x20) !== 0x64) return false;
  const digit = next | 0x20;
  return next === 0x38 || next === 0x39 || digit === 0x61 || digit === 0x62;
}

export function newResultReader(most: u32, arena: Arena): ResultReader {
  return make<ResultReader>(arena).begin(most, arena);
}
