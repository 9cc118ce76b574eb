import { scratch } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { Server } from '../config/gateway';
import { Answer } from '../federation/answer';
import { Lane } from '../federation/fanout';
import { credentialScope } from '../federation/credentials';
import { beginHandshake, continueHandshake } from '../federation/handshake';
import { Reason } from '../mcp/errors';
import { backOff, endBackoff, isBackingOff, Whom } from '../session/absent';
import { endLease, leaseOf, leaveLease } from '../session/lease';
import { join, upstreamOf } from '../session/overlay';
import { Session, Upstream } from '../session/token';
import { OUR_INFO } from '../version';
import { Exchange } from './exchange';

/**
 * A session with a server that begins after the client's: the server was down, was added, or has lost its own. One
 * request of this Envoy opens it, and the others that need it wait for that.
 */

/** How far it is. */
export const enum Opening {
  /** `lane.upstream` is the session. */
  Ready,
  /** A callout is to be sent. */
  Asking,
  /** Another request is asking; ask again with `open` at the next tick. */
  Parked,
  /** `lane.verdict` says why. */
  Failed,
}

/** Beyond what a handshake may take, for its end to be noticed; nanoseconds. */
const SLACK: u64 = 1_000_000_000;
const NANOSECONDS: u64 = 1_000_000;

const ELSEWHERE = literal('another request could not open a session with it');
const TOO_LONG = literal('another request has been opening a session with it for too long');

/** @param lane whose `lost` is the id that the server does not know any more */
export function open(exchange: Exchange, session: Session, lane: Lane): Opening {
  const keys = exchange.gateway.keys;
  const server = lane.server;
  const now = exchange.now;
  const known = upstreamOf(session, server.fingerprint, keys, exchange.arena);
  if (known !== null && !isSame(known.sessionId, lane.lost)) return take(lane, known);
  const lease = leaseOf(session, server.fingerprint, keys, scratch);
  const limits = exchange.gateway.limits;
  const most = (max(limits.handshakeTimeout, limits.listTimeout) as u64) * NANOSECONDS + SLACK;
  if (lane.parkedAt !== 0) {
    // The clock was set back: its wait begins anew.
    lane.parkedAt = min(lane.parkedAt, now);
    if (known !== null && lease.isOpenedSince(lane.parkedAt, now)) return take(lane, known);
    const reason = lease.failureSince(lane.parkedAt, now);
    if (reason !== Reason.None) return fail(lane, reason, ELSEWHERE);
    if (now - lane.parkedAt > most) return fail(lane, Reason.UpstreamTimeout, TOO_LONG);
  }
  if (lease.isHeld(now, most) || !lease.take(now, keys, scratch)) {
    if (lane.parkedAt === 0) lane.parkedAt = now;
    return Opening.Parked;
  }
  // Another worker may have ended its lease between the two looks at the slots.
  const latest = upstreamOf(session, server.fingerprint, keys, exchange.arena);
  if (latest !== null && !isSame(latest.sessionId, lane.lost)) {
    leaveLease(session, server.fingerprint, keys, scratch);
    return take(lane, latest);
  }
  lane.parkedAt = 0;
  lane.opening = true;
  lane.upstream.sessionId = NONE;
  beginHandshake(lane, session.revision, OUR_INFO, exchange.request.pairs, now, exchange.arena);
  return Opening.Asking;
}

/** Takes the answer to the lane's callout. */
export function continueOpening(exchange: Exchange, session: Session, lane: Lane, answer: Answer): Opening {
  const keys = exchange.gateway.keys;
  const server = lane.server;
  if (!continueHandshake(lane, answer, exchange.request.pairs, scratch, exchange.arena)) return Opening.Asking;
  lane.opening = false;
  noteReach(exchange, lane);
  if (lane.failed) {
    // It may have begun all the same.
    exchange.abandon(server, lane.upstream);
    endLease(session, server.fingerprint, exchange.now, lane.verdict.reason, keys, scratch);
    return Opening.Failed;
  }
  const known = upstreamOf(session, server.fingerprint, keys, exchange.arena);
  if (known === null || isSame(known.sessionId, lane.lost)) {
    join(session, lane.upstream, keys, scratch);
    lane.opened = true;
    exchange.opened = lane.upstream;
  } else {
    // A lease is a courtesy: another was faster all the same.
    exchange.abandon(server, lane.upstream);
    lane.upstream = known;
  }
  // Who waits for it looks for the session then.
  endLease(session, server.fingerprint, exchange.now, Reason.None, keys, scratch);
  return Opening.Ready;
}

/** Whether the server could not be reached a moment ago, and is not to be asked again by who can do without it. */
export function isLeftAlone(exchange: Exchange, server: Server, whom: Whom): bool {
  const scope = credentialScope(server.credentials, exchange.request.pairs, exchange.gateway.keys, scratch);
  return isBackingOff(server.fingerprint, scope, whom, exchange.seconds, exchange.gateway.keys, scratch);
}

/** What the end of a handshake says about the server, for those who would ask it next. */
export function noteReach(exchange: Exchange, lane: Lane): void {
  const keys = exchange.gateway.keys;
  const scope = credentialScope(lane.server.credentials, exchange.request.pairs, exchange.gateway.keys, scratch);
  if (!lane.faulty) endBackoff(lane.server.fingerprint, scope, keys, scratch);
  else if (lane.failed) backOff(lane.server.fingerprint, scope, lane.hangs, exchange.seconds, keys, scratch);
}

function take(lane: Lane, upstream: Upstream): Opening {
  lane.upstream = upstream;
  lane.parkedAt = 0;
  return Opening.Ready;
}

function fail(lane: Lane, reason: Reason, detail: Span): Opening {
  lane.parkedAt = 0;
  lane.verdict.set(reason, detail);
  return Opening.Failed;
}

function isSame(id: Span, other: Span): bool {
  return id === NONE || other === NONE ? id === other : equals(id, other);
}
