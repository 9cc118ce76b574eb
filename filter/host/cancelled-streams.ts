import { scratch } from '../bytes/arena';
import { NONE } from '../bytes/span';
import { Exchange, Outcome } from '../flow/exchange';
import { isAwaited } from '../flow/success';
import { crosses } from '../flow/translation';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { proxy_set_effective_context } from '../env';
import { ABORTED } from '../mcp/outcomes';
import { ResponsePlan } from '../response/plan';
import { cancelledAt, latestCancellation } from '../session/cancelled';
import { isWithin } from '../session/slots';
import { act } from './carry';
import { now } from './clock';
import { rootOf } from './roots';
import { Status } from './status';
import { Moment, Phase, Stream, streams } from './streams';
import { SLOW_TICK, tickEach } from './tick';

/**
 * Event streams that servers leave open though the client has cancelled the call (MCP cancellation): each would hold a
 * request of the client and of the server until one of them goes away. The notification comes to any worker; the one that
 * has the stream finds the mark with a tick, leaves the server a moment to end the stream by itself, and then ends it.
 *
 * A filter can end a response that has begun by cutting it off, and in no other way. A client that can have the stream go
 * on (`Last-Event-ID`) would ask for it again: there the answer that the stream owes comes first, in the place of the next
 * thing that the server sends, such as a comment that keeps the connection alive.
 */
/** Nanoseconds. */
const GRACE: u64 = 2_000_000_000;
/** For the next thing that the server sends: longer than any SDK is silent that numbers its events. */
const MOST_OF_SILENCE: u64 = 20_000_000_000;
const LOOK_EACH: u64 = 900_000_000;

/** A request is sent on: where its server would not hear that it is cancelled, it is looked after until its answer begins. */
export function mindRequest(stream: Stream, exchange: Exchange): void {
  if (isDeaf(exchange)) mindStream(stream, exchange);
}

/** Whether its server is of 2026-07-28, and its client is not: such a server takes the end of a request for its cancellation. */
function isDeaf(exchange: Exchange): bool {
  if (exchange.message.era !== Era.Sessions || !exchange.isAimed || exchange.target.server.dialect.isOverHttpSse)
    return false;
  return crosses(exchange, exchange.plan.forward.upstream);
}

/** The answer to a request begins, maybe as an event stream: its end is looked after. */
export function mindStream(stream: Stream, exchange: Exchange): void {
  const root = rootOf(stream.root);
  if (root === null || !mayStayOpen(stream, exchange)) return;
  root.hasOpen = true;
  tickEach(stream.root, SLOW_TICK);
}

/** With a tick. Whether any stream of the root is open that may have to be ended. */
export function lookAtOpen(id: u32): bool {
  const root = rootOf(id);
  if (root === null || !root.hasOpen) return false;
  const at = now();
  if (isWithin(root.lookedAt, at, LOOK_EACH)) return true;
  root.lookedAt = at;
  root.hasOpen = false;
  let latest: u64 = 0;
  for (let place: u32 = 0; place < streams.places; place++) {
    const key = streams.keyAt(place);
    if (key === 0) continue;
    const stream = changetype<Stream>(streams.get(key));
    const exchange = stream.exchange;
    if (stream.root !== id || exchange === null || !mayStayOpen(stream, exchange)) continue;
    if (!root.hasOpen) {
      root.hasOpen = true;
      latest = latestCancellation(root.gateway.keys, scratch);
    }
    lookAt(stream, exchange, at, latest !== root.latestCancellation);
  }
  if (root.hasOpen) root.latestCancellation = latest;
  return root.hasOpen;
}

/** Whether the server had its time to end the stream of a cancelled call. @param at nanoseconds since 1970 */
export function isOverdue(stream: Stream, at: u64): bool {
  return stream.cancelledAt !== 0 && !isWithin(stream.cancelledAt, at, GRACE);
}

/** What a client gets that may wait all the same. */
export function refuseCancelled(exchange: Exchange): Outcome {
  const reason = exchange.task === null ? Reason.Cancelled : Reason.TaskCancelled;
  return exchange.refuse(reason, NONE, exchange.target.server.name);
}

/** @param marked there are marks that were not there when the streams were looked at last */
function lookAt(stream: Stream, exchange: Exchange, at: u64, marked: bool): void {
  if (stream.cancelledAt === 0 && (marked || !stream.isMinded)) {
    const mark = cancelledAt(exchange.caller.session!, exchange.id, exchange.gateway.keys, scratch);
    // Else it is of an earlier request that had the same id. What was sent in the future was so before the clock was set
    // back, and what was cancelled since then is of now.
    const isOfThis = mark >= exchange.sentAt || (exchange.sentAt > at && mark <= at);
    if (isOfThis) stream.cancelledAt = mark;
  }
  stream.isMinded = true;
  // No server has a stream open that it could end by itself.
  if (!(isPolling(exchange) ? stream.cancelledAt !== 0 : isOverdue(stream, at))) return;
  const plan = stream.plan;
  if (plan !== null && isResumable(plan) && isWithin(stream.cancelledAt, at, MOST_OF_SILENCE)) return;
  if (proxy_set_effective_context(stream.id) !== Status.Ok) return;
  exchange.now = at;
  stream.moment = Moment.Later;
  act(stream, exchange, refuseCancelled(exchange));
}

/** Whether its server has made a task of it, which is not done. */
function isPolling(exchange: Exchange): bool {
  const task = exchange.task;
  return task !== null && !task.isOver;
}

function isResumable(plan: ResponsePlan): bool {
  const rewriter = plan.rewriter;
  return rewriter !== null && rewriter.isResumable;
}

/**
 * Whether an event stream that answers a request is passing, or the answer that it owed has taken its place; or a server
 * that does not hear of its cancellation has not begun to answer, or has made a task of it.
 */
function mayStayOpen(stream: Stream, exchange: Exchange): bool {
  const plan = stream.plan;
  if (stream.phase === Phase.Replied || !isAwaited(exchange)) return false;
  if (exchange.caller.session === null) return false;
  if (isPolling(exchange)) return true;
  // Nothing of its answer has come.
  if (plan === null) return stream.phase === Phase.Forwarded && exchange.ended === ABORTED && isDeaf(exchange);
  const rewriter = plan.rewriter;
  if (rewriter === null) return stream.cancelledAt !== 0;
  const input = plan.input;
  return rewriter.events !== null || (input !== null && input.mayHoldEnd);
}
