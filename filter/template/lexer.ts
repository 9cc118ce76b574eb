import {
  BACKSLASH,
  CARRIAGE_RETURN,
  DOT,
  HYPHEN,
  LINE_FEED,
  PLUS,
  QUOTE,
  SPACE,
  TAB,
  UNDERSCORE,
  hexValue,
  isDigit,
  isLetter,
} from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, length, limit, literal, pointer, startsWith } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { characterSize, putUtf8 } from '../json/text';
import { pointAt } from './strings';

/** What the inside of an action is made of, in the notation of Go's text/template. */
export const enum Lexeme {
  /** Text between actions. */
  Text,
  /** `{{` */
  Open,
  /** `}}` */
  Close,
  End,
  Space,
  Name,
  /** `.name` */
  Field,
  Dot,
  /** `$` or `$name` */
  Variable,
  Number,
  /** In `text`, what it stands for. */
  String,
  /** `'a'` */
  Character,
  Pipe,
  OpenParenthesis,
  CloseParenthesis,
  /** `:=` */
  Declare,
  /** `=` */
  Assign,
  Comma,
  /** `fault` says why. */
  Invalid,
}

const LEFT = literal('{{');
const RIGHT = literal('}}');
const COMMENT = literal('/*');
const COMMENT_END = literal('*/');

const UNCLOSED_COMMENT = literal('unclosed comment');
const COMMENT_ENDS = literal('comment ends before closing delimiter');
const UNCLOSED_ACTION = literal('unclosed action');
const UNCLOSED_STRING = literal('unterminated quoted string');
const BAD_CHARACTER = literal('bad character');
const BAD_NUMBER = literal('bad number syntax');
const BAD_ESCAPE = literal('bad escape in a string');
const EXPECTED_DECLARE = literal('expected :=');

@unmanaged
export class Lexer {
  source: Span;
  private at: usize;
  private inside: bool;
  /** Text that follows is cut at its beginning. */
  private trims: bool;
  arena: Arena;
  /** What was read last: its bytes, or what they stand for. */
  text: Span;
  /** Where in the source it begins. */
  position: u32;
  fault: Span;

  begin(source: Span, arena: Arena): void {
    this.source = source;
    this.at = pointer(source);
    this.arena = arena;
  }

  next(): Lexeme {
    const end = limit(this.source);
    if (!this.inside) return this.nextText();
    const at = this.at;
    this.position = (at - pointer(this.source)) as u32;
    if (at >= end) return this.invalid(UNCLOSED_ACTION);
    if (this.closes(at)) return Lexeme.Close;
    const c: u32 = load<u8>(at);
    if (isBlank(c)) {
      while (this.at < end && isBlank(load<u8>(this.at)) && !this.trimCloses(this.at)) this.at++;
      // ` -}}` belongs to the delimiter.
      return this.at === at ? this.next() : this.take(at, Lexeme.Space);
    }
    this.at = at + 1;
    switch (c) {
      case 0x7c:
        return this.take(at, Lexeme.Pipe);
      case 0x28:
        return this.take(at, Lexeme.OpenParenthesis);
      case 0x29:
        return this.take(at, Lexeme.CloseParenthesis);
      case 0x2c:
        return this.take(at, Lexeme.Comma);
      case 0x3d:
        return this.take(at, Lexeme.Assign);
      case 0x3a: {
        if (this.at >= end || load<u8>(this.at) !== 0x3d) return this.invalid(EXPECTED_DECLARE);
        this.at++;
        return this.take(at, Lexeme.Declare);
      }
      case QUOTE:
        return this.quoted();
      case 0x60:
        return this.raw(at);
      case 0x27:
        return this.character();
      case 0x24:
        return this.word(at, Lexeme.Variable);
      case DOT: {
        if (this.at < end && isDigit(load<u8>(this.at))) return this.number(at);
        if (this.at < end && this.isWordAt(this.at)) return this.word(at, Lexeme.Field);
        return this.take(at, Lexeme.Dot);
      }
      default: {
        this.at = at;
        if (c === PLUS || c === HYPHEN || isDigit(c)) return this.number(at);
        return this.isWordAt(at) ? this.word(at, Lexeme.Name) : this.invalid(BAD_CHARACTER);
      }
    }
  }

  private take(from: usize, kind: Lexeme): Lexeme {
    this.text = between(from, this.at);
    return kind;
  }

