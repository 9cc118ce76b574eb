import { make, scratch } from '../bytes/arena';
import { Span, equals, first, literal, NONE } from '../bytes/span';
import { FanOut, newFanOut } from '../federation/fanout';
import { textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { MethodKind, methodRow } from '../mcp/methods';
import { Noun } from '../mcp/nouns';
import { Shape } from '../mcp/shape';
import { withCredentials } from '../model/credential-choice';
import { CredentialKind, newCredentials } from '../model/credentials';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { mayReach } from '../policy/decision';
import { keepToken, keptToken } from '../session/exchanged-tokens';
import { subjectIn } from '../session/identity';
import { endLease, leaseOf, leaveLease } from '../session/lease';
import { Session, TOKEN_ID_SIZE, Upstream } from '../session/token';
import { Answer, Failure } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { credentialScope } from '../upstream/credentials';
import {
  bearerIn,
  bearerOf,
  ExchangedToken,
  exchangeRequest,
  readExchanged,
  whyNoBearer,
} from '../upstream/token-exchange';
import { plainNameIn, serverOf } from './call';
import { Proceed, Stage, whenSettled } from './conversation';
import { Exchange, Outcome } from './exchange';
import { isForOwnTool } from './own-tools';

/**
 * Exchanges the caller's token for one of each server that is sent such a one (RFC 8693), before anything is said to a
 * server. One request of a caller asks the token endpoint, and the others that need the same token wait for it. From then on
 * the request's gateway has each server with its token; one without is refused, and the others are not.
 */

/** Beyond what an exchange may take, for its end to be noticed; nanoseconds. */
const SLACK: u64 = 1_000_000_000;
const NANOSECONDS: u64 = 1_000_000;

const ELSEWHERE = literal('another request of this caller did not get one a moment ago');
const TOO_LARGE = literal(
  'it was not asked, as this message is larger than limits.heldBody, and nothing of that size waits for a token; send a ' +
    'small request first, such as tools/list, and then this one once more',
);
const TOO_LONG = literal('another request of this caller has been asking for too long');

/**
 * `Serve`: all tokens are there that can be had. `ReadBody`: the rest of the message has to come first.
 * @param next where some had to be waited for
 */
export function beginExchange(exchange: Exchange, next: Proceed): Outcome {
  if (!exchange.gateway.exchanges) return Outcome.Serve;
  const method = methodRow(exchange.message.method);
  const only = onlyServer(exchange, method.kind);
  if (method.kind === MethodKind.Local) return Outcome.Serve;
  const gateway = ownGateway(exchange);
  let missing = 0;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (isConcerned(exchange, server, only) && !takeKept(exchange, server)) missing++;
  }
  if (missing === 0) return Outcome.Serve;
  // No other method has a message.
  const isMessage = equals(exchange.request.method, header.POST);
  // In how few parts a body comes must not decide what waits.
  const isSmall = !isMessage || exchange.message.size <= gateway.limits.heldBody;
  if (!isSmall) return exchange.refuse(Reason.TokenUnavailable, TOO_LARGE, only === null ? NONE : only.name);
  // What would pass before its end is read whole.
  if (isMessage && !exchange.message.whole) return Outcome.ReadBody;
  const fanOut = newFanOut(gateway.limits.fanOut, gateway.limits.handshakeTimeout, exchange.arena);
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (isConcerned(exchange, server, only)) add(exchange, fanOut, server);
  }
  if (fanOut.settled) return Outcome.Serve;
  exchange.conversation.begin(Stage.Exchange, fanOut, resume, poll, next);
  const message = exchange.message;
  if (isMessage && !message.lasts) message.body = exchange.arena.copy(message.body);
  return Outcome.Wait;
}

function add(exchange: Exchange, fanOut: FanOut, server: Server): void {
  const upstream = make<Upstream>(exchange.arena);
  upstream.fingerprint = server.fingerprint;
  ask(exchange, fanOut, fanOut.add(server, upstream, exchange.arena));
}

function resume(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  const server = call.server;
  const found = make<ExchangedToken>(scratch);
  const failure = make<Failure>(scratch);
  readExchanged(answer, server, found, failure, scratch);
  const keys = exchange.gateway.keys;
  if (failure.reason === Reason.None) {
    const scope = scopeOf(exchange, server);
    keepToken(found.token, found.lifetime, scope, server.fingerprint, exchange.seconds, keys, scratch);
    give(exchange, server, found.token);
  } else {
    call.failure.take(failure, exchange.arena);
    refuse(exchange, server, call.failure.reason, call.failure.detail);
  }
  call.holdsLease = false;
  endLease(sharers(exchange, server), server.fingerprint, exchange.now, failure.reason, keys, scratch);
  fanOut.finish(call);
  return whenSettled(exchange, fanOut);
}

/** The request goes away before its answer: another one of the caller has to ask. */
export function leaveExchange(exchange: Exchange, call: UpstreamCall): void {
  leaveLease(sharers(exchange, call.server), call.server.fingerprint, exchange.gateway.keys, scratch);
}

/** Whether another request of the caller has got the token. */
function poll(exchange: Exchange, fanOut: FanOut): Outcome {
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.parkedAt !== 0) ask(exchange, fanOut, call);
  }
  return whenSettled(exchange, fanOut);
}

/** Whether a message needs a token of a server that is not there yet. @param only that the message is for, or null */
function isConcerned(exchange: Exchange, server: Server, only: Server | null): bool {
  if (!lacksToken(server) || !mayReach(server, exchange.caller.scope)) return false;
  return only === null || only.index === server.index;
}

