import {
  CLOSING_BRACE,
  COLON,
  COMMA,
  DELETE,
  EQUALS_SIGN,
  HASH,
  OPENING_BRACE,
  PERCENT,
  QUESTION_MARK,
  QUOTE,
  SLASH,
  SPACE,
  TAB,
  hexDigit,
  isVisible,
} from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { hasDotSegment } from '../bytes/dot-segments';
import { HeaderList, newHeaderList, readPairs } from '../bytes/pairs';
import {
  Span,
  after,
  equals,
  equalsIgnoringCase,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  trim,
  NONE,
} from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { isJson } from '../json/reader';
import { writeEscaped } from '../json/text';
import * as header from '../mcp/headers';
import { ArgumentsTo, headerWay, Position, RestHeader, RestSecurity, RestTool } from '../model/rest';
import { Program, Way } from '../template/program';
import { render } from '../template/run';
import { writePercent } from '../template/text';
import { parameterText, RestArguments } from './rest-arguments';

/** What a REST service is asked. */
@unmanaged
export class RestRequest {
  path: Span;
  /** NONE: none. */
  body: Span;
  /** A value of NONE removes what the client sent. */
  headers: HeaderList;
  /** Why it cannot be made, for who sent the arguments; NONE: nothing is wrong. */
  fault: Span;
  /** The fault is no argument's: the client has not sent the credential that is to be passed on. */
  lacksCredential: bool;
}

/** Bytes of path and query, and of the value of a header: HTTP servers take 8 KiB of each. */
const MOST_PATH: u32 = 8 << 10;
const MOST_HEADER: u32 = 8 << 10;

const JSON_BODY = literal('application/json; charset=utf-8');
const FORM_BODY = literal('application/x-www-form-urlencoded');
const ANY = literal('*/*');
const URL_TEMPLATE = literal('URL template: ');
const HEADER_TEMPLATE = literal('header template: ');
const BODY_TEMPLATE = literal('body template: ');
const DOT_SEGMENT = literal('an argument would make "." or ".." a part of the path, which names another resource');
const PATH_TOO_LONG = literal('path and query are longer than 8 KiB');
const BAD_HEADER = literal('has a line break or another control character, which no header can have');
const HEADER_TOO_LONG = literal('is longer than 8 KiB, which no header can be');
const IS_MISSING = literal(' is missing');
const IS_NOT = literal(' does not begin with ');
const COLON_SPACE = literal(': ');
const COOKIE_SEPARATOR = literal('; ');

/** @param client its headers, for a credential that is passed through. @param most bytes of the body */
export function restRequest(
  tool: RestTool,
  values: RestArguments,
  client: Span,
  most: u32,
  now: u64,
  arena: Arena,
): RestRequest {
  const request = make<RestRequest>(arena);
  request.headers = newHeaderList(arena);
  writeHeaders(request, tool, values, now, arena);
  if (request.fault === NONE) writeBody(request, tool, values, most, now, arena);
  const query = newWriter(arena, 256);
  if (request.fault === NONE) writeQuery(query, tool, values, arena);
  if (request.fault === NONE && tool.security !== null) addCredential(request, query, tool.security!, client, arena);
  if (request.fault === NONE) writePath(request, tool, values, query.written, now, arena);
  return request;
}

function run(
  request: RestRequest,
  program: Program,
  values: RestArguments,
  way: Way,
  most: u32,
  what: Span,
  now: u64,
  arena: Arena,
): Span {
  const rendering = render(program, values.data, way, most, now, arena);
  if (rendering.text === NONE) request.fault = newWriter(arena, 128).bytes(what).bytes(rendering.fault).written;
  return rendering.text;
}

/** The arguments that go into the query, after each other as `a=1&b=2`. */
function writeQuery(query: Writer, tool: RestTool, values: RestArguments, arena: Arena): void {
  for (let i = 0; i < tool.arguments.count; i++) {
    const position = tool.argument(i).position;
    const isFree = position === Position.None && tool.argumentsTo === ArgumentsTo.UrlParameters && tool.body === null;
    if (values.at(i) === NONE || (position !== Position.Query && !isFree)) continue;
    writePair(query, tool.argument(i).name, parameterText(values.at(i), arena));
  }
}

function writePair(writer: Writer, name: Span, value: Span): void {
  if (writer.size > 0) writer.byte(0x26);
  writePercent(writer, name, true);
  writer.byte(EQUALS_SIGN);
  writePercent(writer, value, true);
}

