import { Arena, make, scratch } from '../bytes/arena';
import { Span, equals, literal, length, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import {
  CAPABILITY_COUNT,
  Capability,
  capabilityName,
  capabilityText,
  EXTENSIONS,
  extensionName,
  KNOWN_EXTENSIONS,
  SUBSCRIBE,
} from '../mcp/capabilities';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import { Method, methodText } from '../mcp/methods';
import { LATEST, Revision, revisionOf, revisionText, STATELESS } from '../mcp/revisions';
import { Server } from '../model/server';
import { Answer, Ending, messagesIn, Failure } from './answer';
import { post } from './callout';
import { hangs, isFault } from './faults';
import { isModernOnly, judge, withWords } from './judge';
import { cookieAfter } from '../session/cookie';
import { isEndpoint } from '../session/endpoint';
import { Upstream } from '../session/token';
import { UpstreamCall } from './call';
import { Introduction } from './introduction';
import { INITIALIZED, newRequestId, requestMessage, responseTo } from './message';
import { plainWords } from './refusal';
import { statelessRequest } from './stateless-message';

/**
 * The opening of a session with one upstream (MCP lifecycle): `initialize`, its answer, `notifications/initialized`, its
 * acceptance. Strict servers refuse every request that comes before the last. Where the client has set a log level before,
 * the server is told it at once.
 */
export const ASKED = 1;
const CONFIRMED = 2;
const LEVEL_SET = 3;
/** In the era without sessions, in the place of all of them: `server/discover`. */
const DISCOVERED = 4;

const PARAMS_OPEN = literal('{"protocolVersion":"');
const PARAMS_CAPABILITIES = literal('","capabilities":');
const PARAMS_INFO = literal(',"clientInfo":');
const PARAMS_CLOSE = literal('}');

const RESULT = literal('result');
const ERROR = literal('error');
const CODE = literal('code');
const MESSAGE = literal('message');
const PROTOCOL_VERSION = literal('protocolVersion');
const CAPABILITIES = literal('capabilities');
const INSTRUCTIONS = literal('instructions');

const NO_RESPONSE = literal('no response to initialize in its answer');
const REFUSED = literal('it refused initialize');
const NO_STATELESS = literal('it does not speak 2026-07-28');
const SUPPORTED_VERSIONS = literal('supportedVersions');
const REVISION = literal('it chose a protocol revision that the gateway does not speak: ');
const NO_REVISION = literal('its answer to initialize names no protocol revision');
/** Bytes of it in a message. */
const MOST_REVISION = 64;

/**
 * Prepares the call's first callout.
 * @param era in which the server is asked first
 * @param like another call that begins at the same time with the same introduction and revision of its server, and has
 * sent nothing yet: the two share one message, however large it is
 */
export function beginHandshake(
  call: UpstreamCall,
  era: Era,
  introduction: Introduction,
  client: Span,
  now: u64,
  arena: Arena,
  like: UpstreamCall | null = null,
): void {
  if (era === Era.Stateless) {
    call.introduction = kept(introduction, arena);
    return discover(call, now, client, arena);
  }
  call.step = ASKED;
  call.upstream.revision = Revision.Unknown;
  const shares = like !== null && like.step === ASKED;
  call.id = shares ? like!.id : newRequestId(now, ASKED, arena);
  const body = shares ? like!.callout!.body : opening(call, introduction, arena);
  call.callout = post(call.server, call.upstream, body, client, arena);
}

function kept(introduction: Introduction, arena: Arena): Introduction {
  const copy = make<Introduction>(arena);
  copy.revision = introduction.revision;
  copy.capabilities = arena.copy(introduction.capabilities);
  copy.info = arena.copy(introduction.info);
  return copy;
}

function discover(call: UpstreamCall, now: u64, client: Span, arena: Arena): void {
  call.step = DISCOVERED;
  call.upstream.revision = Revision.V2026_07_28;
  call.upstream.sessionId = NONE;
  call.id = newRequestId(now, DISCOVERED, arena);
  const body = statelessRequest(call.id, Method.Discover, NONE, arena);
  call.callout = post(call.server, call.upstream, body, client, arena, Method.Discover);
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

/**
 * Takes the answer to the call's callout. True: the handshake is over, and the call holds what came of it. A server that
 * does not speak the era in which it was asked is asked in the other one, once, unless the configuration fixes it.
 */
export function continueHandshake(
  call: UpstreamCall,
  answer: Answer,
  client: Span,
  now: u64,
  scratch: Arena,
  arena: Arena,
): bool {
  // The session is there, whatever it says to the level.
  if (call.step === LEVEL_SET) return true;
  const isDiscovery = call.step === DISCOVERED;
  const failure = judge(answer, call.server, scratch, isDiscovery ? Era.Stateless : Era.Sessions);
  if (isDiscovery) {
    if (failure.reason === Reason.None) takeDiscovered(call, answer, failure, scratch, arena);
  } else if (failure.reason === Reason.None && call.step === ASKED) {
    takeInitialized(call, answer, failure, scratch, arena);
    if (failure.reason === Reason.None) {
      call.step = CONFIRMED;
      call.callout = post(call.server, call.upstream, INITIALIZED, client, arena);
      return false;
    }
  }
  if (failure.reason === Reason.None && call.level !== NONE && (call.upstream.offers & Capability.Logging) !== 0) {
    call.step = LEVEL_SET;
    const message = requestMessage(call.id, methodText(Method.SetLevel), call.level, arena);
    call.callout = post(call.server, call.upstream, message, client, arena);
    return false;
  }
  call.faulty = isFault(answer);
  call.hangs = hangs(answer);
  if (!call.faulty && mayFallBack(call, failure, answer)) {
    call.fellBack = true;
    if (isDiscovery) beginHandshake(call, Era.Sessions, call.introduction!, client, now, arena);
    else discover(call, now, client, arena);
    return false;
  }
  call.failure.take(failure, arena);
  return true;
}

/** What a server of sessions makes of `server/discover` differs much; one without says what it refuses `initialize` for. */
function mayFallBack(call: UpstreamCall, failure: Failure, answer: Answer): bool {
  if (failure.reason === Reason.None || call.fellBack || call.server.revision !== Revision.Unknown) return false;
  return call.step === DISCOVERED
    ? answer.ending === Ending.Response
    : call.step === ASKED && failure.reason === Reason.UpstreamEra;
}

function takeDiscovered(call: UpstreamCall, answer: Answer, failure: Failure, scratch: Arena, arena: Arena): void {
  const messages = messagesIn(answer, failure, scratch);
  if (messages === null) return;
  let response = NONE;
  while (response === NONE && messages.next()) response = responseTo(call.id, messages.document, scratch);
  const result = member(response, RESULT, scratch);
  if (result === NONE || kindOf(result) !== Kind.Object || !isListed(result, STATELESS, scratch)) {
    failure.set(Reason.UpstreamEra, NO_STATELESS);
    return;
  }
  takeOffers(call, result, scratch, arena);
  // They went with sessions.
  call.upstream.offers &= ~(Capability.Logging | Capability.Subscribe);
  const extensions = member(call.capabilities, EXTENSIONS, scratch);
  for (let known = KNOWN_EXTENSIONS; known !== 0; known &= known - 1) {
    const extension = known & -known;
    if (member(extensions, extensionName(extension), scratch) !== NONE) call.upstream.offers |= extension;
  }
}

/** Whether it is one of the revisions that a result of `server/discover` lists. */
function isListed(result: Span, revision: Span, scratch: Arena): bool {
  const versions = member(result, SUPPORTED_VERSIONS, scratch);
  if (versions === NONE || kindOf(versions) !== Kind.Array) return false;
  for (const walk = walkThrough(versions, scratch); walk.next();) {
    if (kindOf(walk.value) === Kind.String && equals(textOf(walk.value, scratch), revision)) return true;
  }
  return false;
}

function takeInitialized(call: UpstreamCall, answer: Answer, failure: Failure, scratch: Arena, arena: Arena): void {
  const messages = messagesIn(answer, failure, scratch);
  if (messages === null) return;
  let response = NONE;
  while (response === NONE && messages.next()) response = responseTo(call.id, messages.document, scratch);
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

/** What a server says of itself, with or without a session. */
function takeOffers(call: UpstreamCall, result: Span, scratch: Arena, arena: Arena): void {
  const capabilities = member(result, CAPABILITIES, scratch);
  call.upstream.offers = offersIn(capabilities, scratch);
  if (capabilities !== NONE) call.capabilities = arena.copy(capabilities);
  const instructions = member(result, INSTRUCTIONS, scratch);
  if (instructions !== NONE && kindOf(instructions) === Kind.String && length(instructions) > 2) {
    call.instructions = arena.copy(instructions);
  }
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

/** Bits of Capability. @param capabilities of a server, as JSON, or NONE */
function offersIn(capabilities: Span, scratch: Arena): u32 {
  let offers: u32 = 0;
  for (let i = 0; i < CAPABILITY_COUNT; i++) {
    if (member(capabilities, capabilityName(i), scratch) !== NONE) offers |= 1 << i;
  }
  const resources = member(capabilities, capabilityText(Capability.Resources), scratch);
  const subscribe = member(resources, SUBSCRIBE, scratch);
  if (subscribe !== NONE && kindOf(subscribe) === Kind.True) offers |= Capability.Subscribe;
  return offers;
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
