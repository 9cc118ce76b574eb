import { scratch } from '../bytes/arena';
import { closeStream, Stream } from './streams';

/**
 * Callbacks of the host come within one another where a call to the host makes Envoy answer a request by itself: it sends
 * that answer through us, and ends the stream, before the call returns. What we write to a buffer outside of a callback of
 * its body does so where it is more than Envoy holds (envoy: requestDataTooLarge, 413; responseDataTooLarge).
 *
 * Whoever made the call still uses the stream, and what lies in `scratch`: both stay until the outermost callback is over.
 */
let depth: u32 = 0;
/** Those that have ended within it, linked by `nextClosed`. */
let closed: Stream | null = null;

/** At the beginning of each callback that uses a stream or `scratch`. */
export function begin(): void {
  depth++;
}

/** At the end of each. */
export function end(): void {
  if (--depth !== 0) return;
  scratch.reset();
  while (closed !== null) {
    const stream = closed!;
    closed = stream.nextClosed;
    closeStream(stream.id);
  }
}

/** The host has ended the stream. */
export function close(stream: Stream): void {
  stream.isClosed = true;
  stream.nextClosed = closed;
  closed = stream;
}
