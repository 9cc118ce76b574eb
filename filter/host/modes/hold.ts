import { literal } from '../../bytes/span';
import { Exchange, Outcome } from '../../flow/exchange';
import { proxy_continue_stream } from '../../env';
import { cut, replaceAll } from '../buffers';
import { edit } from '../headers';
import { Buffer, HeaderMap, REQUEST_STREAM } from '../status';
import { Moment, Stream } from '../streams';

/**
 * Host mode `hold`: one filter, whose request headers stay while the body is read. `allow_on_headers_stop_iteration`
 * must be set, or the body never comes; evidence.ts notices that.
 */
const EMPTY = literal('');

export function forwardHeld(stream: Stream, exchange: Exchange): Outcome {
  edit(HeaderMap.Request, exchange.forward.headers);
  cut(Buffer.RequestBody, exchange.body, exchange.target.cutFrom, exchange.target.cutTo);
  if (stream.moment === Moment.Later) proxy_continue_stream(REQUEST_STREAM);
  return Outcome.Forward;
}

/** What is held counts against Envoy's own limit even now: past it, Envoy's 413 would take the place of our reply. */
export function discardHeld(): void {
  replaceAll(Buffer.RequestBody, EMPTY);
}