function writePath(
  request: RestRequest,
  tool: RestTool,
  values: RestArguments,
  query: Span,
  now: u64,
  arena: Arena,
): void {
  const own = run(request, tool.path!, values, Way.Url, MOST_PATH, URL_TEMPLATE, now, arena);
  if (own === NONE) return;
  const whole = newWriter(arena, 256).bytes(tool.basePath).bytes(own).written;
  const hash = indexOf(whole, HASH);
  const target = hash < 0 ? whole : first(whole, hash as u32);
  const mark = indexOf(target, QUESTION_MARK);
  const path = mark < 0 ? target : first(target, mark as u32);
  const written = newWriter(arena, 256);
  if (length(path) === 0 || load<u8>(pointer(path)) !== SLASH) written.byte(SLASH);
  writeVisible(written, path);
  if (hasDotSegment(written.written)) {
    request.fault = DOT_SEGMENT;
    return;
  }
  const ofTemplate: Span = mark < 0 ? NONE : after(target, (mark as u32) + 1);
  writeQueries(written, ofTemplate, query, arena);
  if ((written.size as u32) > MOST_PATH) request.fault = PATH_TOO_LONG;
  request.path = written.written;
}

/** What the template has in its query, but for parameters that an argument replaces, and then the arguments. */
function writeQueries(writer: Writer, ofTemplate: Span, query: Span, arena: Arena): void {
  let any = false;
  for (let left = ofTemplate; length(left) > 0;) {
    const end = indexOf(left, 0x26);
    const pair = end < 0 ? left : first(left, end as u32);
    left = end < 0 ? NONE : after(left, (end as u32) + 1);
    if (length(pair) === 0 || isReplaced(pair, query)) continue;
    writer.byte(any ? 0x26 : QUESTION_MARK);
    any = true;
    writeVisible(writer, pair);
  }
  if (length(query) > 0) writer.byte(any ? 0x26 : QUESTION_MARK).bytes(query);
}

/** Whether one of the pairs in `query` has the name of this one. */
function isReplaced(pair: Span, query: Span): bool {
  const name = nameOf(pair);
  for (let left = query; length(left) > 0;) {
    const end = indexOf(left, 0x26);
    if (equals(nameOf(end < 0 ? left : first(left, end as u32)), name)) return true;
    left = end < 0 ? NONE : after(left, (end as u32) + 1);
  }
  return false;
}

function nameOf(pair: Span): Span {
  const end = indexOf(pair, EQUALS_SIGN);
  return end < 0 ? pair : first(pair, end as u32);
}

/** Text of a template: what cannot stand in a URL is percent-encoded, and an escape stays one. */
function writeVisible(writer: Writer, text: Span): void {
  for (let at = pointer(text); at < limit(text); at++) {
    const c: u32 = load<u8>(at);
    const stands =
      isVisible(c) &&
      c !== QUOTE &&
      c !== 0x3c &&
      c !== 0x3e &&
      c !== 0x5c &&
      c !== 0x5e &&
      c !== 0x60 &&
      c !== OPENING_BRACE &&
      c !== CLOSING_BRACE &&
      c !== 0x7c;
    if (stands) writer.byte(c as u8);
    else
      writer
        .byte(PERCENT)
        .byte(upperHex(c >> 4))
        .byte(upperHex(c & 15));
  }
}

function upperHex(value: u32): u8 {
  return value < 10 ? hexDigit(value) : ((0x37 + value) as u8);
}

function writeHeaders(request: RestRequest, tool: RestTool, values: RestArguments, now: u64, arena: Arena): void {
  const cookie = newWriter(arena, 64);
  for (let i = 0; i < tool.headers.count; i++) {
    const own = changetype<RestHeader>(tool.headers.at(i) as usize);
    const value = run(request, own.value, values, headerWay(own.name), MOST_HEADER, HEADER_TEMPLATE, now, arena);
    if (value === NONE) return;
    if (equals(own.name, header.COOKIE)) setCookie(cookie, value);
    else setHeader(request, own.name, value, arena);
  }
  for (let i = 0; i < tool.arguments.count; i++) {
    const argument = tool.argument(i);
    const value = values.at(i);
    if (value === NONE) continue;
    if (argument.position === Position.Header)
      setHeader(request, lowered(argument.name, arena), parameterText(value, arena), arena);
    else if (argument.position === Position.Cookie) {
      if (cookie.size > 0) cookie.bytes(COOKIE_SEPARATOR);
      writePercent(cookie, argument.name, false);
      writePercent(cookie.byte(EQUALS_SIGN), parameterText(value, arena), false);
    }
  }
  if (cookie.size > 0) setHeader(request, header.COOKIE, cookie.written, arena);
  if (!tool.hasAccept && !request.headers.names(header.ACCEPT)) setHeader(request, header.ACCEPT, ANY, arena);
  request.headers.add(header.ACCEPT_ENCODING, header.IDENTITY);
}

/** Writes the cookie header anew: where there are several, the last one is sent. */
function setCookie(cookie: Writer, value: Span): void {
  cookie.truncate(0);
  cookie.bytes(value);
}

