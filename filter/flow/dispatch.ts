import { scratch } from '../bytes/arena';
import { Span, equals, fingerprint, length, literal, NONE } from '../bytes/span';
import { FanOut } from '../federation/fanout';
import { Answer } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { isRefused, isUnanswered, isUnseen } from '../upstream/faults';
import { Shape } from '../mcp/shape';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Method, MethodKind, methodRow } from '../mcp/methods';
import { Era, eraOfRequest } from '../mcp/eras';
import { Revision, revisionOf } from '../mcp/revisions';
import { audienceOfStream } from '../session/audience';
import { isEnded } from '../session/ended';
import { openSession } from '../session/token';
import { Batch, openBatch, sendFromBatch } from './batch';
import { enterByHeaders } from './by-headers';
import { beginByKind } from './by-kind';
import { refuseUnoffered } from './offers';
import { beginResponse } from './client-response';
import { checkAccess, refuseMethod } from './access';
import { beginEventStream } from './event-stream';
import { Exchange, Outcome } from './exchange';
import { Probe, Stage } from './conversation';
import { hasAddress, openStream } from './http-sse';
import { serveInStream } from './http-sse-message';
import { beginInitialize } from './initialize';
import { beginNotification } from './notification';
import { enterOwnPages } from './own-pages';
import { waitsForState } from './request-state';
import { admitStateless, isByHeaders, releaseStateless } from './stateless';
import { beginExchange } from './token-exchange';
import { beginTerminate } from './terminate';
import { joinTrace } from './trace-context';

const ALLOWED = literal('GET, POST, DELETE');
const GET_WITH_BODY = literal('a GET with a body');

/**
 * By the headers alone, of a request for the endpoint, or for what is below it.
 * @param behind what follows the endpoint in the path. @param ended there is no body
 * @param byHeaders whether they decide before the body has come, where they say enough: host mode `headers`
 */
export function enterPath(exchange: Exchange, behind: Span, ended: bool, byHeaders: bool): Outcome {
  const own = length(behind) === 0 ? Outcome.ReadBody : enterOwnPages(exchange, behind, ended);
  if (own !== Outcome.ReadBody) return own;
  return byHeaders ? enterByHeaders(exchange, behind, ended) : enter(exchange, behind, ended);
}

/** The same of MCP alone. `ReadBody`: the body decides. */
export function enter(exchange: Exchange, behind: Span, ended: bool): Outcome {
  const request = exchange.request;
  const outcome = checkAccess(exchange, behind);
  if (outcome !== Outcome.ReadBody) return outcome;
  if (equals(request.method, header.POST)) {
    hasAddress(exchange);
    return outcome;
  }
  if (exchange.isForEvents) {
    // It would reach the server unread.
    if (!ended) return exchange.refuse(Reason.InvalidRequest, GET_WITH_BODY);
    // Some clients ask before they initialize: as with every server that has no stream, they go on without a word.
    if (request.sessionId === NONE) return openStream(exchange);
  } else if (!equals(request.method, header.DELETE)) return refuseMethod(exchange, ALLOWED);
  return isVersionKnown(exchange) ? admitSession(exchange) : Outcome.Reply;
}

/**
 * Whether what was read so far says for certain where a message goes, so that it may be sent on before the rest has come.
 * Only where the headers alone fix the era: a session or a stream of HTTP+SSE, and no modern revision.
 * @param within bytes of the body that may be held until then; it does not matter how many have come
 */
export function isReleasable(exchange: Exchange, within: u32): bool {
  const envelope = exchange.message.envelope;
  const request = exchange.request;
  const isCertain = exchange.isResponse
    ? envelope.isAnswerableWithin(within)
    : methodRow(envelope.method).kind === MethodKind.Named && envelope.isRoutableWithin(within);
  if (!isCertain || (!exchange.isResponse && needsWhole(exchange))) return false;
  if (!exchange.isResponse && isByHeaders(exchange)) return !waitsForState(exchange);
  if (envelope.claim !== 0 || (request.sessionId === NONE && !exchange.isHttpSse)) return false;
  const version = request.protocolVersion;
  return version === NONE || revisionOf(version) !== Revision.Unknown;
}

