// The gateway without a host: what the shell of a real one does, step by step, with the tests' own answers.
import { Noun } from '../../../filter/mcp/nouns';
import { Arena, make, newArena, scratch } from '../../../filter/bytes/arena';
import { namesIn } from '../../../filter/bytes/name-list';
import { Span, equals, span, NONE } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { Gateway } from '../../../filter/model/gateway';
import { Parsed, parseGateway } from '../../../filter/config/parse';
import { Answer, Ending } from '../../../filter/upstream/answer';
import { UpstreamCall } from '../../../filter/upstream/call';
import { admit, enter, resume, serve } from '../../../filter/flow/dispatch';
import { Exchange, newExchange, Outcome } from '../../../filter/flow/exchange';
import { Warning } from '../../../filter/flow/plan';
import { behindEndpoint, readRequest } from '../../../filter/flow/request';
import * as header from '../../../filter/mcp/headers';
import { markIn, markOffsetInToken, ownerOfUri } from '../../../filter/model/uri-owner';
import { countOf } from '../../../filter/bytes/pairs';
import { AUTHORIZED } from '../../../filter/mcp/headers';
import { answersIn } from '../../../filter/policy/claims';
import { NO_FACTS } from '../../../filter/model/tool-facts';
import { mayUse } from '../../../filter/policy/decision';
import { permissionsOf } from '../../../filter/policy/permissions';
import { Scope } from '../../../filter/policy/scope';
import { VirtualServer } from '../../../filter/model/virtual-server';
import { ENTROPY_SIZE } from '../../../filter/session/token';

const NOW: u64 = 1_800_000_000_000_000_000;
const NOT_OURS = -1;

const ofConfiguration: Arena = newArena(16 << 10);
const ofRequest: Arena = newArena(16 << 10);
const ofAnswer: Arena = newArena(16 << 10);
let parsed: Parsed = make<Parsed>(ofConfiguration);
let exchange: Exchange = make<Exchange>(ofRequest);
let call: UpstreamCall | null = null;
let claims: Span = NONE;
let authorized: Span = NONE;

/** Returns the number of problems. @param environment `NAME=value`, NUL, … */
export function gatewayConfigure(json: usize, count: u32, environment: usize, environmentLength: u32): i32 {
  ofConfiguration.reset();
  claims = NONE;
  authorized = NONE;
  const kept = ofConfiguration.copy(span(json, count));
  parsed = parseGateway(kept, ofConfiguration.copy(span(environment, environmentLength)), ofConfiguration);
  scratch.reset();
  return parsed.problems.lines.count;
}

export function gatewayProblem(index: i32): Span {
  return index < parsed.problems.lines.count ? parsed.problems.lines.at(index) : NONE;
}

export function gatewayWarning(index: i32): Span {
  return index < parsed.problems.warnings.count ? parsed.problems.warnings.at(index) : NONE;
}

/** The verified token of the requests to come. @param payload a serialized google.protobuf.Struct, or nothing */
export function gatewayToken(payload: usize, count: u32): void {
  claims = count === 0 ? NONE : ofConfiguration.copy(span(payload, count));
}

/** The same of the header that lists what the caller may use. */
export function gatewayAuthorized(payload: usize, count: u32): void {
  authorized = count === 0 ? NONE : ofConfiguration.copy(span(payload, count));
}

/** Returns the outcome, or -1 for a path that is not the gateway's. @param headers in the form of the ABI */
export function gatewayRequest(headers: usize, headersLength: u32, body: usize, bodyLength: u32): i32 {
  ofRequest.reset();
  scratch.reset();
  const gateway: Gateway = parsed.gateway;
  const request = readRequest(ofRequest.copy(span(headers, headersLength)), ofRequest);
  const behind = behindEndpoint(request.path, gateway.endpoint);
  if (behind === NONE) return NOT_OURS;
  exchange = newExchange(gateway, request, ofRequest);
  exchange.now = NOW;
  const authorization = gateway.authorization;
  if (authorization !== null) exchange.caller.answers = answersIn(gateway.claims, claims, ofRequest);
  const allowed = gateway.allowedCapabilities;
  if (allowed !== null) {
    const lines = countOf(request.pairs, AUTHORIZED, ofRequest);
    exchange.caller.readAllowed(allowed, authorized, lines, gateway.servers.count, ofRequest);
  }
  let outcome = enter(exchange, behind, true);
  if (outcome === Outcome.ReadBody) {
    exchange.message.body = ofRequest.copy(span(body, bodyLength));
    exchange.message.envelope.read(exchange.message.body);
    outcome = admit(exchange);
  }
  return outcome === Outcome.Serve ? serve(exchange) : outcome;
}

/** The name of the next server that is sent a callout, or NONE. */
export function gatewayCallout(): Span {
  const fanOut = exchange.conversation.fanOut;
  if (fanOut === null) return NONE;
  call = fanOut.next(exchange.now);
  if (call === null) return NONE;
  call!.waiting = true;
  return call!.server.name;
}

/** The body of the callout. */
export function gatewayCalloutBody(): Span {
  return call!.callout!.body;
}

/** Answers it, with JSON; returns the outcome. */
export function gatewayAnswer(status: u32, body: usize, count: u32): i32 {
  const answer = make<Answer>(scratch);
  answer.ending = Ending.Response;
  answer.status = status;
  answer.contentType = header.JSON_TYPE;
  answer.body = span(body, count);
  const outcome = resume(exchange, call!, answer);
  scratch.reset();
  return outcome;
}

