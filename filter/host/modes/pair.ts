import { Span, literal } from '../../bytes/span';
import { answerWithoutStream } from '../../flow/changed-lists';
import { Exchange, Outcome } from '../../flow/exchange';
import { relay } from '../../flow/relay';
import { isFromRoute } from '../../flow/response';
import { Reason } from '../../mcp/errors';
import { proxy_continue_stream, proxy_set_effective_context } from '../../env';
import { edit } from '../headers';
import { Level } from '../log';
import { once } from '../once';
import { post } from '../queue';
import { hasHolder } from '../role';
import { rootOf } from '../roots';
import { HeaderMap, REQUEST_STREAM, Status } from '../status';
import { Moment, Phase, Stream } from '../streams';
import { watch } from '../watch';
import { isHolderElsewhere } from './marks';

/**
 * Host mode `pair`, the one that decides: its headers have gone on before the body comes, to the holder (holder.ts),
 * which keeps them. Every chunk of the body passes, and is copied while nothing is decided. All that is known of a
 * request is known here; the holder is found by its context where both are in one VM.
 *
 * In another VM it cannot be reached. The request is then served from here, by callout and local reply: the same
 * decision and the same edits, but whole where it would have streamed.
 */
const TOO_LARGE = literal(
  'a body larger than limits.heldBody has to stream, and the filters of this pair are in two VMs; give both the same ' +
    'module, vm_id, configuration and environment of the VM',
);

const STREAM = literal(
  'the server keeps the event stream of its answer open, which has to stream, and the filters of this pair are in two ' +
    'VMs; give both the same module, vm_id, configuration and environment of the VM',
);

const NO_HOLDER = literal(
  'no filter held the request while it was read; add one with the same module, root id (pluginName) sluice-holder and ' +
    'hostMode pair behind this one',
);

/** What becomes of a request that may go on. */
export function forwardPaired(stream: Stream, exchange: Exchange): Outcome {
  if (stream.partner !== 0) {
    // A holder that is resumed in the last callback of a body loses it on HTTP/2, and nobody is told.
    if (stream.moment === Moment.Last) post(rootOf(stream.root)!.queue!, stream.id);
    else resumeHolder(stream, exchange);
    return Outcome.Forward;
  }
  if (isHolderElsewhere()) return relayed(exchange);
  // Another filter between the two still keeps the headers: the holder carries this out when they come to it. Should it
  // turn out to be in another VM, it says so then, and we look.
  watch(stream);
  return Outcome.Forward;
}

/** Without a holder that can be resumed. */
export function relayed(exchange: Exchange): Outcome {
  if (exchange.isForEvents) return answerWithoutStream(exchange);
  if (exchange.isHttpSse) return exchange.refuse(Reason.HostMode, STREAM);
  if (!exchange.message.whole || exchange.message.size > exchange.gateway.limits.heldBody)
    return refuseUnreleased(exchange);
  return relay(exchange, Reason.HostMode, STREAM);
}

/** Whether a body may be sent on before it has come whole. */
export const enum MayRelease {
  Yes,
  /** Its holder is in another VM. */
  No,
  /** Nobody knows yet; for as long as it may be held, there is time. */
  NotYet,
}

export function mayRelease(stream: Stream): MayRelease {
  if (!hasHolder(stream.role) || stream.partner !== 0) return MayRelease.Yes;
  return isHolderElsewhere() ? MayRelease.No : MayRelease.NotYet;
}

export function refuseUnreleased(exchange: Exchange): Outcome {
  return exchange.refuse(Reason.HostMode, TOO_LARGE);
}

/** Carries the decision out at the holder, which goes on with it when this callback is over. */
function resumeHolder(stream: Stream, exchange: Exchange): void {
  if (stream.resumed || proxy_set_effective_context(stream.partner) !== Status.Ok) return;
  edit(HeaderMap.Request, exchange.plan.forward.headers);
  proxy_continue_stream(REQUEST_STREAM);
  proxy_set_effective_context(stream.id);
  stream.resumed = true;
}

/** A queue's message: the last callback of the body is over. Whoever sent it, nothing undecided goes on. */
export function resumePosted(stream: Stream): void {
  if (stream.partner !== 0 && stream.phase === Phase.Forwarded) resumeHolder(stream, stream.exchange!);
}

/** Whether a response comes for a request that no holder has kept from its route, or let go there. */
export function endsUnheld(stream: Stream): bool {
  if (!hasHolder(stream.role) || stream.resumed) return false;
  // Whatever it is, it ends the request: nobody is to be resumed any more, nor a server asked in the route's stead.
  stream.phase = Phase.Replied;
  const alone = stream.partner === 0;
  stream.partner = 0;
  return alone;
}

/**
 * Where the request got to its route undecided, because nothing held it. At the default-deny route that is told; whatever else
 * it reached must not speak to a client of ours.
 */
export function refusesUnheld(stream: Stream, exchange: Exchange, details: Span): bool {
  if (!isFromRoute(details) || isHolderElsewhere()) return false;
  once(stream.root, Level.Error, NO_HOLDER, exchange.gateway.logLevel);
  exchange.refuse(Reason.HostMode, NO_HOLDER);
  return true;
}
