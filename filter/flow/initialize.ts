import { CLOSING_BRACE, COMMA, OPENING_BRACE, QUOTE } from '../bytes/ascii';
import {
  Capability,
  CAPABILITY_COUNT,
  capabilityName,
  EXTENSIONS,
  extensionName,
  KNOWN_EXTENSIONS,
  LISTED,
} from '../mcp/capabilities';
import { Arena, make, scratch } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { sha256 } from '../crypto/sha256';
import { Server } from '../model/server';
import { Answer } from '../upstream/answer';
import { FanOut, newFanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { beginHandshake, continueHandshake } from '../upstream/handshake';
import { Introduction } from '../upstream/introduction';
import { saysLost } from '../upstream/lost-session';
import { resultMessage } from '../upstream/message';
import { kindOf, Kind, member } from '../json/reader';
import { inside, textOf } from '../json/text';
import { capabilityBits, withoutTasks } from '../mcp/client-capabilities';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { LATEST, Revision, revisionOf, revisionText, STATELESS_JSON } from '../mcp/revisions';
import { mayOffer, mayReach, onlyReachable } from '../policy/decision';
import { Scope } from '../policy/scope';
import { Whom } from '../session/backoff';
import { KnownHandshake, recallHandshake, rememberHandshake } from '../session/known-handshakes';
import { ANYTHING, newSessionDraft, Upstream } from '../session/token';
import { OUR_INFO } from '../version';
import { refuseForAll } from './all-failed';
import { tellsOfLists } from './changed-lists';
import { failForCredential, isRefused } from './credentials';
import { dialectToTry, keepUpstream, knownUpstream, learnEras } from './dialect';
import { Exchange, Outcome } from './exchange';
import { isWithinQuotas } from './quotas';
import { onlyOverHttpSse, refuseStreamable } from './http-sse';
import { Stage } from './conversation';
import { isLeftAlone, noteReach } from './opening';
import { reportLoss } from './report-loss';
import { withoutSession } from './rest-call';

const PROTOCOL_VERSION = literal('protocolVersion');
const CLIENT_INFO = literal('clientInfo');
const CLIENT_CAPABILITIES = literal('capabilities');
const NO_CAPABILITIES = literal('{}');
const NO_VERSION = literal('initialize needs params.protocolVersion');
const PARAMS = literal('params.');
const HAS = literal(' has ');
const BYTES = literal(' bytes');

const RESULT_OPEN = literal('{"protocolVersion":"');
const RESULT_VERSION_CLOSE = literal('",');
const DISCOVERED_OPEN = literal('{"supportedVersions":');
const DISCOVERED_CLOSE = literal('},"ttlMs":0,"cacheScope":"private","_meta":{"io.modelcontextprotocol/serverInfo":');
const CAPABILITIES_OPEN = literal('"capabilities":{');
const MEMBER = literal('":');
const NO_FEATURES = literal('{}');
const LIST_CHANGED = literal('{"listChanged":true}');
const SERVER_INFO = literal('},"serverInfo":');
const INSTRUCTIONS_OPEN = literal(',"instructions":"');
const CLOSE = literal('}');
const HEADING = literal('# ');
const TOOLS_OF = literal(' (its tools begin with ');
const HEADING_CLOSE = literal(')');
const GAP = literal('\\n\\n');
/** Instructions go into a model's context: one server does not get to fill it for all. */
const MAX_INSTRUCTIONS = 16 << 10;

/**
 * Opens a session with every server that this request may see, at once; the client waits for the slowest, at most
 * `handshakeTimeout`. Those that its header left out join when a later request asks for them.
 */
export function beginInitialize(exchange: Exchange): Outcome {
  if (!isWithinQuotas(exchange)) return Outcome.Reply;
  const params = exchange.message.envelope.text(exchange.message.body, exchange.message.envelope.params);
  const offered = member(params, PROTOCOL_VERSION, scratch);
  if (offered === NONE || kindOf(offered) !== Kind.String) {
    return exchange.refuse(Reason.InvalidRequest, NO_VERSION);
  }
  // MCP lifecycle: an unknown revision is answered with one that we support, and the client decides.
  const known = revisionOf(textOf(offered, scratch));
  exchange.revision = known === Revision.Unknown ? LATEST : known;
  const introduction = introductionIn(params, exchange.revision);
  if (isTooLarge(exchange, CLIENT_INFO, introduction.info)) return Outcome.Reply;
  if (isTooLarge(exchange, CLIENT_CAPABILITIES, introduction.capabilities)) return Outcome.Reply;
  exchange.clientCapabilities = capabilityBits(introduction.capabilities, scratch);
  if (exchange.gateway.withholdsTasks) {
    introduction.capabilities = withoutTasks(introduction.capabilities, scratch);
  }

  return introduce(exchange, introduction);
}

/**
 * `server/discover` (MCP 2026-07-28): what `initialize` answers, without a session. Servers of the other era are asked in
 * theirs, and the sessions that this opens are shared, see session/pool.ts, or end with the request.
 */
export function beginDiscover(exchange: Exchange): Outcome {
  if (!isWithinQuotas(exchange)) return Outcome.Reply;
  exchange.revision = Revision.V2026_07_28;
  const introduction = make<Introduction>(scratch);
  introduction.revision = exchange.revision;
  introduction.capabilities = NO_CAPABILITIES;
  introduction.info = OUR_INFO;
  return introduce(exchange, introduction);
}

function introduce(exchange: Exchange, introduction: Introduction): Outcome {
  const limits = exchange.gateway.limits;
  const fanOut = newFanOut(limits.fanOut, limits.handshakeTimeout, exchange.arena);
  exchange.conversation.begin(Stage.Initialize, fanOut, resume);
  exchange.conversation.introduction = digestOf(introduction, exchange.arena);
  addCalls(exchange, fanOut, introduction, false);
  // All are backing off: there is nobody else to ask.
  if (fanOut.calls.count === 0) addCalls(exchange, fanOut, introduction, true);
  if (fanOut.calls.count === 0 && onlyOverHttpSse(exchange) !== null) return refuseStreamable(exchange);
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

/** What is missing, or is no object, is what says least. */
function introductionIn(params: Span, revision: Revision): Introduction {
  const introduction = make<Introduction>(scratch);
  introduction.revision = revision;
  introduction.capabilities = objectIn(params, CLIENT_CAPABILITIES, NO_CAPABILITIES);
  introduction.info = objectIn(params, CLIENT_INFO, OUR_INFO);
  return introduction;
}

function objectIn(params: Span, name: Span, otherwise: Span): Span {
  const value = member(params, name, scratch);
  return value !== NONE && kindOf(value) === Kind.Object ? value : otherwise;
}

/** Whether it is more than every server may get a copy of. If so, `plan.reply` says why. */
function isTooLarge(exchange: Exchange, name: Span, value: Span): bool {
  const size = length(value) as u32;
  if (size <= exchange.gateway.limits.clientInfo) return false;
  const detail = newWriter(scratch, 64)
    .bytes(PARAMS)
    .bytes(name)
    .bytes(HAS)
    .decimal(size as u64)
    .bytes(BYTES);
  exchange.refuse(Reason.ClientInfoTooLarge, detail.written);
  return true;
}

/** @param anyway also those that hung a moment ago, which else join when they are first needed */
function addCalls(exchange: Exchange, fanOut: FanOut, introduction: Introduction, anyway: bool): void {
  const arena = exchange.arena;
  const pairs = exchange.request.pairs;
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    if (!mayReach(server, exchange.caller.scope)) continue;
    if (server.dialect.isReady) {
      fanOut.finish(fanOut.add(server, withoutSession(server, exchange), arena));
      continue;
    }
    if (!anyway && isLeftAlone(exchange, server, Whom.Hanging)) continue;
    const upstream = make<Upstream>(arena);
    upstream.fingerprint = server.fingerprint;
    const like = firstOfRevision(fanOut, server);
    const call = fanOut.add(server, upstream, arena);
    if (isRefused(server)) {
      failForCredential(fanOut, call);
      continue;
    }
    if (recall(exchange, call)) {
      fanOut.finish(call);
      continue;
    }
    const dialect = dialectToTry(exchange, server, exchange.revision);
    beginHandshake(call, dialect, introduction, pairs, exchange.now, arena, like);
  }
}

/** All that servers are told of a client: what one has answered to it, it would answer again. */
function digestOf(introduction: Introduction, arena: Arena): Span {
  const size = (introduction.capabilities as u32) + (introduction.info as u32) + 16;
  const text = newWriter(scratch, size as usize)
    .u8(introduction.revision)
    .u32(length(introduction.capabilities) as u32)
    .bytes(introduction.capabilities)
    .bytes(introduction.info);
  return sha256(text.written, arena);
}

/**
 * Takes a handshake that is known, of a server that keeps no session, or whose sessions are opened when they are needed.
 * Not of one that could not be reached a moment ago, and not where it is told who asks: it may answer each of them otherwise.
 */
function recall(exchange: Exchange, call: UpstreamCall): bool {
  const server = call.server;
  if (server.credentials.isOfClient || isLeftAlone(exchange, server, Whom.Unreachable)) return false;
  const introduction = exchange.conversation.introduction;
  const known = make<KnownHandshake>(scratch);
  const keys = exchange.gateway.keys;
  if (!recallHandshake(known, server.fingerprint, introduction, exchange.seconds, keys, exchange.arena)) return false;
  if (known.keepsSessions && !exchange.gateway.opensLazily) return false;
  call.deferred = known.keepsSessions;
  call.upstream.revision = known.revision;
  call.upstream.offers = known.offers;
  call.capabilities = known.capabilities;
  call.instructions = known.instructions;
  return true;
}

function remember(exchange: Exchange, call: UpstreamCall): void {
  const keepsSessions = call.upstream.sessionId !== NONE;
  if (call.failed || (keepsSessions && !exchange.gateway.opensLazily) || call.server.credentials.isOfClient) return;
  const known = make<KnownHandshake>(scratch);
  known.keepsSessions = keepsSessions;
  known.revision = call.upstream.revision;
  known.offers = call.upstream.offers;
  known.capabilities = call.capabilities;
  known.instructions = call.instructions;
  const introduction = exchange.conversation.introduction;
  const keys = exchange.gateway.keys;
  rememberHandshake(known, call.server.fingerprint, introduction, exchange.seconds, keys, scratch);
}

/** The first call that opens with the same message as this server's, or null. */
function firstOfRevision(fanOut: FanOut, server: Server): UpstreamCall | null {
  for (let i = 0; i < fanOut.calls.count; i++) {
    const other = fanOut.at(i);
    if (other.callout !== null && other.server.revision === server.revision) return other;
  }
  return null;
}

function resume(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  if (continueHandshake(call, answer, exchange.request.pairs, exchange.now, scratch, exchange.arena)) {
    learnEras(exchange, call);
    noteReach(exchange, call);
    if (call.failed && saysLost(answer, scratch)) reportLoss(exchange, call.server, call.upstream);
    remember(exchange, call);
    fanOut.finish(call);
  }
  return fanOut.settled ? finish(exchange, fanOut) : Outcome.Wait;
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  if (exchange.message.era === Era.Stateless) return finishDiscovery(exchange, fanOut);
  const arena = exchange.arena;
  const failed = failedCall(exchange, fanOut);
  if (failed !== null) return refuseForAll(exchange, fanOut, failed);

  const draft = newSessionDraft(exchange.revision, arena);
  draft.capabilities = exchange.clientCapabilities;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (!call.failed && !call.deferred && draft.add(call.upstream)) {
      call.opened = true;
    }
  }
  const result = newWriter(arena, 1024)
    .bytes(RESULT_OPEN)
    .bytes(revisionText(exchange.revision))
    .bytes(RESULT_VERSION_CLOSE);
  const offers = offered(exchange, fanOut) & ~KNOWN_EXTENSIONS;
  writeCapabilities(result, offers, onlyCall(exchange, fanOut), hearsOfLists(exchange, fanOut), false);
  result.bytes(SERVER_INFO).bytes(OUR_INFO);
  writeInstructions(result, fanOut, exchange.caller.scope);
  const outcome = exchange.answer(200, resultMessage(exchange.id, result.bytes(CLOSE).written, arena));
  exchange.plan.reply.draft = draft;
  return outcome;
}

