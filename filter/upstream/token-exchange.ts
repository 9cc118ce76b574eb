import { LOWER_A, LOWER_Z, SPACE, TILDE, UNDERSCORE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { newHeaderList } from '../bytes/pairs';
import { Span, after, equalsIgnoringCase, first, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { withoutMark } from '../json/byte-order-mark';
import { isJson, kindOf, Kind, member, strip } from '../json/reader';
import { textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Server } from '../model/server';
import { TokenExchange } from '../model/token-exchange';
import { writePercent } from '../template/text';
import { Answer, Ending, Failure } from './answer';
import { Callout } from './callout';
import { isCompressed, judge } from './judge';

/** What is said to a token endpoint (RFC 8693 §2), and what its answer means. */
const FORM_TYPE = literal('application/x-www-form-urlencoded');
const BEARER = literal('Bearer ');
const ACCESS_TOKEN = literal('access_token');
const TOKEN_TYPE = literal('token_type');
const EXPIRES_IN = literal('expires_in');
const ERROR = literal('error');

/** Bytes of a token. */
const MOST: i32 = 8 << 10;
/** Seconds that a token is taken to be good whose endpoint does not say it. */
const BY_DEFAULT: u32 = 60;
/** Bytes of an error code in a message (RFC 6749 §5.2). */
const MOST_CODE = 40;

const HTTP = literal('HTTP ');
const SEPARATOR = literal(': ');
const NO_JSON = literal('its answer is no JSON object');
const NO_TOKEN = literal('its answer has no access_token that could be sent in a header, of at most 8 KiB');
const NOT_BEARER = literal('the token_type of its answer is not Bearer');
const MISSING = literal('authorization is missing, or there are several');
const OTHER_SCHEME = literal('authorization does not begin with Bearer');

/** The token in the value of an Authorization header; NONE: it has another scheme, or nothing behind it. */
export function bearerIn(value: Span): Span {
  const size = BEARER as u32;
  if (length(value) <= (size as i32) || !equalsIgnoringCase(first(value, size), BEARER)) return NONE;
  return after(value, size);
}

/** Why a request has no token that could be exchanged. @param value of its Authorization header, or NONE */
export function whyNoBearer(value: Span): Span {
  return value === NONE ? MISSING : OTHER_SCHEME;
}

/** @param token of the caller */
export function exchangeRequest(exchange: TokenExchange, token: Span, arena: Arena): Callout {
  const callout = make<Callout>(arena);
  callout.cluster = exchange.cluster;
  callout.headers = newHeaderList(arena)
    .add(header.METHOD, header.POST)
    .add(header.PATH, exchange.path)
    .add(header.AUTHORITY, exchange.authority)
    .add(header.CONTENT_TYPE, FORM_TYPE)
    .add(header.ACCEPT, header.JSON_TYPE)
    .add(header.ACCEPT_ENCODING, header.IDENTITY);
  if (exchange.authorization !== NONE) callout.headers.add(header.AUTHORIZATION, exchange.authorization);
  const body = newWriter(arena, (length(exchange.form) + length(token)) as usize).bytes(exchange.form);
  writePercent(body, token, false);
  callout.body = body.written;
  return callout;
}

/** What an endpoint gave. */
@unmanaged
export class ExchangedToken {
  token: Span;
  /** Seconds that it is good. */
  lifetime: u32;
}

/**
 * Reads an answer into `found`; else `failure` says why there is no token, in words that repeat nothing of the answer but
 * the code of an error.
 */
export function readExchanged(
  answer: Answer,
  server: Server,
  found: ExchangedToken,
  failure: Failure,
  arena: Arena,
): void {
  const status = answer.status;
  // Envoy answers in the endpoint's stead with these two.
  if (answer.ending !== Ending.Response || status === 503 || status === 504) {
    const judged = judge(answer, server, arena);
    failure.set(
      Reason.TokenUnavailable,
      judged.reason === Reason.UpstreamStatus ? statusText(status, NONE, arena) : judged.detail,
    );
    return;
  }
  const body = withoutMark(answer.body);
  const isReadable = !isCompressed(answer.contentEncoding) && isJson(body, arena);
  const document: Span = isReadable ? strip(body) : NONE;
  if (status < 200 || status > 299) {
    const reason = status >= 400 && status < 500 ? Reason.TokenRefused : Reason.TokenUnavailable;
    failure.set(reason, statusText(status, codeIn(document, arena), arena));
  } else if (document === NONE || kindOf(document) !== Kind.Object) {
    failure.set(Reason.TokenUnavailable, NO_JSON);
  } else readToken(document, found, failure, arena);
}

function readToken(document: Span, found: ExchangedToken, failure: Failure, arena: Arena): void {
  const token = textIn(document, ACCESS_TOKEN, arena);
  const type = textIn(document, TOKEN_TYPE, arena);
  if (token === NONE || !isSendable(token)) {
    failure.set(Reason.TokenUnavailable, NO_TOKEN);
    return;
  }
  if (type !== NONE && !equalsIgnoringCase(type, first(BEARER, (BEARER as u32) - 1))) {
    failure.set(Reason.TokenUnavailable, NOT_BEARER);
    return;
  }
  found.token = token;
  found.lifetime = secondsIn(member(document, EXPIRES_IN, arena));
}

/** The header value that a token is sent in. */
export function bearerOf(token: Span, arena: Arena): Span {
  return newWriter(arena, (length(token) as usize) + 8)
    .bytes(BEARER)
    .bytes(token).written;
}

function textIn(document: Span, name: Span, arena: Arena): Span {
  const value = member(document, name, arena);
  return value !== NONE && kindOf(value) === Kind.String ? textOf(value, arena) : NONE;
}

function isSendable(token: Span): bool {
  for (let at = pointer(token); at < limit(token); at++) {
    if (load<u8>(at) <= SPACE || load<u8>(at) > TILDE) return false;
  }
  return length(token) > 0 && length(token) <= MOST;
}

/** Whole seconds; what says nothing else is the default, and what is more than a day is one. */
function secondsIn(value: Span): u32 {
  if (value === NONE || kindOf(value) !== Kind.Number) return BY_DEFAULT;
  let seconds: u32 = 0;
  for (let at = pointer(value); at < limit(value); at++) {
    const digit = (load<u8>(at) as u32) - 0x30;
    if (digit > 9) break;
    seconds = min(seconds * 10 + digit, 86_400);
  }
  return seconds;
}

/** The code of an OAuth error, where it is one: letters and underscores. */
function codeIn(document: Span, arena: Arena): Span {
  if (document === NONE || kindOf(document) !== Kind.Object) return NONE;
  const code = textIn(document, ERROR, arena);
  if (code === NONE || length(code) > MOST_CODE) return NONE;
  for (let at = pointer(code); at < limit(code); at++) {
    const c = load<u8>(at);
    if (c !== UNDERSCORE && (c < LOWER_A || c > LOWER_Z)) return NONE;
  }
  return code;
}

function statusText(status: u32, code: Span, arena: Arena): Span {
  const text = newWriter(arena, 64)
    .bytes(HTTP)
    .decimal(status as u64);
  return (code === NONE ? text : text.bytes(SEPARATOR).bytes(code)).written;
}