  private invalid(fault: Span): Lexeme {
    this.fault = fault;
    return Lexeme.Invalid;
  }

  private nextText(): Lexeme {
    const end = limit(this.source);
    let from = this.at;
    if (this.trims) while (from < end && isBlank(load<u8>(from))) from++;
    this.trims = false;
    this.position = (from - pointer(this.source)) as u32;
    let to = from;
    while (to < end && !startsWith(between(to, end), LEFT)) to++;
    if (to === end) {
      this.at = end;
      if (from === end) return Lexeme.End;
      return this.take(from, Lexeme.Text);
    }
    // The delimiter; a text before it is given first, and the delimiter with the next call.
    const trim = to + 3 < end && load<u8>(to + 2) === HYPHEN && isBlank(load<u8>(to + 3));
    let textEnd = to;
    if (trim) while (textEnd > from && isBlank(load<u8>(textEnd - 1))) textEnd--;
    if (textEnd > from) {
      this.at = to;
      this.text = between(from, textEnd);
      return Lexeme.Text;
    }
    this.position = (to - pointer(this.source)) as u32;
    this.at = to + (trim ? 4 : 2);
    if (startsWith(between(this.at, end), COMMENT)) return this.comment();
    this.inside = true;
    this.text = LEFT;
    return Lexeme.Open;
  }

  private comment(): Lexeme {
    const end = limit(this.source);
    let at = this.at + 2;
    while (at < end && !startsWith(between(at, end), COMMENT_END)) at++;
    if (at === end) return this.invalid(UNCLOSED_COMMENT);
    this.at = at + 2;
    if (!this.closes(this.at)) return this.invalid(COMMENT_ENDS);
    return this.nextText();
  }

  /** Takes the right delimiter, where it is here. */
  private closes(at: usize): bool {
    const end = limit(this.source);
    const trims = this.trimCloses(at);
    if (!trims && !startsWith(between(at, end), RIGHT)) return false;
    this.at = at + (trims ? 4 : 2);
    this.trims = trims;
    this.inside = false;
    this.text = RIGHT;
    return true;
  }

  private trimCloses(at: usize): bool {
    const end = limit(this.source);
    return (
      at + 4 <= end && isBlank(load<u8>(at)) && load<u8>(at, 1) === HYPHEN && startsWith(between(at + 2, end), RIGHT)
    );
  }

  private isWordAt(at: usize): bool {
    const c: u32 = load<u8>(at);
    if (c < 0x80) return isLetter(c) || isDigit(c) || c === UNDERSCORE;
    const size = characterSize(at, limit(this.source));
    return size > 1 && isLetterPoint(pointAt(at, size));
  }

  private word(from: usize, kind: Lexeme): Lexeme {
    const end = limit(this.source);
    while (this.at < end && this.isWordAt(this.at)) this.at += max<usize>(characterSize(this.at, end), 1);
    if (!this.isTerminated()) {
      this.position = (this.at - pointer(this.source)) as u32;
      return this.invalid(BAD_CHARACTER);
    }
    return this.take(from, kind);
  }

  /** Whether what may follow a word follows. */
  private isTerminated(): bool {
    const end = limit(this.source);
    if (this.at >= end) return true;
    const c: u32 = load<u8>(this.at);
    if (isBlank(c) || c === DOT || c === 0x2c || c === 0x7c || c === 0x3a || c === 0x28 || c === 0x29) return true;
    return startsWith(between(this.at, end), RIGHT);
  }

  private number(from: usize): Lexeme {
    const end = limit(this.source);
    this.at = from;
    const sign: u32 = load<u8>(this.at);
    if (sign === PLUS || sign === HYPHEN) this.at++;
    while (this.at < end && isNumberCharacter(this.at, from)) this.at++;
    if ((this.at < end && this.isWordAt(this.at)) || this.at === from + 1 - (isDigit(sign) || sign === DOT ? 1 : 0)) {
      return this.invalid(BAD_NUMBER);
    }
    return this.take(from, Lexeme.Number);
  }

  private raw(from: usize): Lexeme {
    const end = limit(this.source);
    while (this.at < end && load<u8>(this.at) !== 0x60) this.at++;
    if (this.at === end) return this.invalid(UNCLOSED_STRING);
    this.text = between(from + 1, this.at++);
    return Lexeme.String;
  }

