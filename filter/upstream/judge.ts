import { Era } from '../mcp/eras';
import { SPACE, TILDE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, equals, equalsIgnoringCase, length, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Server } from '../model/server';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { Answer, Ending, Failure } from './answer';
import { isProtocolError } from './faults';
import { mentions, readRefusal, Refusal, repeats } from './refusal';

/** What the HTTP side of an answer says, and why a server refuses. */

const HTTP = literal('HTTP ');
const SEPARATOR = literal(': ');
const NO_CLUSTER = literal('the cluster does not exist');
/** A callout that Envoy does not begin says no more than that. */
const NOT_BEGUN = literal('the cluster has no healthy endpoint, or its circuit breakers allow no more requests');
const NO_HOST = literal('the cluster has no healthy endpoint');
const BROKEN = literal('the response was cut off, or is larger than Envoy buffers');
const UNFINISHED = literal('it keeps the event stream open after its answer');
const NOT_ASKED = literal('the time was up before it was asked');
const NO_ANSWER = literal('no answer');
const NOT_HTTP = literal('what it sends is not HTTP as Envoy expects, or its headers are too large');
const REFUSED = literal('no connection');
const ENVOY_TIMEOUT = literal('upstream request timeout');
const ENVOY_UNREACHABLE = literal('upstream connect error');
const ENVOY_NO_HOST = literal('no healthy upstream');
const COMPRESSED = literal('its answer is compressed, although the gateway accepts no content-encoding: ');
/** Bytes of its name in a message. */
const MOST_CODING = 64;
const NOT_FOLLOWED = literal(
  ', a redirect, which the gateway does not follow; correct the address or the path of this server in the configuration',
);
const ASKED_AS = literal('asked as ');
const SAYS = literal(' it says ');
const HOST = literal('host');
const SESSION = literal('session');
const INITIALIZE = literal('initiali');

/** Codes of revision 2026-07-28 alone: the revision is not served, the headers are not as the body says. */
const VERSION_CODE = literal('-32022');
const HEADERS_CODE = literal('-32020');
const METHOD_CODE = literal('-32601');

/** None where its body is worth reading. @param server that was asked. @param era of the message */
export function judge(answer: Answer, server: Server, arena: Arena, era: Era = Era.Sessions): Failure {
  const failure = make<Failure>(arena);
  switch (answer.ending) {
    case Ending.NoCluster:
      return failure.set(Reason.UpstreamUnknownCluster, NO_CLUSTER);
    case Ending.NoHost:
      return failure.set(Reason.UpstreamUnreachable, NOT_BEGUN);
    case Ending.Broken:
      return failure.set(Reason.UpstreamUnreachable, BROKEN);
    case Ending.Unfinished:
      return failure.set(Reason.UpstreamProtocol, UNFINISHED);
    case Ending.NotAsked:
      return failure.set(Reason.UpstreamTimeout, NOT_ASKED);
    default:
      judgeStatus(failure, answer, server, era, arena);
  }
  if (failure.reason === Reason.None && length(answer.body) > 0 && isCompressed(answer.contentEncoding)) {
    failure.set(Reason.UpstreamProtocol, compressedText(answer.contentEncoding, arena));
  }
  return failure;
}

/** Envoy answers in a server's stead with 502, 503 and 504 and these texts; the same statuses of the server itself differ. */
function judgeStatus(failure: Failure, answer: Answer, server: Server, era: Era, arena: Arena): Failure {
  const status = answer.status;
  const body = answer.body;
  if (status >= 200 && status < 300) return failure;
  if (isProtocolError(answer)) return failure.set(Reason.UpstreamProtocol, NOT_HTTP);
  if (status === 504 && startsWith(body, ENVOY_TIMEOUT)) return failure.set(Reason.UpstreamTimeout, NO_ANSWER);
  if (status === 503 && startsWith(body, ENVOY_UNREACHABLE)) return failure.set(Reason.UpstreamUnreachable, REFUSED);
  if (status === 503 && startsWith(body, ENVOY_NO_HOST)) return failure.set(Reason.UpstreamUnreachable, NO_HOST);
  if (era === Era.Stateless && isMethodUnknown(answer, arena)) return failure;
  return judgeRefusal(failure, answer, server, era, arena);
}

/** A method that a server does not have is 404 there, and its body says so (MCP 2026-07-28, HTTP status codes). */
function isMethodUnknown(answer: Answer, arena: Arena): bool {
  return answer.status === 404 && saysMethodUnknown(answer, arena);
}

