import {
  DELETE,
  EQUALS_SIGN,
  GREATER_THAN,
  HYPHEN,
  LESS_THAN,
  PLUS,
  SPACE,
  TILDE,
  UNDERSCORE,
  isDigit,
  isLetter,
  lowerCase,
} from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, contains, length, limit, literal, pointer, startsWith, trim, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { withoutMark } from '../json/byte-order-mark';
import { isJson, kindOf, Kind, member, strip } from '../json/reader';
import { textOf } from '../json/text';
import { clipped } from '../mcp/header-text';

/**
 * What a server says when it refuses, for people: on one line, short, without markup, and without what may be a secret.
 * Servers say it in JSON-RPC, in other JSON, as text, or as a page of HTML.
 */
@unmanaged
export class Refusal {
  /** NONE where it says nothing that can be read. */
  words: Span;
  /** The code of a JSON-RPC error, as it was written; else NONE. */
  code: Span;
}

/** Bytes. Only the beginning of a longer body is looked at, as text. */
export const MOST_OF_REFUSAL: u32 = 64 << 10;
/** Bytes of text that are looked at, and of words that are kept. */
const MOST_READ: i32 = 4 << 10;
const MOST_WORDS: i32 = 160;
/** Characters in a row from which on they may be a token, a key or a session id. */
const SECRET_LENGTH: usize = 32;
const LEFT_OUT = literal('...');

const ERROR = literal('error');
const CODE = literal('code');
const MESSAGE = literal('message');
/** OAuth (RFC 6749 §5.2), problem details (RFC 9457 §3.1). */
const DESCRIPTION = literal('error_description');
const DETAIL = literal('detail');
const TITLE = literal('title');

/** @param body as far as it is there, or NONE */
export function readRefusal(body: Span, arena: Arena): Refusal {
  const refusal = make<Refusal>(arena);
  if (length(body) === 0) return refusal;
  const document = strip(withoutMark(body));
  if (length(document) > 0 && (body as u32) <= MOST_OF_REFUSAL && isJson(document, arena)) {
    readDocument(refusal, document, arena);
    if (refusal.words !== NONE) return refusal;
  }
  refusal.words = plainWords(document, startsWith(document, MARKUP), arena);
  return refusal;
}

const MARKUP = literal('<');

/** @param document one of JSON */
function readDocument(refusal: Refusal, document: Span, arena: Arena): void {
  const error = member(document, ERROR, arena);
  if (error !== NONE && kindOf(error) === Kind.Object) {
    const code = member(error, CODE, arena);
    if (code !== NONE && kindOf(code) === Kind.Number) refusal.code = code;
    refusal.words = textMember(error, MESSAGE, arena);
  }
  if (refusal.words === NONE) refusal.words = textMember(document, DESCRIPTION, arena);
  if (refusal.words === NONE) refusal.words = textMember(document, MESSAGE, arena);
  if (refusal.words === NONE) refusal.words = textMember(document, DETAIL, arena);
  if (refusal.words === NONE) refusal.words = textMember(document, ERROR, arena);
  if (refusal.words === NONE) refusal.words = textMember(document, TITLE, arena);
}

/** The words in a member that is text, or NONE. */
function textMember(object: Span, name: Span, arena: Arena): Span {
  const value = member(object, name, arena);
  if (value === NONE || kindOf(value) !== Kind.String) return NONE;
  const text = textOf(value, arena);
  return text === NONE ? NONE : plainWords(text, false, arena);
}

/** The beginning of a text as words with a space between, or NONE where it has none. @param markup what is in `<…>` is left out */
export function plainWords(text: Span, markup: bool, arena: Arena): Span {
  const words = newWriter(arena, 256);
  let inTag = false;
  let from: usize = 0;
  const end = limit(clipped(text, MOST_READ));
  for (let at = pointer(text); at < end && words.size < MOST_WORDS; at++) {
    const c = load<u8>(at);
    const isBreak = inTag || c <= SPACE || c === DELETE || (markup && c === LESS_THAN);
    if (isBreak && from !== 0) {
      addWord(words, between(from, at));
      from = 0;
    } else if (!isBreak && from === 0) from = at;
    if (markup && c === LESS_THAN) inTag = true;
    else if (inTag && c === GREATER_THAN) inTag = false;
  }
  if (from !== 0 && words.size < MOST_WORDS) addWord(words, between(from, end));
  return saysSomething(words.written) ? trim(clipped(words.written, MOST_WORDS)) : NONE;
}

/** Punctuation alone, such as an empty object, does not. */
function saysSomething(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) if (load<u8>(at) > 0x7f || isOfWords(load<u8>(at))) return true;
  return false;
}

function isOfWords(c: u8): bool {
  return isLetter(c) || isDigit(c);
}

function addWord(words: Writer, word: Span): void {
  if (words.size > 0) words.byte(SPACE);
  let at = pointer(word);
  while (at < limit(word)) {
    const from = at;
    while (at < limit(word) && isOfTokens(load<u8>(at))) at++;
    if (at - from >= SECRET_LENGTH) words.bytes(LEFT_OUT);
    else words.bytes(between(from, at));
    if (at < limit(word)) words.byte(load<u8>(at++));
  }
}

/** Characters of RFC 6750's b64token, without what also stands between the parts of names and paths. */
function isOfTokens(c: u8): bool {
  return isOfWords(c) || c === HYPHEN || c === UNDERSCORE || c === TILDE || c === PLUS || c === EQUALS_SIGN;
}

/** Whether the words repeat a credential. @param credential the value of its header, as `Bearer abc` */
export function repeats(words: Span, credential: Span): bool {
  if (words === NONE || length(credential) === 0) return false;
  let from = pointer(credential);
  for (let at = from; at < limit(credential); at++) if (load<u8>(at) === SPACE) from = at + 1;
  const secret = between(from, limit(credential));
  return length(secret) > 0 && contains(words, secret);
}

/** Whether the words have this text in them, letters in whatever case. @param part in lower case */
export function mentions(words: Span, part: Span): bool {
  const size = length(part) as usize;
  for (let at = pointer(words); at + size <= limit(words); at++) {
    let same: usize = 0;
    while (same < size && lowerCase(load<u8>(at + same)) === load<u8>(pointer(part) + same)) same++;
    if (same === size) return true;
  }
  return false;
}
