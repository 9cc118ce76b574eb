import {
  BACKSLASH,
  CARRIAGE_RETURN,
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COLON,
  COMMA,
  DOT,
  HYPHEN,
  LINE_FEED,
  LOWER_E,
  LOWER_F,
  LOWER_N,
  LOWER_T,
  LOWER_U,
  OPENING_BRACE,
  OPENING_BRACKET,
  PLUS,
  QUOTE,
  SPACE,
  TAB,
  ZERO,
  hexValue,
  isDigit,
} from '../bytes/ascii';
import { BLOCK } from './bits';
import { unescaped } from './escape';
import {
  NOTHING,
  canPass,
  depthOf,
  isInKey,
  openedAt,
  opensString,
  passPlain,
  passText,
  passTokens,
  passedBytes,
  stateOf,
} from './block';
import { BEHIND_STACK } from './levels';
import { MOST_AROUND, endOfPlain, passMembers } from './plain-members';
import { State } from './state';
import { FALSE_TAIL, Fault, MAX_DEPTH, NULL, TEXT_CAPACITY, TRUE, Token } from './token';
import { Span, span, equals, pointer, limit, NONE } from '../bytes/span';

function isSpace(c: u32): bool {
  return c === SPACE || c === LINE_FEED || c === CARRIAGE_RETURN || c === TAB;
}

/**
 * A strict JSON scanner (RFC 8259, UTF-8 of RFC 3629) that can stop after any byte and go on with the next chunk. It
 * copies nothing and decodes nothing but member names: a token is a pair of offsets into the document.
 *
 *     scanner.feed(chunk); while ((token = scanner.next()) > Token.Invalid) …; at the end: scanner.complete()
 *
 * Tokens deeper than `watch` are checked but not reported, so a large argument costs no call per value.
 */
@unmanaged
export class Scanner {
  private chunk: usize;
  private at: usize;
  private end: usize;
  private base: u32;
  private state: i32;
  /** Deepest level whose tokens are reported: 0 the document itself, 1 its members, … May change between tokens. */
  watch: i32;
  /**
   * Bits of the members that are looked for in the object that is open, see plain-members.ts: others may pass without a
   * report, with all that is in them. 0: each is reported. May change between tokens.
   */
  sought: u64;
  /** `text` is of keys only: values are copied by nobody. */
  capturesKeysAlone: bool;
  /** Containers open now. */
  depth: i32;
  /** Offsets of the last token, quotes included, from the first byte of the document; they wrap at 4 GiB. */
  start: u32;
  finish: u32;
  fault: Fault;
  /** Unescaped length of the last string, which may exceed what `text` holds. */
  textLength: u32;
  /** The last number has neither fraction nor exponent. */
  integral: bool;
  /** The last word is `null`. */
  isNull: bool;
  private inKey: bool;
  private capturing: bool;
  private codeUnit: u32;
  private digits: i32;
  private tail: i32;
  private tailLow: u32;
  private tailHigh: u32;
  /** The letters of a literal that are still to come, first one lowest. */
  private word: u32;
  // Behind the fields: TEXT_CAPACITY bytes of text, then MAX_DEPTH bits of stack, 1 = object, and BEHIND_STACK bytes.

  feed(bytes: Span): void {
    this.base += (this.end - this.chunk) as u32;
    this.chunk = pointer(bytes);
    this.at = this.chunk;
    this.end = limit(bytes);
  }

  /** Bytes that stand before the document, and count as offsets only. */
  skip(count: u32): void {
    this.base += count;
  }

  /** Offset of the next byte to read. */
  get position(): u32 {
    return this.offset(this.at);
  }

  /** The last string, unescaped, cut at TEXT_CAPACITY. Surrogates appear as three bytes each (no name of ours has one). */
  get text(): Span {
    return span(this.textBytes, min(this.textLength, TEXT_CAPACITY));
  }

  /** Whether `text` is all of the last string, and equal to this. */
  reads(text: Span): bool {
    return this.textLength <= TEXT_CAPACITY && equals(this.text, text);
  }