/** A header of that name that was set before is replaced. */
function setHeader(request: RestRequest, name: Span, value: Span, arena: Arena): void {
  let fault = NONE;
  if ((value as u32) > MOST_HEADER) fault = HEADER_TOO_LONG;
  for (let at = pointer(value); at < limit(value); at++) {
    const c = load<u8>(at);
    if ((c < SPACE && c !== TAB) || c === DELETE) fault = BAD_HEADER;
  }
  if (fault !== NONE) {
    request.fault = newWriter(arena, 96).bytes(name).bytes(COLON_SPACE).bytes(fault).written;
    return;
  }
  request.headers.set(name, arena.copy(value));
}

function lowered(name: Span, arena: Arena): Span {
  const copy = arena.copy(name);
  for (let at = pointer(copy); at < limit(copy); at++) {
    const c: u32 = load<u8>(at);
    if (c >= 0x41 && c <= 0x5a) store<u8>(at, (c | 0x20) as u8);
  }
  return copy;
}

/** An explicit body is before all others; arguments whose position is the body go into one anyway. */
function writeBody(
  request: RestRequest,
  tool: RestTool,
  values: RestArguments,
  most: u32,
  now: u64,
  arena: Arena,
): void {
  const program = tool.body;
  if (program !== null) {
    request.body = run(request, program, values, tool.bodyWay, most, BODY_TEMPLATE, now, arena);
    if (request.body === NONE || tool.hasContentType) return;
    // What is no JSON has the type of the message that it is made from, as in the engine that definitions are written for.
    const isDocument: bool = tool.bodyWay === Way.Json || isJson(request.body, arena);
    addType(request, tool, isDocument ? JSON_BODY : header.JSON_TYPE, arena);
    return;
  }
  const to = tool.argumentsTo;
  const toJson = to === ArgumentsTo.JsonBody;
  let isForm: bool = to === ArgumentsTo.FormBody;
  if (!toJson && !isForm) {
    if (!hasBodyArgument(tool, values)) {
      request.headers.add(header.CONTENT_TYPE, NONE);
      return;
    }
    isForm = tool.hasForm;
  }
  const writer = newWriter(arena, 256);
  if (!isForm) writer.byte(OPENING_BRACE);
  let any = false;
  for (let i = 0; i < tool.arguments.count; i++) {
    const argument = tool.argument(i);
    const isFree = argument.position === Position.None && (toJson || to === ArgumentsTo.FormBody);
    if (values.at(i) === NONE || (argument.position !== Position.Body && !isFree)) continue;
    if (isForm) writePair(writer, argument.name, parameterText(values.at(i), arena));
    else {
      if (any) writer.byte(COMMA);
      any = true;
      writeEscaped(writer.byte(QUOTE), argument.name);
      writer.byte(QUOTE).byte(COLON).bytes(values.at(i));
    }
  }
  if (!isForm) writer.byte(CLOSING_BRACE);
  request.body = writer.written;
  addType(request, tool, isForm ? FORM_BODY : JSON_BODY, arena);
}

function hasBodyArgument(tool: RestTool, values: RestArguments): bool {
  for (let i = 0; i < tool.arguments.count; i++) {
    if (tool.argument(i).position === Position.Body && values.at(i) !== NONE) return true;
  }
  return false;
}

function addType(request: RestRequest, tool: RestTool, type: Span, arena: Arena): void {
  if (!tool.hasContentType && !request.headers.names(header.CONTENT_TYPE))
    setHeader(request, header.CONTENT_TYPE, type, arena);
}

/** Tells the service who asks: with what the configuration says, or what the client has sent for it. */
function addCredential(request: RestRequest, query: Writer, security: RestSecurity, client: Span, arena: Arena): void {
  let value = security.value;
  if (security.clientHeader !== NONE) {
    const sent = clientCredential(security, client, arena);
    if (sent === NONE) {
      request.fault = newWriter(arena, 96).bytes(security.clientHeader).bytes(IS_MISSING).written;
      request.lacksCredential = true;
      return;
    }
    if (!hasScheme(sent, security.clientScheme)) {
      const fault = newWriter(arena, 128).bytes(security.clientHeader).bytes(IS_NOT);
      request.fault = fault.bytes(trim(security.clientScheme)).written;
      request.lacksCredential = true;
      return;
    }
    const credential = after(sent, security.clientScheme as u32);
    value = newWriter(arena, 128).bytes(security.scheme).bytes(credential).written;
  }
  if (security.header !== NONE) setHeader(request, security.header, value, arena);
  else writePair(query, security.query, value);
}

function clientCredential(security: RestSecurity, client: Span, arena: Arena): Span {
  for (const pairs = readPairs(client, arena); pairs.next();) {
    if (equals(pairs.name, security.clientHeader)) return pairs.value;
  }
  return NONE;
}

function hasScheme(credential: Span, scheme: Span): bool {
  return length(credential) >= length(scheme) && equalsIgnoringCase(first(credential, scheme as u32), scheme);
}