/** Whether a first look has shown that it needs the whole: for a REST service, a rule on arguments, or a tool of ours. */
function needsWhole(exchange: Exchange): bool {
  if (exchange.isForOwnTool) return true;
  return exchange.isAimed && (exchange.target.server.dialect.takesWhole || exchange.target.asksForArguments);
}

/**
 * By the part of a message that makes it releasable. `ReadBody`: its server is not known yet, or a session is being made
 * sure of, see `Conversation.probe`; the rest is held too.
 */
export function release(exchange: Exchange): Outcome {
  const outcome = releaseMessage(exchange);
  const isProbing = exchange.conversation.probe === Probe.UnderWay;
  if (outcome === Outcome.ReadBody && !isProbing) exchange.message.staysHeld = true;
  return outcome;
}

function releaseMessage(exchange: Exchange): Outcome {
  exchange.message.method = exchange.message.envelope.method;
  exchange.message.era = !exchange.isResponse && isByHeaders(exchange) ? Era.Stateless : Era.Sessions;
  const outcome = exchange.message.era === Era.Stateless ? releaseStateless(exchange) : admitSession(exchange);
  return outcome === Outcome.Serve ? serve(exchange) : outcome;
}

/** By the whole message. The order of the checks is that of what a client must mend first. */
export function admit(exchange: Exchange): Outcome {
  const envelope = exchange.message.envelope;
  const body = exchange.message.body;
  exchange.message.whole = true;
  exchange.message.size = body as u32;
  envelope.end();
  if (envelope.isBatch && exchange.request.sessionId !== NONE) return admitBatch(exchange);
  if (envelope.problem !== Reason.None) return exchange.refuse(envelope.problem, envelope.detail);
  const opens = methodRow(envelope.method).kind === MethodKind.Open && envelope.shape === Shape.Request;
  const version = exchange.request.protocolVersion;
  exchange.message.era = eraOfRequest(envelope.claim !== 0, opens, version);
  if (exchange.message.era === Era.Stateless) return admitStateless(exchange);
  exchange.message.method = envelope.method;
  if (isDiscover(exchange)) return refuseUnoffered(exchange);
  if (opens && !exchange.isHttpSse) return Outcome.Serve;
  return isVersionKnown(exchange) ? admitSession(exchange) : Outcome.Reply;
}

function admitBatch(exchange: Exchange): Outcome {
  if (!isVersionKnown(exchange)) return Outcome.Reply;
  const outcome = admitSession(exchange);
  return outcome === Outcome.Serve ? openBatch(exchange, exchange.caller.session!) : outcome;
}

/** MCP transports: an unsupported version is 400. Without a header, the session says it. */
function isVersionKnown(exchange: Exchange): bool {
  const version = exchange.request.protocolVersion;
  if (version === NONE || revisionOf(version) !== Revision.Unknown) return true;
  exchange.refuse(Reason.UnsupportedVersion, version);
  return false;
}

function admitSession(exchange: Exchange): Outcome {
  const token = exchange.isHttpSse ? exchange.address : exchange.request.sessionId;
  if (token === NONE) return exchange.refuse(Reason.SessionRequired);
  const gateway = exchange.gateway;
  const own = exchange.caller.audience;
  const audience = exchange.isHttpSse ? audienceOfStream(own, scratch) : own;
  const session = openSession(token, gateway.keys, exchange.seconds, audience, exchange.arena);
  if (session === null) return exchange.refuse(Reason.SessionUnknown);
  exchange.caller.sessionTag = fingerprint(session.id);
  if (isEnded(session, gateway.keys, scratch)) return exchange.refuse(Reason.SessionUnknown);
  exchange.caller.session = session;
  return Outcome.Serve;
}

