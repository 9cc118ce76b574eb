import { Arena, scratch } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind, member } from '../json/reader';
import { textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import { Method, methodText } from '../mcp/methods';
import { LATEST, Revision, revisionOf, revisionText } from '../mcp/revisions';
import { Server } from '../model/server';
import { cookieAfter } from '../session/cookie';
import { isEndpoint } from '../session/endpoint';
import { Upstream } from '../session/token';
import { Answer, Failure } from './answer';
import { UpstreamCall } from './call';
import { post } from './callout';
import { Introduction } from './introduction';
import { isModernOnly, withWords } from './judge';
import { newRequestId, requestMessage } from './message';
import { takeOffers } from './offers';
import { plainWords } from './refusal';

/** Servers with sessions, 2024-11-05 to 2025-11-25 over Streamable HTTP: a session is opened with `initialize`. */

/** The step of a call in which that was sent. */
export const ASKED = 1;

const PARAMS_OPEN = literal('{"protocolVersion":"');
const PARAMS_CAPABILITIES = literal('","capabilities":');
const PARAMS_INFO = literal(',"clientInfo":');
const PARAMS_CLOSE = literal('}');

const RESULT = literal('result');
const ERROR = literal('error');
const CODE = literal('code');
const MESSAGE = literal('message');
const PROTOCOL_VERSION = literal('protocolVersion');

const NO_RESPONSE = literal('no response to initialize in its answer');
const REFUSED = literal('it refused initialize');
const REVISION = literal('it chose a protocol revision that the gateway does not speak: ');
const NO_REVISION = literal('its answer to initialize names no protocol revision');
/** Bytes of it in a message. */
const MOST_REVISION = 64;

/** See `MessageDialect.open`. */
export function openSession(
  call: UpstreamCall,
  introduction: Introduction | null,
  client: Span,
  now: u64,
  arena: Arena,
  like: UpstreamCall | null,
): void {
  call.step = ASKED;
  call.upstream.revision = Revision.Unknown;
  const shares = like !== null && like.step === ASKED;
  call.id = shares ? like!.id : newRequestId(now, ASKED, arena);
  const body = shares ? like!.callout!.body : opening(call, introduction!, arena);
  call.callout = post(call.server, call.upstream, body, client, arena);
}

function opening(call: UpstreamCall, introduction: Introduction, arena: Arena): Span {
  const server = call.server;
  const revision = revisionText(revisionFor(server, introduction.revision));
  const size = length(introduction.capabilities) + length(introduction.info);
  const params = newWriter(scratch, (size as usize) + 256)
    .bytes(PARAMS_OPEN)
    .bytes(revision)
    .bytes(PARAMS_CAPABILITIES)
    .bytes(introduction.capabilities)
    .bytes(PARAMS_INFO)
    .bytes(introduction.info)
    .bytes(PARAMS_CLOSE);
  return requestMessage(call.id, methodText(Method.Initialize), params.written, arena);
}

/** What a server with sessions is offered. */
function revisionFor(server: Server, client: Revision): Revision {
  if (server.revision !== Revision.Unknown) return server.revision;
  return client === Revision.V2026_07_28 ? LATEST : client;
}

/** See `MessageDialect.take`. */
export function takeSessionOpened(
  call: UpstreamCall,
  answer: Answer,
  response: Span,
  failure: Failure,
  scratch: Arena,
  arena: Arena,
): void {
  const result = member(response, RESULT, scratch);
  if (result === NONE || kindOf(result) !== Kind.Object) {
    refuse(failure, member(response, ERROR, scratch), scratch);
    return;
  }
  const revision = stringMember(result, PROTOCOL_VERSION, scratch);
  call.upstream.revision = revisionOf(revision);
  if (call.upstream.revision === Revision.Unknown) {
    const named = newWriter(scratch, 128).bytes(REVISION).bytes(clipped(revision, MOST_REVISION));
    failure.set(Reason.UpstreamProtocol, revision === NONE ? NO_REVISION : named.written);
    return;
  }
  takeOffers(call, result, scratch, arena);
  if (answer.sessionId !== NONE) takeSession(call.upstream, answer, call.server.stickyCookie, arena);
}

/**
 * A session lives in the endpoint that opened it; a server without one answers at any.
 * @param cookie the name of the one that leads to it, or NONE
 */
export function takeSession(upstream: Upstream, answer: Answer, cookie: Span, arena: Arena): void {
  upstream.sessionId = arena.copy(answer.sessionId);
  upstream.endpoint = isEndpoint(answer.endpoint) ? arena.copy(answer.endpoint) : NONE;
  upstream.cookie = arena.copy(cookieAfter(answer.headers, cookie, NONE, arena));
}

/** See `MessageDialect.request`. */
export function sessionRequest(id: Span, method: Method, params: Span, arena: Arena): Span {
  return requestMessage(id, methodText(method), params, arena);
}

function stringMember(object: Span, name: Span, arena: Arena): Span {
  const value = member(object, name, arena);
  return value !== NONE && kindOf(value) === Kind.String ? textOf(value, arena) : NONE;
}

function refuse(failure: Failure, error: Span, arena: Arena): void {
  const message = stringMember(error, MESSAGE, arena);
  const words: Span = message === NONE ? NONE : plainWords(message, false, arena);
  const detail = error === NONE ? NO_RESPONSE : withWords(newWriter(arena, 128).bytes(REFUSED), words);
  failure.set(isModernOnly(member(error, CODE, arena)) ? Reason.UpstreamEra : Reason.UpstreamProtocol, detail);
}
