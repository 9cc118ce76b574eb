import { literal } from '../../bytes/span';
import { Exchange, Outcome } from '../../flow/exchange';
import { mayOutgrowHeldBody } from '../../flow/limits';
import { Reason } from '../../mcp/errors';
import { edit } from '../headers';
import { holdsRequest, hostHolds } from '../held';
import { Level } from '../log';
import { once } from '../once';
import { Role } from '../role';
import { rootOf } from '../roots';
import { Action, HeaderMap } from '../status';
import { Moment, Phase, Stream, streamOf } from '../streams';
import { awaitBody } from './body-evidence';
import { discardHeld, forwardHeld, waitHeld } from './hold';
import { deciderMark, markDecider } from './marks';
import { forwardPaired } from './pair';

/** What differs between the host modes on a request's way in: here is the whole list. */

const TWICE = literal(
  'two filters of this listener decide on requests; give the second one the root id (pluginName) sluice-holder',
);

/** Sends a request on, or says what else is to be done with it. */
export function forward(stream: Stream, exchange: Exchange): Outcome {
  switch (stream.role) {
    case Role.Decider:
      return forwardPaired(stream, exchange);
    case Role.Headers:
      edit(HeaderMap.Request, exchange.plan.forward.headers);
      return Outcome.Forward;
    default:
      return forwardHeld(stream, exchange);
  }
}

/** Or else a decider waits for its holder: should that be in another VM, the body is needed once more. */
export function isCarriedOut(stream: Stream): bool {
  return stream.role !== Role.Decider || stream.phase !== Phase.Forwarded || stream.partner !== 0;
}

/** First thing of a request that is for us. False: it cannot be served here, and `plan.reply` says why. */
export function mayServe(stream: Stream, exchange: Exchange): bool {
  stream.keepsBody = stream.role === Role.Hold && mayOutgrowHeldBody(exchange);
  if (stream.role !== Role.Decider) return true;
  if (deciderMark() !== null) {
    once(stream.root, Level.Error, TWICE, exchange.gateway.logLevel);
    exchange.refuse(Reason.HostMode, TWICE);
    return false;
  }
  markDecider(stream.id);
  return true;
}

/** What the host is told about headers. A decider lets them pass: its holder keeps them. */
export function onHeaders(stream: Stream, ended: bool, action: Action): Action {
  if (stream.role === Role.Decider) return Action.Continue;
  if (!ended && action === Action.Pause) awaitBody(stream);
  return action;
}

/** What the host is told about trailers. */
export function onTrailers(stream: Stream, action: Action): Action {
  return stream.role === Role.Decider ? Action.Continue : action;
}

/** What the host is told about a part of the body. */
export function onPart(stream: Stream, action: Action): Action {
  if (stream.role === Role.Decider) return Action.Continue;
  if (action !== Action.Pause) return action;
  if (stream.isHeldBack) return Action.HoldBack;
  // Behind the last part nothing comes that would be too much.
  if (!stream.keepsBody || stream.moment !== Moment.Midway) return Action.Pause;
  // What a filter before us has held and then let pass stays in Envoy's buffer unless it is taken out there. Behind a reply
  // there is nothing that it could come to.
  if (stream.shown > 0 && stream.phase !== Phase.Replied) discardHeld();
  return Action.Discard;
}

/** Whether a request can wait for the answer of a server while its body still comes. */
export function canHoldBack(stream: Stream): bool {
  return stream.role === Role.Hold;
}

/** Whether another filter holds what has passed here, up to Envoy's limit: past that Envoy answers 413 by itself. */
export function isHeldByAnother(stream: Stream): bool {
  return stream.role === Role.Decider;
}

/** It does wait, from this callback of its body on. */
export function onWait(stream: Stream, exchange: Exchange): void {
  if (stream.role === Role.Hold) waitHeld(stream, exchange);
}

/** The body has come to us, as the host mode promises. */
export function onBodySeen(stream: Stream): void {
  if (!holdsRequest(stream)) return;
  const root = rootOf(stream.root);
  if (root !== null) root.seesBodies = true;
}

/**
 * Whether the body of a response is shown to us while its headers are held: to the filter that holds them, or, of a pair,
 * to the holder, which it passes first.
 */
export function readsResponse(stream: Stream): bool {
  if (stream.role === Role.Hold) return true;
  const holder = streamOf(stream.partner);
  return holder !== null && !holder.passedUnread;
}

/** What was read of the body is of no use any more. */
export function discard(stream: Stream): void {
  if (hostHolds(stream)) discardHeld();
}

/**
 * Envoy holds twice `heldBody` (envoy.yaml). Past that it has given up before it asked us, and a reply of ours in the
 * same callback would lose against its plain 413, which without one becomes a row of ours on its way out. Of a pair the
 * holder's part is held, behind us: there we are asked first.
 */
export function hasGivenUp(stream: Stream, heldBody: u32): bool {
  return hostHolds(stream) && (stream.body.read as u64) > 2 * (heldBody as u64);
}