/** `server/discover` that claims no revision: in the era with sessions the method does not exist. */
function isDiscover(exchange: Exchange): bool {
  const envelope = exchange.message.envelope;
  return envelope.method === Method.Discover && envelope.shape === Shape.Request;
}

/** Begins what an admitted request asks for. */
export function serve(exchange: Exchange): Outcome {
  const batch = exchange.batch;
  const outcome = batch === null ? Outcome.Serve : batch.next(exchange);
  if (outcome !== Outcome.Serve) return outcome;
  joinTrace(exchange);
  return serveMessage(exchange);
}

/**
 * What is to be done behind the outcome of a message of a batch.
 * @param outcome of which Forward or Reply is left to do
 */
export function goOnInBatch(exchange: Exchange, batch: Batch, outcome: Outcome): Outcome {
  if (outcome === Outcome.Forward) return sendFromBatch(exchange);
  batch.take(exchange);
  return batch.isServed ? batch.finish(exchange) : serve(exchange);
}

function serveMessage(exchange: Exchange): Outcome {
  const exchanged = beginExchange(exchange, serveExchanged);
  if (exchanged !== Outcome.Serve) return exchanged;
  const session = exchange.caller.session;
  if (session === null) return beginInitialize(exchange);
  if (exchange.isHttpSse) return serveInStream(exchange, session);
  if (exchange.isForEvents) return beginEventStream(exchange, session);
  if (!equals(exchange.request.method, header.POST)) return beginTerminate(exchange, session);
  if (exchange.isResponse) return beginResponse(exchange, session);
  if (exchange.message.envelope.shape !== Shape.Notification) return beginByKind(exchange, session);
  return beginNotification(exchange, session, methodRow(exchange.message.method).kind);
}

/** What was read whole, and has waited for tokens, goes on. */
function serveExchanged(exchange: Exchange, _fanOut: FanOut): Outcome {
  exchange.conversation.stage = Stage.None;
  return serveMessage(exchange);
}

/** Gives an answer to the flow that asked for it. */
export function resume(exchange: Exchange, call: UpstreamCall, answer: Answer): Outcome {
  const fanOut = exchange.conversation.fanOut!;
  call.waiting = false;
  call.callout = null;
  if (mayRepeat(exchange.conversation.stage, call, answer)) {
    call.repeated = true;
    call.callout = call.sent;
    return Outcome.Wait;
  }
  if (isUnseen(answer) && mayGoElsewhere(call)) {
    call.callout = call.sent;
    return Outcome.Wait;
  }
  call.repeated = false;
  call.detours = 0;
  return exchange.conversation.resume(exchange, fanOut, call, answer);
}

/** Once, and no call that may have run. Nor what nobody waits for. */
function mayRepeat(stage: Stage, call: UpstreamCall, answer: Answer): bool {
  if (call.repeated || stage === Stage.Tell) return false;
  if (isRefused(answer)) return true;
  return stage !== Stage.CallAgain && stage !== Stage.Relay && isUnanswered(answer);
}

/** As many as the routes of the shipped configurations have (`num_retries`). */
const MOST_DETOURS: u8 = 2;

/**
 * Whether a message that nobody has seen can go to another instance. One that was for the instance of its session can:
 * another does not know the session, says so, and a new one begins. Either may come to the instance that is gone once
 * more, since Envoy takes the instances in turns.
 */
function mayGoElsewhere(call: UpstreamCall): bool {
  const chosen = call.sent!.headers.remove(header.ENDPOINT);
  if (!chosen && call.detours === 0 && call.lost === NONE) return false;
  if (call.detours === MOST_DETOURS) return false;
  call.detours++;
  return true;
}

/** With a tick, where calls wait for what other requests do. */
export function poll(exchange: Exchange): Outcome {
  return exchange.conversation.poll(exchange, exchange.conversation.fanOut!);
}