/**
 * Where no server speaks the era without sessions, `server/discover` does not exist: clients that speak both go on with
 * `initialize`, and have all that a session offers. One that does is enough, and the others are reached all the same.
 * REST services have no sessions, so where there is nothing else it does as well; and so it does where the configuration
 * says `discover: always`, for clients that speak this era alone.
 */
function finishDiscovery(exchange: Exchange, fanOut: FanOut): Outcome {
  const always = exchange.gateway.discoversAlways;
  const failed = always ? failedCall(exchange, fanOut) : null;
  if (failed !== null) return refuseForAll(exchange, fanOut, failed);
  let speaks = always || reachesRestAlone(exchange);
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.failed || call.deferred) continue;
    call.opened = true;
    if (!call.upstream.dialect.hasSessions) speaks = true;
    else if (!isPooled(exchange, call)) exchange.conversation.abandon(call.server, call.upstream);
  }
  if (!speaks) return exchange.refuse(Reason.SessionsAlone);
  const result = newWriter(exchange.arena, 1024).bytes(DISCOVERED_OPEN).bytes(STATELESS_JSON).byte(COMMA);
  const offers = offered(exchange, fanOut) & ~Capability.Logging;
  writeCapabilities(result, offers, onlyStateless(exchange, fanOut), false, true);
  result.bytes(DISCOVERED_CLOSE).bytes(OUR_INFO).bytes(CLOSE);
  writeInstructions(result, fanOut, exchange.caller.scope);
  return exchange.answerResult(result.bytes(CLOSE).written);
}

