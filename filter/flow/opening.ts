import { make, scratch } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Server } from '../model/server';
import { Answer } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { credentialScope } from '../upstream/credentials';
import { beginHandshake, continueHandshake } from '../upstream/handshake';
import { Introduction } from '../upstream/introduction';
import { TASKS, writeCapabilities } from '../mcp/client-capabilities';
import { saysLost } from '../upstream/lost-session';
import { Reason } from '../mcp/errors';
import { backOff, endBackoff, isBackingOff, Whom } from '../session/backoff';
import { endLease, leaseOf, leaveLease } from '../session/lease';
import { levelOf } from '../session/level';
import { isOfRequest } from '../session/request-session';
import { Session, Upstream } from '../session/token';
import { OUR_INFO } from '../version';
import { dialectToTry, isForRequestAlone, keepUpstream, knownUpstream, learnEras } from './dialect';
import { Exchange } from './exchange';
import { reportLoss } from './report-loss';
import { withoutSession } from './rest-call';

/**
 * A session with a server that begins after the client's: the server was down, was added, or has lost its own. One
 * request of this Envoy opens it, and the others that need it wait for that.
 */

/** How far it is. */
export const enum Opening {
  /** `call.upstream` is the session. */
  Ready,
  /** A callout is to be sent. */
  Asking,
  /** Another request is asking; ask again with `open` at the next tick. */
  Parked,
  /** `call.failure` says why. */
  Failed,
}

/** Beyond what a handshake may take, for its end to be noticed; nanoseconds. */
const SLACK: u64 = 1_000_000_000;
const NANOSECONDS: u64 = 1_000_000;

const ELSEWHERE = literal('another request could not open a session with it');
const TOO_LONG = literal('another request has been opening a session with it for too long');

/** @param call whose `lost` is the id that the server does not know any more */
export function open(exchange: Exchange, session: Session, call: UpstreamCall): Opening {
  const keys = exchange.gateway.keys;
  const server = call.server;
  const now = exchange.now;
  if (server.dialect.isReady) return take(call, withoutSession(server, exchange));
  const known = knownUpstream(exchange, session, server);
  if (known !== null && !isSame(known.sessionId, call.lost)) return take(call, known);
  // Nobody waits for it.
  if (isForRequestAlone(exchange, session, server)) return begin(exchange, session, call);
  const lease = leaseOf(session, server.fingerprint, keys, scratch);
  const limits = exchange.gateway.limits;
  const most = (max(limits.handshakeTimeout, limits.listTimeout) as u64) * NANOSECONDS + SLACK;
  if (call.parkedAt !== 0) {
    // The clock was set back: its wait begins anew.
    call.parkedAt = min(call.parkedAt, now);
    if (known !== null && lease.isOpenedSince(call.parkedAt, now)) return take(call, known);
    const reason = lease.failureSince(call.parkedAt, now);
    if (reason !== Reason.None) return fail(call, reason, ELSEWHERE);
    if (now - call.parkedAt > most) return fail(call, Reason.UpstreamTimeout, TOO_LONG);
  }
  if (lease.isHeld(now, most) || !lease.take(now, keys, scratch)) {
    if (call.parkedAt === 0) call.parkedAt = now;
    return Opening.Parked;
  }
  // Another worker may have ended its lease between the two looks at the slots.
  const latest = knownUpstream(exchange, session, server);
  if (latest !== null && !isSame(latest.sessionId, call.lost)) {
    leaveLease(session, server.fingerprint, keys, scratch);
    return take(call, latest);
  }
  call.holdsLease = true;
  return begin(exchange, session, call);
}

function begin(exchange: Exchange, session: Session, call: UpstreamCall): Opening {
  const keys = exchange.gateway.keys;
  call.parkedAt = 0;
  call.opening = true;
  call.upstream.sessionId = NONE;
  call.upstream.endpoint = NONE;
  call.upstream.cookie = NONE;
  // There is none where there is no session.
  if (!isOfRequest(session)) call.level = levelOf(session, keys, exchange.arena);
  const dialect = dialectToTry(exchange, call.server, session.revision);
  beginHandshake(
    call,
    dialect,
    introductionOf(exchange, session),
    exchange.request.pairs,
    exchange.now,
    exchange.arena,
  );
  return Opening.Asking;
}

/** What is known of the client of a session that began earlier. */
function introductionOf(exchange: Exchange, session: Session): Introduction {
  const told = exchange.gateway.withholdsTasks ? session.capabilities & ~TASKS : session.capabilities;
  const introduction = make<Introduction>(scratch);
  introduction.revision = session.revision;
  introduction.capabilities = writeCapabilities(newWriter(scratch, 256), told).written;
  introduction.info = OUR_INFO;
  return introduction;
}

/** Takes the answer to the call's callout. */
export function continueOpening(exchange: Exchange, session: Session, call: UpstreamCall, answer: Answer): Opening {
  const server = call.server;
  const client = exchange.request.pairs;
  if (!continueHandshake(call, answer, client, exchange.now, scratch, exchange.arena)) return Opening.Asking;
  call.opening = false;
  learnEras(exchange, call);
  noteReach(exchange, call);
  if (call.failed) {
    if (saysLost(answer, scratch)) reportLoss(exchange, server, call.upstream);
    // It may have begun all the same.
    exchange.conversation.abandon(server, call.upstream);
    releaseLease(exchange, session, call);
    return Opening.Failed;
  }
  const known = knownUpstream(exchange, session, server);
  if (known === null || isSame(known.sessionId, call.lost)) {
    if (keepUpstream(exchange, session, call.upstream)) {
      call.opened = true;
      exchange.conversation.opened = call.upstream;
    } else exchange.conversation.abandon(server, call.upstream);
  } else {
    // A lease is a courtesy: another was faster all the same.
    exchange.conversation.abandon(server, call.upstream);
    call.upstream = known;
  }
  releaseLease(exchange, session, call);
  return Opening.Ready;
}

/** Who waits for it looks for the session then. */
function releaseLease(exchange: Exchange, session: Session, call: UpstreamCall): void {
  if (!call.holdsLease) return;
  call.holdsLease = false;
  const reason = call.failure.reason;
  endLease(session, call.server.fingerprint, exchange.now, reason, exchange.gateway.keys, scratch);
}

/** Whether the server could not be reached a moment ago, and is not to be asked again by who can do without it. */
export function isLeftAlone(exchange: Exchange, server: Server, whom: Whom): bool {
  const scope = credentialScope(server.credentials, exchange.request.pairs, exchange.gateway.keys, scratch);
  return isBackingOff(server.fingerprint, scope, whom, exchange.seconds, exchange.gateway.keys, scratch);
}

/** What the end of a handshake says about the server, for those who would ask it next. */
export function noteReach(exchange: Exchange, call: UpstreamCall): void {
  const keys = exchange.gateway.keys;
  const scope = credentialScope(call.server.credentials, exchange.request.pairs, exchange.gateway.keys, scratch);
  if (!call.faulty) endBackoff(call.server.fingerprint, scope, keys, scratch);
  else if (call.failed) backOff(call.server.fingerprint, scope, call.hangs, exchange.seconds, keys, scratch);
}

function take(call: UpstreamCall, upstream: Upstream): Opening {
  call.upstream = upstream;
  call.parkedAt = 0;
  return Opening.Ready;
}

function fail(call: UpstreamCall, reason: Reason, detail: Span): Opening {
  call.parkedAt = 0;
  call.failure.set(reason, detail);
  return Opening.Failed;
}

function isSame(id: Span, other: Span): bool {
  return id === NONE || other === NONE ? id === other : equals(id, other);
}