/** Whether the error in an answer, of whatever status, says that the server does not have the method. */
export function saysMethodUnknown(answer: Answer, arena: Arena): bool {
  if (answer.ending !== Ending.Response || isCompressed(answer.contentEncoding)) return false;
  const code = readRefusal(answer.body, arena).code;
  return code !== NONE && equals(code, METHOD_CODE);
}

/**
 * Why a server answers with another status than 2xx, in its own words where it has some.
 * @param era of the message that it was asked with
 */
export function judgeRefusal(failure: Failure, answer: Answer, server: Server, era: Era, arena: Arena): Failure {
  const status = answer.status;
  failure.retryAfter = retryAfterOf(answer);
  // Where it leads to is not for the client: often it is an address inside.
  if (isRedirect(status)) {
    const text = statusText(status, arena);
    return failure.set(Reason.UpstreamStatus, (status === 304 ? text : text.bytes(NOT_FOLLOWED)).written);
  }
  const refusal = readRefusal(isCompressed(answer.contentEncoding) ? NONE : answer.body, arena);
  if (isSecret(refusal.words, server)) refusal.words = NONE;
  if (refusesHost(status, refusal.words)) {
    const text = newWriter(arena, 256).bytes(ASKED_AS).bytes(server.authority).bytes(SAYS);
    return failure.set(Reason.UpstreamHost, withWords(text.bytes(HTTP).decimal(status), refusal.words));
  }
  const detail = withWords(statusText(status, arena), refusal.words);
  if (isOfOtherEra(status, refusal, era)) return failure.set(Reason.UpstreamEra, detail);
  // Its challenge is for the gateway: to the client, whose token is for the gateway, it would mean nothing.
  if (status === 401 || status === 403) return failure.set(Reason.UpstreamUnauthorized, detail);
  return failure.set(Reason.UpstreamStatus, detail);
}

/** RFC 9110 §15.4; 304, the answer to a condition that nobody sets, included. */
export function isRedirect(status: u32): bool {
  return status >= 300 && status < 400;
}

/** SDKs protect servers from DNS rebinding by such answers: 403, or 421 (RFC 9110 §15.5.20), which means nothing else. */
function refusesHost(status: u32, words: Span): bool {
  return status === 421 || (status === 403 && words !== NONE && mentions(words, HOST));
}

/** Whether the code of an error says that the server speaks revisions without sessions only. */
export function isModernOnly(code: Span): bool {
  return code !== NONE && (equals(code, VERSION_CODE) || equals(code, HEADERS_CODE));
}

function isOfOtherEra(status: u32, refusal: Refusal, era: Era): bool {
  if (era === Era.Sessions) return isModernOnly(refusal.code);
  if (refusal.code !== NONE && equals(refusal.code, VERSION_CODE)) return true;
  const words = refusal.words;
  // That a session is missing, or an `initialize`: only a server of the revisions that have both says so.
  return status < 500 && words !== NONE && (mentions(words, SESSION) || mentions(words, INITIALIZE));
}

function isSecret(words: Span, server: Server): bool {
  const credentials = server.credentials;
  return credentials.value !== NONE && repeats(words, credentials.value);
}

function statusText(status: u32, arena: Arena): Writer {
  return newWriter(arena, 256).bytes(HTTP).decimal(status);
}

/** @param words NONE: there are none */
export function withWords(text: Writer, words: Span): Span {
  return (words === NONE ? text : text.bytes(SEPARATOR).bytes(words)).written;
}

/** Bytes of a Retry-After (RFC 9110 §10.2.3): seconds, or a date. */
const MOST_RETRY_AFTER = 40;

/** When to come back, as the server says it; NONE where it does not, or not in such words. */
export function retryAfterOf(answer: Answer): Span {
  const value = answer.retryAfter;
  if (answer.status !== 429 && answer.status !== 503) return NONE;
  if (length(value) === 0 || length(value) > MOST_RETRY_AFTER) return NONE;
  for (let at = pointer(value); at < limit(value); at++) {
    if (load<u8>(at) < SPACE || load<u8>(at) > TILDE) return NONE;
  }
  return value;
}

/** Whether a body in this coding (RFC 9110 §8.4) cannot be read here. @param coding NONE where the header is absent */
export function isCompressed(coding: Span): bool {
  return length(coding) > 0 && !equalsIgnoringCase(coding, header.IDENTITY);
}

/** What is said of an answer whose coding nobody asked for. */
export function compressedText(coding: Span, arena: Arena): Span {
  return newWriter(arena, 128).bytes(COMPRESSED).bytes(clipped(coding, MOST_CODING)).written;
}
