import { literal, pointer, NONE } from '../../bytes/span';
import { holdsRequest } from '../held';
import { property } from '../properties';
import { post } from '../queue';
import { rootOf } from '../roots';
import { Stream } from '../streams';
import { FAST_TICK } from '../tick';

/**
 * Without `allow_on_headers_stop_iteration` a request whose headers are held would wait for its body for ever: Envoy
 * asks no more about it. What tells is that its size has grown and we are not asked. Looked at with every tick; not at all
 * once a body was seen.
 *
 * A filter before us may have let the headers pass and keep the body for a while (ext_proc does, while it asks). To take
 * that for the missing flag would refuse every request of such a listener, so the sign has to stay for a second.
 */
const ENOUGH_LOOKS: u32 = 1000 / FAST_TICK;
const TOTAL_SIZE = literal('request\0total_size');

/** From the callback that holds the headers: looked at first in a callback of its own, right after this one. */
export function awaitBody(stream: Stream): void {
  if (!holdsRequest(stream)) return;
  const root = rootOf(stream.root);
  if (root === null || root.seesBodies) return;
  stream.sizeOfHeaders = totalSize();
  post(root.queue!, stream.id);
}

/**
 * Whether a request that its headers refuse may be held until its body has come: not where host mode `headers` was seen
 * to get none.
 */
export function mayAwaitBody(stream: Stream): bool {
  const root = rootOf(stream.root);
  return root !== null && !root.lacksBodies;
}

/** In the stream's own context. */
export function isBodyWithheld(stream: Stream): bool {
  if (totalSize() > stream.sizeOfHeaders) stream.withheldLooks++;
  return stream.withheldLooks >= ENOUGH_LOOKS;
}

function totalSize(): u64 {
  const value = property(TOTAL_SIZE);
  return value === NONE ? 0 : load<u64>(pointer(value));
}