  /** The last token as it was written, or NONE where it began in an earlier chunk. */
  get raw(): Span {
    const from = (this.start - this.base) as i32;
    return from < 0 ? NONE : span(this.chunk + (from as usize), this.finish - this.start);
  }

  /** The part of the last token that stands in this chunk. */
  get rawHere(): Span {
    const from = (this.start - this.base) as i32;
    return from < 0 ? span(this.chunk, this.finish - this.base) : this.raw;
  }

  /** What has come in this chunk of a value that is no container and has not ended, or NONE. */
  get unfinished(): Span {
    const inString = this.state >= State.InString && this.state <= State.Utf8Tail;
    if (this.state < State.InString || (inString && this.inKey)) return NONE;
    const from = max((this.start - this.base) as i32, 0) as usize;
    return span(this.chunk + from, (this.end - this.chunk - from) as u32);
  }

  /** Whether what was fed is one whole document. A bare number ends only here. */
  complete(): bool {
    return this.state === State.Done || this.isNumber;
  }

  /** What has come is a number that nothing follows: no token tells of it, as it could go on. */
  get isNumber(): bool {
    return this.depth === 0 && endsNumber(this.state);
  }

  next(): Token {
    while (this.at < this.end) {
      if (this.depth > this.watch && this.depth > 0) {
        this.skim();
        if (this.at === this.end) return Token.More;
      } else if (
        this.sought !== 0 &&
        (this.state === State.NextKey || this.state === State.KeyOrEnd) &&
        this.depth <= MOST_AROUND
      ) {
        const passed = passMembers(this.at, this.end, this.sought);
        if (passed !== 0) {
          this.at = (passed >> 32) as usize;
          this.state = passed as i32;
          if (this.at === this.end) return Token.More;
        }
      }
      const token = this.step(load<u8>(this.at));
      if (token !== Token.More) return token;
    }
    return Token.More;
  }

  private get textBytes(): usize {
    return changetype<usize>(this) + offsetof<Scanner>();
  }

  private get stack(): usize {
    return this.textBytes + (TEXT_CAPACITY as usize);
  }

  private offset(at: usize): u32 {
    return this.base + ((at - this.chunk) as u32);
  }

  /** Consumes at least one byte, or ends a number; More means that there is nothing to report. */
  private step(c: u32): Token {
    switch (this.state) {
      case State.InString:
        return this.string();
      case State.AfterValue: {
        this.at++;
        if (c === COMMA) {
          this.state = this.inObject() ? State.NextKey : State.Value;
          return Token.More;
        }
        if (c === CLOSING_BRACE || c === CLOSING_BRACKET) return this.close(c);
        return isSpace(c) ? Token.More : this.fail(Fault.Syntax, 1);
      }
      case State.KeyOrEnd:
        if (c === CLOSING_BRACE) {
          this.at++;
          return this.close(c);
        }
      // falls through
      case State.NextKey: {
        this.at++;
        if (c === QUOTE) return this.open(true);
        return isSpace(c) ? Token.More : this.fail(Fault.Syntax, 1);
      }
      case State.Colon: {
        this.at++;
        if (c === COLON) {
          this.state = State.Value;
          return this.at < this.end ? this.value(load<u8>(this.at)) : Token.More;
        }
        return isSpace(c) ? Token.More : this.fail(Fault.Syntax, 1);
      }
      case State.ElementOrEnd:
        if (c === CLOSING_BRACKET) {
          this.at++;
          return this.close(c);
        }
      // falls through
      case State.Value:
        return this.value(c);
      case State.Escape:
        return this.escape(c);
      case State.Unicode:
        return this.unicode(c);
      case State.Utf8Tail:
        return this.utf8Tail(c);
      case State.InWord: {
        if (c !== (this.word & 0xff)) return this.fail(Fault.Syntax);
        this.at++;
        this.word >>= 8;
        return this.word === 0 ? this.scalar(Token.Word) : Token.More;
      }
      case State.Done:
        if (!isSpace(c)) return this.fail(Fault.Syntax);
        this.at++;
        return Token.More;
      case State.Failed:
        return Token.Invalid;
      default:
        return this.number(c);
    }
  }