export function gatewayStatus(): u32 {
  return exchange.plan.reply.status;
}

export function gatewayReply(): Span {
  return exchange.plan.reply.body;
}

/** The session id that goes with the reply. */
export function gatewaySession(): Span {
  const draft = exchange.plan.reply.draft;
  if (draft === null) return NONE;
  const entropy = span(ofRequest.zeroed(ENTROPY_SIZE), ENTROPY_SIZE as u32);
  const gateway = parsed.gateway;
  const ttl = gateway.sessionTtl;
  return draft.sealed(gateway.keys.sealing, entropy, exchange.seconds, ttl, exchange.caller.audience, ofRequest);
}

export function gatewayLogged(index: i32): Span {
  const warnings = exchange.plan.warnings;
  return warnings !== null && index < warnings.count ? changetype<Warning>(warnings.at(index) as usize).line : NONE;
}

/** Arguments of the call as the record shows them, or NONE. */
export function gatewayAuditedArguments(): Span {
  return exchange.auditedArguments;
}

/** The value that a forwarded request gets in a header, or NONE. */
export function gatewayForwarded(name: usize, count: u32): Span {
  const edits = exchange.plan.forward.headers;
  for (let i: u32 = 0; i < edits.count; i++) {
    if (equals(edits.nameAt(i), span(name, count))) return edits.valueAt(i);
  }
  return NONE;
}

/**
 * The decision alone, `times` over: how often it was yes.
 * @param path index of a virtual server, or -1
 * @param narrowing the same, of the header
 */
export function gatewayDecide(server: i32, name: usize, count: u32, path: i32, narrowing: i32, times: i32): i32 {
  const gateway = parsed.gateway;
  const scope = make<Scope>(scratch);
  if (path >= 0) scope.path = virtualServerAt(path);
  if (narrowing >= 0) scope.header = virtualServerAt(narrowing);
  let admitted = 0;
  for (let i = 0; i < times; i++)
    if (mayUse(gateway, Noun.Tools, gateway.serverAt(server), span(name, count), scope, NO_FACTS)) admitted++;
  scratch.reset();
  return admitted;
}

/**
 * What the rules cost: for each of `requests` the claims are read and the rules settled, then each name is decided on under
 * them. How often it was yes. @param names of tools of the first server, a space between
 */
export function gatewayDecideByRules(names: usize, count: u32, requests: i32): i32 {
  const gateway = parsed.gateway;
  let admitted = 0;
  const arena = newArena(16 << 10);
  const tools = namesIn(span(names, count), arena);
  for (let i = 0; i < requests; i++) {
    const scope = make<Scope>(scratch);
    const authorization = gateway.authorization;
    if (authorization !== null) {
      const answers = answersIn(gateway.claims, claims, scratch);
      scope.permissions = permissionsOf(authorization, answers, null, null, scratch);
    }
    for (let j = 0; j < tools.count; j++)
      if (mayUse(gateway, Noun.Tools, gateway.serverAt(0), tools.at(j), scope, NO_FACTS)) admitted++;
    scratch.reset();
  }
  arena.dispose();
  return admitted;
}

/**
 * What the rules say of tools of a server to the token: for each a digit, see Access. @param names a space between
 * @param afresh nothing is remembered: a name that has another one beside it, here itself, is decided on each time
 */
export function gatewayAccesses(server: i32, names: usize, count: u32, facts: u32, afresh: bool): Span {
  const gateway = parsed.gateway;
  const answers = answersIn(gateway.claims, claims, scratch);
  const permissions = permissionsOf(gateway.authorization!, answers, null, null, scratch);
  const tools = namesIn(span(names, count), scratch);
  ofAnswer.reset();
  const digits = newWriter(ofAnswer, tools.count as usize);
  for (let i = 0; i < tools.count; i++) {
    const name: Span = tools.at(i);
    digits.decimal(permissions.accessTo(Noun.Tools, server, name, afresh ? name : NONE, facts) as u64);
  }
  scratch.reset();
  return digits.written;
}

function virtualServerAt(index: i32): VirtualServer {
  return changetype<VirtualServer>(parsed.gateway.virtualServers.at(index) as usize);
}

/** Whether a forwarded request loses a header. */
export function gatewayRemoves(name: usize, count: u32): bool {
  const edits = exchange.plan.forward.headers;
  for (let i: u32 = 0; i < edits.count; i++) {
    if (equals(edits.nameAt(i), span(name, count))) return edits.valueAt(i) === NONE;
  }
  return false;
}

/** Where a server's mark goes in a URI of it, as a string token; see uri-owner.ts. */
export function gatewayMarkOffset(server: i32, token: usize, count: u32): i32 {
  const gateway = parsed.gateway;
  const at = markOffsetInToken(gateway, gateway.serverAt(server), span(token, count), scratch);
  scratch.reset();
  return at;
}

export function gatewayMark(server: i32): Span {
  return parsed.gateway.serverAt(server).mark;
}

/** The index of the server that a URI belongs to, or -1. */
export function gatewayUriOwner(uri: usize, count: u32): i32 {
  const owner = ownerOfUri(parsed.gateway, span(uri, count));
  return owner === null ? -1 : owner.index;
}

/** Where the mark stands in a URI of that server, or -1. */
export function gatewayMarkIn(server: i32, uri: usize, count: u32): i32 {
  return markIn(parsed.gateway.serverAt(server), span(uri, count));
}
