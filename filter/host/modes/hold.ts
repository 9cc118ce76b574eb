import { literal, NONE } from '../../bytes/span';
import { Exchange, Outcome } from '../../flow/exchange';
import { relay } from '../../flow/relay';
import { Reason } from '../../mcp/errors';
import { proxy_continue_stream } from '../../env';
import { replaceAll, splice } from '../buffers';
import { edit } from '../headers';
import { dropCopy, heldWhole } from '../held';
import { Buffer, HeaderMap, REQUEST_STREAM } from '../status';
import { Moment, Phase, Stream } from '../streams';

/**
 * Host mode `hold`: one filter, whose request headers stay while the body is read. `allow_on_headers_stop_iteration`
 * must be set, or the body never comes; evidence.ts notices that.
 *
 * Where a body waits differs. Envoy reads up to its limit at once over HTTP/1.1, adds that to what it holds, and answers
 * 413 where the sum is over the limit, before it asks us. So Envoy holds only what cannot grow beyond `limits.heldBody`.
 * Each part of what may is kept here and thrown away there, and put back in front of the part with which it goes on:
 * what a callback lets pass, or holds back with `HoldBack`, stops the client where it is too much, and never ends in 413.
 */
const EMPTY = literal('');
const STREAM = literal(
  'the server keeps the event stream of its answer open, which has to stream, and the trailers of this request were not ' +
    'announced in its Trailer header',
);

export function forwardHeld(stream: Stream, exchange: Exchange): Outcome {
  const isBack = stream.isHeldBack;
  // The host has the client's body again, which its server must not get.
  if (isBack && exchange.target.body !== NONE) return relay(exchange, Reason.InvalidRequest, STREAM);
  // Behind the last part there is none that it could be put back in front of.
  if (stream.keepsBody && stream.hasTrailers && !isBack) return relay(exchange, Reason.InvalidRequest, STREAM);
  edit(HeaderMap.Request, exchange.plan.forward.headers);
  if (!isBack) putBack(stream, exchange);
  // It became more than the host holds.
  if (stream.phase === Phase.Replied) return Outcome.Leave;
  stream.isHeldBack = false;
  if (stream.moment === Moment.Later) proxy_continue_stream(REQUEST_STREAM);
  return Outcome.Forward;
}

/**
 * An answer of a server comes before this call can go on. Of a body that is here and small, Envoy shows all of it then;
 * else Envoy gets it back now, as it will go on.
 */
export function waitHeld(stream: Stream, exchange: Exchange): void {
  const isSmall = !stream.keepsBody && stream.moment !== Moment.Midway;
  // Nothing is put back behind the last part of a body.
  // Nor is what a batch came in sent on.
  if (isSmall || stream.hasTrailers || !exchange.isAimed || exchange.batch !== null) return;
  putBack(stream, exchange);
  stream.isHeldBack = true;
  exchange.message.isPutBack = true;
  dropCopy(stream);
}

/** Into the buffer of this callback, as the server gets it. */
function putBack(stream: Stream, exchange: Exchange): void {
  if (exchange.target.replacesBody) {
    replaceAll(Buffer.RequestBody, exchange.target.body);
    return;
  }
  if (stream.keepsBody && stream.body.read !== stream.shown) replaceAll(Buffer.RequestBody, heldWhole(stream));
  const target = exchange.target;
  splice(Buffer.RequestBody, exchange.message.body, target.cutFrom, target.cutTo, target.put);
}

/** What is held counts against Envoy's own limit even now: past it, Envoy's 413 would take the place of our reply. */
export function discardHeld(): void {
  replaceAll(Buffer.RequestBody, EMPTY);
}