  /** Goes on where nothing is reported, in blocks as far as there are any. */
  private skim(): void {
    const floor = max(this.watch, 0) + 1;
    while (canPass(this.state)) {
      if (this.state === State.InString) this.at = passPlain(this.at, this.end);
      if (this.at + BLOCK > this.end) break;
      const passed = passTokens(this.at, this.state, this.inKey, this.depth, floor, this.stack);
      if (passed === NOTHING) break;
      this.state = stateOf(passed);
      this.depth = depthOf(passed);
      this.inKey = isInKey(passed);
      if (opensString(passed)) {
        this.start = this.offset(this.at + openedAt(passed));
        this.capturing = false;
        this.textLength = 0;
      }
      this.at += passedBytes(passed);
    }
    this.skimOneByOne();
  }

  /**
   * Goes on where nothing is reported, as far as it is plain, at a third of what the same steps cost one by one. Consumes
   * nothing but what `step` would consume without a report; all else is left to it: the end of what is unreported, rare
   * forms of numbers and strings, and every fault.
   */
  private skimOneByOne(): void {
    const end = this.end;
    let at = this.at;
    let state = this.state;
    let inObject = this.inObject();
    while (at < end) {
      const c: u32 = load<u8>(at);
      if (state === State.InString) {
        at = endOfPlain(at, end);
        if (at === end) break;
        if (load<u8>(at) === QUOTE) {
          state = this.inKey ? State.Colon : State.AfterValue;
          at++;
        } else {
          if (load<u8>(at) !== BACKSLASH || at + 1 === end || unescaped(load<u8>(at + 1)) === 0) break;
          at += 2;
        }
      } else if (isSpace(c)) {
        if (state > State.AfterValue) break;
        at++;
      } else if (c === QUOTE) {
        if (state >= State.Colon) break;
        this.inKey = inObject && state !== State.Value;
        this.capturing = false;
        this.textLength = 0;
        this.start = this.offset(at);
        state = State.InString;
        at++;
      } else if (state === State.Colon) {
        if (c !== COLON) break;
        state = State.Value;
        at++;
      } else if (state === State.AfterValue) {
        if (c === COMMA) state = inObject ? State.NextKey : State.Value;
        else {
          if (c !== (inObject ? CLOSING_BRACE : CLOSING_BRACKET) || this.depth <= max(this.watch, 0) + 1) break;
          this.depth--;
          inObject = this.inObject();
        }
        at++;
      } else if (state === State.Value || state === State.ElementOrEnd) {
        if (c === OPENING_BRACE || c === OPENING_BRACKET) {
          if (this.depth === MAX_DEPTH) break;
          inObject = c === OPENING_BRACE;
          this.enter(inObject);
          state = inObject ? State.KeyOrEnd : State.ElementOrEnd;
          at++;
        } else {
          // A number that begins with a zero ends behind it, unless it has a fraction or an exponent.
          if (c === ZERO || !isDigit(c)) break;
          const rest = endOfDigits(at, end);
          if (rest === end || load<u8>(rest) === DOT || (load<u8>(rest) | 0x20) === LOWER_E) break;
          state = State.AfterValue;
          at = rest;
        }
      } else break;
    }
    this.at = at;
    this.state = state;
  }

  private value(c: u32): Token {
    if (isSpace(c)) {
      this.at++;
      return Token.More;
    }
    if (c === QUOTE) {
      this.at++;
      return this.open(false);
    }
    this.start = this.offset(this.at);
    this.at++;
    if (c === OPENING_BRACE || c === OPENING_BRACKET) return this.push(c === OPENING_BRACE);
    this.integral = true;
    if (c === HYPHEN) this.state = State.Minus;
    else if (c === ZERO) this.state = State.Zero;
    else if (isDigit(c)) this.state = State.Integer;
    else {
      this.isNull = c === LOWER_N;
      if (c === LOWER_T) this.word = TRUE >> 8;
      else if (c === LOWER_F) this.word = FALSE_TAIL;
      else if (this.isNull) this.word = NULL >> 8;
      else return this.fail(Fault.Syntax, 1);
      this.state = State.InWord;
    }
    return Token.More;
  }

  private inObject(): bool {
    const index = this.depth - 1;
    return ((load<u8>(this.stack + ((index >> 3) as usize)) >> ((index & 7) as u8)) & 1) !== 0;
  }