function reachesRestAlone(exchange: Exchange): bool {
  let reaches = false;
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    if (!mayReach(server, exchange.caller.scope)) continue;
    if (server.rest === null) return false;
    reaches = true;
  }
  return reaches;
}

/** Keeps the session of a call for later requests. False: they have one, or no use for it. */
function isPooled(exchange: Exchange, call: UpstreamCall): bool {
  const session = exchange.caller.session!;
  return knownUpstream(exchange, session, call.server) === null && keepUpstream(exchange, session, call.upstream);
}

/** The same, if its server speaks the era without sessions; else null: of another, changes cannot be listened to. */
function onlyStateless(exchange: Exchange, fanOut: FanOut): UpstreamCall | null {
  const only = onlyCall(exchange, fanOut);
  return only === null || only.upstream.dialect.hasSessions ? null : only;
}

/** The call to the one server that this request may reach, if it took part; else null. */
function onlyCall(exchange: Exchange, fanOut: FanOut): UpstreamCall | null {
  const server = onlyReachable(exchange.gateway, exchange.caller.scope);
  if (server === null || fanOut.calls.count !== 1 || fanOut.at(0).failed) return null;
  return fanOut.at(0);
}

/** What some server offers, and this request may see. */
function offered(exchange: Exchange, fanOut: FanOut): u32 {
  let offers: u32 = 0;
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    const call = callOf(fanOut, server);
    // Down, or too large for the token: it joins when it is first needed, and may have anything then.
    const known = call !== null && (call.opened || call.deferred);
    offers |= mayOffer(server, exchange.caller.scope) & (known ? call!.upstream.offers : ANYTHING & ~KNOWN_EXTENSIONS);
  }
  return offers;
}

