import { literal, pointer, NONE } from '../../bytes/span';
import { property } from '../properties';
import { post } from '../queue';
import { Role } from '../role';
import { rootOf } from '../roots';
import { Stream } from '../streams';

/**
 * Without `allow_on_headers_stop_iteration` a request whose headers are held would wait for its body for ever: Envoy
 * asks no more about it. What tells is that its size grows while we are not asked. Looked at in a callback of its own
 * right after this one, by when a body that came with its headers would have been shown, then with every tick; not at all
 * once a body was seen.
 */
const TOTAL_SIZE = literal('request\0total_size');

/** From the callback that holds the headers. */
export function awaitBody(stream: Stream): void {
  if (stream.role !== Role.Hold) return;
  const root = rootOf(stream.root);
  if (root === null || root.seesBodies) return;
  stream.sizeOfHeaders = totalSize();
  post(root.queue!, stream.id);
}

/** In the stream's own context. */
export function isBodyWithheld(stream: Stream): bool {
  return totalSize() > stream.sizeOfHeaders;
}

function totalSize(): u64 {
  const value = property(TOTAL_SIZE);
  return value === NONE ? 0 : load<u64>(pointer(value));
}