  private push(object: bool): Token {
    if (this.depth === MAX_DEPTH) return this.fail(Fault.Depth, 1);
    this.enter(object);
    this.finish = this.start + 1;
    this.state = object ? State.KeyOrEnd : State.ElementOrEnd;
    if (this.depth > this.watch + 1) return Token.More;
    return object ? Token.ObjectStart : Token.ArrayStart;
  }

  private enter(object: bool): void {
    const slot = this.stack + ((this.depth >> 3) as usize);
    const bit: u8 = 1 << ((this.depth & 7) as u8);
    store<u8>(slot, object ? load<u8>(slot) | bit : load<u8>(slot) & ~bit);
    this.depth++;
  }

  /** The closing byte was consumed. */
  private close(c: u32): Token {
    if (this.depth === 0) return this.fail(Fault.Syntax, 1);
    const object = this.inObject();
    if (object !== (c === CLOSING_BRACE)) return this.fail(Fault.Syntax, 1);
    this.depth--;
    this.finish = this.offset(this.at);
    this.start = this.finish - 1;
    this.state = this.depth === 0 ? State.Done : State.AfterValue;
    if (this.depth > this.watch) return Token.More;
    return object ? Token.ObjectEnd : Token.ArrayEnd;
  }

  private scalar(token: Token): Token {
    this.finish = this.offset(this.at);
    this.state = this.depth === 0 ? State.Done : State.AfterValue;
    return this.depth > this.watch ? Token.More : token;
  }

  /** The opening quote was consumed. */
  private open(key: bool): Token {
    this.start = this.offset(this.at - 1);
    this.inKey = key;
    this.capturing = this.depth <= this.watch && (key || !this.capturesKeysAlone);
    this.textLength = 0;
    this.state = State.InString;
    return this.at < this.end ? this.string() : Token.More;
  }

  private string(): Token {
    const from = this.at;
    const end = this.end;
    let at: usize;
    if (this.capturing) {
      at = endOfPlain(from, end);
      this.capture(from, (at - from) as u32);
    } else {
      // What ends soon is found sooner without blocks.
      at = endOfPlain(from, min(end, from + BLOCK));
      if ((at === end || load<u8>(at) !== QUOTE) && this.passedText()) return Token.More;
      at = endOfPlain(at, end);
    }
    this.at = at;
    if (at === end) return Token.More;

    const c: u32 = load<u8>(at);
    if (c > 0x7f) return this.utf8Lead(c);
    if (c < SPACE) return this.fail(Fault.Syntax);
    this.at++;
    if (c === BACKSLASH) {
      this.state = State.Escape;
      return Token.More;
    }
    if (!this.inKey) return this.scalar(Token.String);
    this.finish = this.offset(this.at);
    this.state = State.Colon;
    return this.depth > this.watch ? Token.More : Token.Key;
  }

  /** Goes on inside a string that is not kept, in blocks as far as there are any. @returns whether it did */
  private passedText(): bool {
    const from = this.at;
    while (this.at + BLOCK <= this.end) {
      const count = passText(this.at);
      this.at += count;
      if (count === 0) break;
    }
    return this.at !== from;
  }

  private capture(from: usize, count: u32): void {
    const kept = this.textLength;
    if (kept < TEXT_CAPACITY) {
      memory.copy(this.textBytes + (kept as usize), from, min(count, TEXT_CAPACITY - kept) as usize);
    }
    this.textLength = kept + count;
  }

  private captureByte(c: u32): void {
    if (this.textLength < TEXT_CAPACITY) store<u8>(this.textBytes + (this.textLength as usize), c as u8);
    this.textLength++;
  }

  private escape(c: u32): Token {
    const plain = unescaped(c);
    if (plain === 0 && c !== LOWER_U) return this.fail(Fault.Syntax);
    this.at++;
    if (c === LOWER_U) {
      this.codeUnit = 0;
      this.digits = 0;
      this.state = State.Unicode;
    } else {
      if (this.capturing) this.captureByte(plain);
      this.state = State.InString;
    }
    return Token.More;
  }