function callOf(fanOut: FanOut, server: Server): UpstreamCall | null {
  for (let i = 0; i < fanOut.calls.count; i++) if (fanOut.at(i).server === server) return fanOut.at(i);
  return null;
}

/**
 * Whether a GET of the client will be answered by the gateway, which tells of changed lists. One server alone has a stream
 * in a session, and offers itself what comes in it.
 */
function hearsOfLists(exchange: Exchange, fanOut: FanOut): bool {
  if (!tellsOfLists(exchange.gateway, exchange.revision)) return false;
  const only = onlyReachable(exchange.gateway, exchange.caller.scope);
  if (only === null) return true;
  const call = callOf(fanOut, only);
  return call !== null && !call.failed && !call.upstream.dialect.hasSessions;
}

/**
 * No more of each than that it is there.
 * @param only whose stream is the client's too: what it tells of changes arrives, so it offers that itself. Of several
 * servers the client has no stream to hear it in
 * @param tells the client is told of changed lists by the gateway
 * @param isStateless of the client's era: extensions are of that one
 */
function writeCapabilities(
  result: Writer,
  offers: u32,
  only: UpstreamCall | null,
  tells: bool,
  isStateless: bool,
): void {
  result.bytes(CAPABILITIES_OPEN);
  let any = false;
  for (let i = 0; i < CAPABILITY_COUNT; i++) {
    if ((offers & (1 << i)) === 0) continue;
    if (any) result.byte(COMMA);
    any = true;
    const name = capabilityName(i);
    const features = only === null ? NONE : objectIn(only.capabilities, name, NONE);
    const own: Span = tells && (LISTED & (1 << i)) !== 0 ? LIST_CHANGED : NO_FEATURES;
    result
      .byte(QUOTE)
      .bytes(name)
      .bytes(MEMBER)
      .bytes(features === NONE ? own : features);
  }
  if (!isStateless) return;
  const extensions = extensionsIn(offers, only);
  if (extensions === NONE) return;
  if (any) result.byte(COMMA);
  result.byte(QUOTE).bytes(EXTENSIONS).bytes(MEMBER).bytes(extensions);
}