function lacksToken(server: Server): bool {
  return server.credentials.kind === CredentialKind.Exchange && server.credentials.value === NONE;
}

/** Takes the token that is kept for the caller, or sees that the request has none that could be exchanged. */
function takeKept(exchange: Exchange, server: Server): bool {
  if (callersToken(exchange) === NONE) {
    refuse(exchange, server, Reason.UpstreamCredential, whyNoBearer(authorizationOf(exchange)));
    return true;
  }
  const keys = exchange.gateway.keys;
  const token = keptToken(scopeOf(exchange, server), server.fingerprint, exchange.seconds, keys, scratch);
  if (token !== NONE) give(exchange, server, token);
  return token !== NONE;
}

/** Asks the token endpoint, or waits for another request of the caller that does. */
function ask(exchange: Exchange, fanOut: FanOut, call: UpstreamCall): void {
  const keys = exchange.gateway.keys;
  const server = call.server;
  const now = exchange.now;
  const most = (exchange.gateway.limits.handshakeTimeout as u64) * NANOSECONDS + SLACK;
  // What was kept meanwhile is looked for before the lease is read: between that and its taking nothing else may be.
  if (call.parkedAt !== 0 && takeKept(exchange, server)) return settle(fanOut, call);
  const session = sharers(exchange, server);
  const lease = leaseOf(session, server.fingerprint, keys, scratch);
  if (call.parkedAt !== 0) {
    // The clock was set back: its wait begins anew.
    call.parkedAt = min(call.parkedAt, now);
    const reason = lease.failureSince(call.parkedAt, now);
    if (reason !== Reason.None) return fail(exchange, fanOut, call, reason, ELSEWHERE);
    if (now - call.parkedAt > most) return fail(exchange, fanOut, call, Reason.TokenUnavailable, TOO_LONG);
  }
  if (lease.isHeld(now, most) || !lease.take(now, keys, scratch)) {
    if (call.parkedAt === 0) call.parkedAt = now;
    return;
  }
  // Another worker may have ended its lease between the two looks at the slots.
  if (takeKept(exchange, server)) {
    leaveLease(session, server.fingerprint, keys, scratch);
    return settle(fanOut, call);
  }
  call.parkedAt = 0;
  call.holdsLease = true;
  call.callout = exchangeRequest(server.credentials.exchange!, callersToken(exchange), exchange.arena);
}

function settle(fanOut: FanOut, call: UpstreamCall): void {
  call.parkedAt = 0;
  fanOut.finish(call);
}

function fail(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, reason: Reason, detail: Span): void {
  call.failure.set(reason, detail);
  refuse(exchange, call.server, reason, detail);
  settle(fanOut, call);
}

/** From here on the server is sent this token. */
function give(exchange: Exchange, server: Server, token: Span): void {
  const arena = exchange.arena;
  const credentials = newCredentials(CredentialKind.Exchange, arena);
  credentials.header = header.AUTHORIZATION;
  credentials.headers = server.credentials.headers;
  credentials.exchange = server.credentials.exchange;
  credentials.value = bearerOf(token, arena);
  replace(exchange, server, withCredentials(server, credentials, arena));
}

/** From here on it is sent nothing, in no session either that it may have with the caller. */
function refuse(exchange: Exchange, server: Server, reason: Reason, detail: Span): void {
  const arena = exchange.arena;
  const credentials = newCredentials(CredentialKind.Refused, arena);
  credentials.refusal = reason;
  credentials.detail = detail;
  const refused = withCredentials(server, credentials, arena);
  refused.fingerprint = ~server.fingerprint;
  replace(exchange, server, refused);
}

function replace(exchange: Exchange, server: Server, by: Server): void {
  ownGateway(exchange).servers.set(server.index, changetype<usize>(by) as u64);
}

function ownGateway(exchange: Exchange): Gateway {
  if (!exchange.gateway.isOfRequest) exchange.gateway = exchange.gateway.copied(exchange.arena);
  return exchange.gateway;
}

/** The server that a message is for, where its name says it; null: it may be for any. */
function onlyServer(exchange: Exchange, kind: MethodKind): Server | null {
  if (kind !== MethodKind.Named || exchange.isResponse || exchange.message.envelope.shape !== Shape.Request)
    return null;
  const name = plainNameOf(exchange);
  return name === NONE ? null : serverOf(exchange.gateway, name);
}

/** What a message names, with the prefix of its server; NONE: nothing, or a tool of ours. */
function plainNameOf(exchange: Exchange): Span {
  const token = exchange.message.envelope.keyIn(exchange.message.body);
  const name: Span = token === NONE ? NONE : textOf(token, scratch);
  if (name === NONE || isForOwnTool(exchange, name)) return NONE;
  if (exchange.noun.noun !== Noun.Tools) return name;
  return plainNameIn(exchange.caller.scope, exchange.gateway, name);
}

function authorizationOf(exchange: Exchange): Span {
  return subjectIn(exchange.request.pairs, header.AUTHORIZATION, scratch);
}

function callersToken(exchange: Exchange): Span {
  return bearerIn(authorizationOf(exchange));
}

function scopeOf(exchange: Exchange, server: Server): Span {
  return credentialScope(server.credentials, exchange.request.pairs, exchange.gateway.keys, scratch);
}

/** What requests that need the same token have in common, in the form of a session. */
function sharers(exchange: Exchange, server: Server): Session {
  const session = make<Session>(scratch);
  session.id = first(scopeOf(exchange, server), TOKEN_ID_SIZE as u32);
  return session;
}