  private unicode(c: u32): Token {
    const digit = hexValue(c);
    if (digit < 0) return this.fail(Fault.Syntax);
    this.at++;
    this.codeUnit = (this.codeUnit << 4) | (digit as u32);
    if (++this.digits < 4) return Token.More;
    if (this.capturing) {
      const unit = this.codeUnit;
      if (unit < 0x80) this.captureByte(unit);
      else {
        if (unit < 0x800) this.captureByte(0xc0 | (unit >> 6));
        else {
          this.captureByte(0xe0 | (unit >> 12));
          this.captureByte(0x80 | ((unit >> 6) & 0x3f));
        }
        this.captureByte(0x80 | (unit & 0x3f));
      }
    }
    this.state = State.InString;
    return Token.More;
  }

  /** RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF. */
  private utf8Lead(c: u32): Token {
    this.tailLow = 0x80;
    this.tailHigh = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) this.tail = 1;
    else if ((c & 0xf0) === 0xe0) {
      this.tail = 2;
      if (c === 0xe0) this.tailLow = 0xa0;
      else if (c === 0xed) this.tailHigh = 0x9f;
    } else if (c >= 0xf0 && c <= 0xf4) {
      this.tail = 3;
      if (c === 0xf0) this.tailLow = 0x90;
      else if (c === 0xf4) this.tailHigh = 0x8f;
    } else return this.fail(Fault.Utf8);
    if (this.capturing) this.captureByte(c);
    this.at++;
    this.state = State.Utf8Tail;
    return Token.More;
  }

  private utf8Tail(c: u32): Token {
    if (c < this.tailLow || c > this.tailHigh) return this.fail(Fault.Utf8);
    this.tailLow = 0x80;
    this.tailHigh = 0xbf;
    if (this.capturing) this.captureByte(c);
    this.at++;
    if (--this.tail === 0) this.state = State.InString;
    return Token.More;
  }

  private number(c: u32): Token {
    const digit = isDigit(c);
    const state = this.state;
    switch (state) {
      case State.Minus:
        if (!digit) return this.fail(Fault.Syntax);
        this.state = c === ZERO ? State.Zero : State.Integer;
        break;
      case State.Point:
        if (!digit) return this.fail(Fault.Syntax);
        this.state = State.Fraction;
        break;
      case State.Exponent:
        if (digit) this.state = State.ExponentDigits;
        else if (c === PLUS || c === HYPHEN) this.state = State.ExponentSign;
        else return this.fail(Fault.Syntax);
        break;
      case State.ExponentSign:
        if (!digit) return this.fail(Fault.Syntax);
        this.state = State.ExponentDigits;
        break;
      default: {
        if (digit && state !== State.Zero) break;
        if (c === DOT && (state === State.Zero || state === State.Integer)) {
          this.integral = false;
          this.state = State.Point;
          break;
        }
        if ((c | 0x20) === LOWER_E && state !== State.ExponentDigits) {
          this.integral = false;
          this.state = State.Exponent;
          break;
        }
        // Not part of the number: it ends before this byte, which the next step reads.
        return this.scalar(Token.Number);
      }
    }
    this.at++;
    return Token.More;
  }

  /** @param back how many bytes before the current one the fault is */
  private fail(fault: Fault, back: usize = 0): Token {
    this.at -= back;
    this.fault = fault;
    this.state = State.Failed;
    return Token.Invalid;
  }
}

function endOfDigits(at: usize, end: usize): usize {
  while (at < end && isDigit(load<u8>(at))) at++;
  return at;
}

function endsNumber(state: i32): bool {
  return state === State.Zero || state === State.Integer || state === State.Fraction || state === State.ExponentDigits;
}

/** Bytes that a scanner takes: its fields, its text, its stack with what stands behind it. */
export const SCANNER_SIZE: usize =
  offsetof<Scanner>() + (TEXT_CAPACITY as usize) + ((MAX_DEPTH >> 3) as usize) + BEHIND_STACK;

/** @param at SCANNER_SIZE bytes, cleared */
export function newScanner(at: usize, watch: i32): Scanner {
  const scanner = changetype<Scanner>(at);
  scanner.watch = watch;
  return scanner;
}