/** All of one server of the client's own era pass to it; of several, those that are known here. */
function extensionsIn(offers: u32, only: UpstreamCall | null): Span {
  if (only !== null) return objectIn(only.capabilities, EXTENSIONS, NONE);
  let known = offers & KNOWN_EXTENSIONS;
  if (known === 0) return NONE;
  const text = newWriter(scratch, 96).byte(OPENING_BRACE);
  for (; known !== 0; known &= known - 1) {
    text
      .byte(QUOTE)
      .bytes(extensionName(known & -known))
      .bytes(MEMBER)
      .bytes(NO_FEATURES);
    if ((known & (known - 1)) !== 0) text.byte(COMMA);
  }
  return text.byte(CLOSING_BRACE).written;
}

/** Where none of the servers that this request may see took part, the first of them; else null. */
function failedCall(exchange: Exchange, fanOut: FanOut): UpstreamCall | null {
  let failed: UpstreamCall | null = null;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (!mayReach(call.server, exchange.caller.scope)) continue;
    if (!call.failed) return null;
    if (failed === null) failed = call;
  }
  return failed;
}

/** Every server's own words under a heading of ours, which says how its tools are named here. */
function writeInstructions(result: Writer, fanOut: FanOut, scope: Scope): void {
  let any = false;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (!mayReach(call.server, scope)) continue;
    if (call.failed || call.instructions === NONE || length(call.instructions) > MAX_INSTRUCTIONS) continue;
    result.bytes(any ? GAP : INSTRUCTIONS_OPEN);
    any = true;
    if (length(call.server.prefix) > 0) {
      result.bytes(HEADING).bytes(call.server.name).bytes(TOOLS_OF).bytes(call.server.prefix);
      result.bytes(HEADING_CLOSE).bytes(GAP);
    }
    // The inside of a JSON string, spliced as it came.
    result.bytes(inside(call.instructions));
  }
  if (any) result.byte(QUOTE);
}