  /** A string or character in Go's notation, from behind its opening quote to behind its closing one. */
  private unquoted(quote: u8): bool {
    const end = limit(this.source);
    const writer = newWriter(this.arena, 32);
    while (this.at < end && load<u8>(this.at) !== quote) {
      const c = load<u8>(this.at++);
      if (c === LINE_FEED) return false;
      if (c !== BACKSLASH) writer.byte(c);
      else if (!this.escape(writer)) return false;
    }
    if (this.at >= end) return false;
    this.at++;
    this.text = writer.written;
    return true;
  }

  private quoted(): Lexeme {
    if (this.unquoted(QUOTE)) return Lexeme.String;
    return this.invalid(
      this.at >= limit(this.source) || load<u8>(this.at - 1) === LINE_FEED ? UNCLOSED_STRING : BAD_ESCAPE,
    );
  }

  private character(): Lexeme {
    if (!this.unquoted(0x27)) return this.invalid(BAD_ESCAPE);
    const text = this.text;
    const size: usize = length(text) === 0 ? 0 : characterSize(pointer(text), limit(text));
    if (size === 0 || size !== (length(text) as usize)) return this.invalid(BAD_ESCAPE);
    return Lexeme.Character;
  }

  private escape(writer: Writer): bool {
    if (this.at >= limit(this.source)) return false;
    const c: u32 = load<u8>(this.at++);
    switch (c) {
      case 0x61:
        writer.byte(7);
        return true;
      case 0x62:
        writer.byte(8);
        return true;
      case 0x66:
        writer.byte(12);
        return true;
      case 0x6e:
        writer.byte(10);
        return true;
      case 0x72:
        writer.byte(13);
        return true;
      case 0x74:
        writer.byte(9);
        return true;
      case 0x76:
        writer.byte(11);
        return true;
      case 0x78:
        return this.hex(writer, 2);
      case 0x75:
        return this.hex(writer, 4);
      case 0x55:
        return this.hex(writer, 8);
      default: {
        if (c !== BACKSLASH && c !== QUOTE && c !== 0x27) return false;
        writer.byte(c as u8);
        return true;
      }
    }
  }

  private hex(writer: Writer, digits: i32): bool {
    let value: u32 = 0;
    for (let i = 0; i < digits; i++) {
      const digit = this.at < limit(this.source) ? hexValue(load<u8>(this.at)) : -1;
      if (digit < 0) return false;
      value = (value << 4) | (digit as u32);
      this.at++;
    }
    if (digits === 2) writer.byte(value as u8);
    else {
      if (value > 0x10ffff || (value & 0xfffff800) === 0xd800) return false;
      writer.wrote(putUtf8(writer.room(4), value) - writer.room(4));
    }
    return true;
  }
}

/** Hexadecimal digits behind `0x`, an exponent with its sign, underscores: what they mean is looked at later. */
function isNumberCharacter(at: usize, from: usize): bool {
  const c: u32 = load<u8>(at);
  if (isDigit(c) || c === DOT || c === UNDERSCORE) return true;
  const hex =
    (load<u8>(from) === 0x30 && (load<u8>(from, 1) | 0x20) === 0x78) ||
    (load<u8>(from, 1) === 0x30 && (load<u8>(from, 2) | 0x20) === 0x78);
  const letter = c | 0x20;
  if (hex) return letter === 0x78 || hexValue(c) >= 0;
  if (letter === 0x65) return true;
  return (c === PLUS || c === HYPHEN) && (load<u8>(at - 1) | 0x20) === 0x65;
}

function isBlank(c: u32): bool {
  return c === SPACE || c === TAB || c === LINE_FEED || c === CARRIAGE_RETURN;
}

/** Whether a character beyond ASCII can be in a name: a letter or a digit, and no mark, symbol or space. */
function isLetterPoint(point: u32): bool {
  if (point < 0xaa || point === 0xd7 || point === 0xf7) return false;
  if (point < 0xc0) return point === 0xaa || point === 0xb5 || point === 0xba;
  if (point < 0x2000) return true;
  if (point < 0x2c00 || (point >= 0x2e00 && point < 0x3005)) return false;
  if (
    (point >= 0xe000 && point < 0xf900) ||
    (point >= 0xfe10 && point < 0xfe70) ||
    (point >= 0xffe0 && point < 0x10000)
  )
    return false;
  return point < 0x1f000 || (point >= 0x20000 && point < 0x32000);
}

export function newLexer(source: Span, arena: Arena): Lexer {
  const lexer = make<Lexer>(arena);
  lexer.begin(source, arena);
  return lexer;
}
