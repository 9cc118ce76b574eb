import { length, literal } from '../../bytes/span';
import { Outcome } from '../../flow/exchange';
import { Reason } from '../../mcp/errors';
import { proxy_set_effective_context } from '../../env';
import { lookAtParked } from '../callout-answers';
import { act } from '../carry';
import { lookAtOpen } from '../cancelled-streams';
import { followCatalog } from '../catalog';
import { now } from '../clock';
import { Level } from '../log';
import { once } from '../once';
import { hearResponse } from '../input-requests';
import { nextPosted, postedText } from '../queue';
import { hearPosted } from '../upstream-error';
import { decidesByHeaders, hasHolder } from '../role';
import { rootOf } from '../roots';
import { sendEndings } from '../session-endings';
import { Status } from '../status';
import { Held, Moment, Phase, Stream, streamOf } from '../streams';
import { FAST_TICK, NO_TICK, SLOW_TICK, tickOn } from '../tick';
import { lookAtWatched, watch } from '../watch';
import { isBodyWithheld } from './body-evidence';
import { isHolderElsewhere } from './marks';
import { relayed, resumePosted } from './pair';

/** What becomes of requests outside of their own callbacks. Each is judged by its own evidence, never by another's. */

const NO_BODY = literal(
  'the body of the request does not come to the filter; set allow_on_headers_stop_iteration: true on it (Envoy 1.35 or ' +
    'newer; on Istio with an EnvoyFilter), or use hostMode pair',
);

const NO_IDS = literal(
  'errors that are known before the body have no id; with allow_on_headers_stop_iteration: true on the filter they have ' +
    'that of their request',
);

export function onQueueReady(root: u32, token: u32): void {
  sendEndings(root);
  for (let id = nextPosted(token); id !== 0; id = nextPosted(token)) {
    const stream = streamOf(id);
    if (stream === null) continue;
    if (length(postedText) > 0) hearResponse(stream, postedText);
    else if (stream.held === Held.Read) hearPosted(stream);
    else if (hasHolder(stream.role)) resumePosted(stream);
    else if (!isSettled(id)) watch(stream);
  }
}

export function onTick(root: u32): void {
  const watched = lookAtWatched(root, isSettled);
  const open = lookAtOpen(root);
  const period = followCatalog(root);
  tickOn(root, watched ? FAST_TICK : period !== NO_TICK ? period : open ? SLOW_TICK : NO_TICK);
}

function isSettled(id: u32): bool {
  const stream = streamOf(id);
  if (stream === null) return true;
  if (isParked(stream)) return false;
  return hasHolder(stream.role) ? isHolderFound(stream) : isBodyFound(stream);
}

/** Whether it waits, or did until now, for what another request does. */
function isParked(stream: Stream): bool {
  const exchange = stream.exchange;
  if (exchange === null || exchange.conversation.fanOut === null || !exchange.conversation.fanOut!.isParked)
    return false;
  if (stream.phase === Phase.Replied || proxy_set_effective_context(stream.id) !== Status.Ok) return false;
  lookAtParked(stream);
  return true;
}

/** For a request that was decided on before its holder was heard of. */
function isHolderFound(stream: Stream): bool {
  if (stream.partner !== 0 || stream.resumed) return true;
  if (stream.phase !== Phase.Forwarded && stream.phase !== Phase.Streaming) return true;
  if (proxy_set_effective_context(stream.id) !== Status.Ok) return true;
  if (!isHolderElsewhere()) return false;
  const exchange = stream.exchange!;
  exchange.now = now();
  stream.moment = Moment.Later;
  act(stream, exchange, relayed(exchange));
  return true;
}

/** For a request that waits for its body. */
function isBodyFound(stream: Stream): bool {
  const root = rootOf(stream.root);
  if (root === null || root.seesBodies) return true;
  if (stream.phase !== Phase.Reading && stream.phase !== Phase.Draining) return true;
  if (proxy_set_effective_context(stream.id) !== Status.Ok) return true;
  if (!isBodyWithheld(stream)) return false;
  if (decidesByHeaders(stream.role)) {
    root.lacksBodies = true;
    once(stream.root, Level.Info, NO_IDS, root.gateway.logLevel);
  } else once(stream.root, Level.Error, NO_BODY, root.gateway.logLevel);
  const exchange = stream.exchange!;
  exchange.now = now();
  stream.moment = Moment.Later;
  // One that waited to be refused is refused for its own reason.
  act(stream, exchange, stream.phase === Phase.Draining ? Outcome.Reply : exchange.refuse(Reason.HostMode, NO_BODY));
  return true;
}
