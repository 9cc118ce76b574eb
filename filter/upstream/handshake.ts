import { Arena, scratch } from '../bytes/arena';
import { Span, literal, length, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind, member } from '../json/reader';
import { textOf } from '../json/text';
import { CAPABILITY_COUNT, Capability, capabilityName, capabilityText, SUBSCRIBE } from '../mcp/capabilities';
import { Reason } from '../mcp/errors';
import { Method, methodText } from '../mcp/methods';
import { Revision, revisionOf, revisionText } from '../mcp/revisions';
import { Answer, messagesIn, Failure } from './answer';
import { post } from './callout';
import { hangs, isFault } from './faults';
import { isModernOnly, judge } from './judge';
import { isEndpoint } from '../session/endpoint';
import { Upstream } from '../session/token';
import { UpstreamCall } from './call';
import { INITIALIZED, newRequestId, requestMessage, responseTo } from './message';
import { plainWords } from './refusal';

/**
 * The opening of a session with one upstream (MCP lifecycle): `initialize`, its answer, `notifications/initialized`, its
 * acceptance. Strict servers refuse every request that comes before the last. Where the client has set a log level before,
 * the server is told it at once.
 */
export const ASKED = 1;
const CONFIRMED = 2;
const LEVEL_SET = 3;

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
const REFUSED = literal('it refused initialize: ');
const REVISION = literal('it chose a protocol revision that the gateway does not speak: ');

/** What a client says of itself in `initialize`: its servers are told the same. */
@unmanaged
export class Introduction {
  revision: Revision;
  /** JSON objects. */
  capabilities: Span;
  info: Span;
}

/**
 * Prepares the call's first callout.
 * @param like another call that begins at the same time with the same introduction and revision of its server, and has
 * sent nothing yet: the two share one message, however large it is
 */
export function beginHandshake(
  call: UpstreamCall,
  introduction: Introduction,
  client: Span,
  now: u64,
  arena: Arena,
  like: UpstreamCall | null = null,
): void {
  call.step = ASKED;
  call.upstream.revision = Revision.Unknown;
  call.id = like === null ? newRequestId(now, ASKED, arena) : like.id;
  const body = like === null ? opening(call, introduction, arena) : like.callout!.body;
  call.callout = post(call.server, call.upstream, body, client, arena);
}

function opening(call: UpstreamCall, introduction: Introduction, arena: Arena): Span {
  const server = call.server;
  const revision = revisionText(server.revision === Revision.Unknown ? introduction.revision : server.revision);
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

/** Takes the answer to the call's callout. True: the handshake is over, and the call holds what came of it. */
export function continueHandshake(
  call: UpstreamCall,
  answer: Answer,
  client: Span,
  scratch: Arena,
  arena: Arena,
): bool {
  // The session is there, whatever it says to the level.
  if (call.step === LEVEL_SET) return true;
  const failure = judge(answer, call.server, scratch);
  if (failure.reason === Reason.None && call.step === ASKED) {
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
  call.failure.take(failure, arena);
  return true;
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
    failure.set(Reason.UpstreamProtocol, newWriter(scratch, 128).bytes(REVISION).bytes(revision).written);
    return;
  }
  const capabilities = member(result, CAPABILITIES, scratch);
  call.upstream.offers = offersIn(capabilities, scratch);
  if (capabilities !== NONE) call.capabilities = arena.copy(capabilities);
  const instructions = member(result, INSTRUCTIONS, scratch);
  if (instructions !== NONE && kindOf(instructions) === Kind.String && length(instructions) > 2) {
    call.instructions = arena.copy(instructions);
  }
  if (answer.sessionId !== NONE) takeSession(call.upstream, answer, arena);
}

/** A session lives in the endpoint that opened it; a server without one answers at any. */
export function takeSession(upstream: Upstream, answer: Answer, arena: Arena): void {
  upstream.sessionId = arena.copy(answer.sessionId);
  upstream.endpoint = isEndpoint(answer.endpoint) ? arena.copy(answer.endpoint) : NONE;
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
  const detail = words === NONE ? NO_RESPONSE : newWriter(arena, 128).bytes(REFUSED).bytes(words).written;
  failure.set(isModernOnly(member(error, CODE, arena)) ? Reason.UpstreamEra : Reason.UpstreamProtocol, detail);
}
