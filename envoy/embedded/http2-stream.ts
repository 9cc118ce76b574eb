import { type Http2Stream, type IncomingHttpHeaders, constants } from 'node:http2';
import { BodyBuffer } from './body-buffer.ts';
import { HeaderMap } from './header-map.ts';
import { headersOf } from './http1-headers.ts';

export interface FrameReceiver {
  onData(data: BodyBuffer, endStream: boolean): void;
  onTrailers(trailers: HeaderMap): void;
}

/**
 * Reads a stream frame by frame, and says of the last one that it is: Node tells of the end of a stream after its data,
 * Envoy with it, and filters can tell the difference.
 */
export function readFrames(stream: Http2Stream, receiver: FrameReceiver): void {
  let waiting: Buffer[] = [];
  let scheduled = false;
  let trailers: HeaderMap | undefined;
  let ended = false;
  const deliver = (): void => {
    scheduled = false;
    if (ended) return;
    const frames = waiting;
    waiting = [];
    ended = stream.readableEnded;
    const endsWithData = ended && trailers === undefined;
    for (const [index, frame] of frames.entries()) {
      receiver.onData(new BodyBuffer(frame), endsWithData && index === frames.length - 1);
    }
    if (!ended) return;
    if (trailers !== undefined) receiver.onTrailers(trailers);
    else if (frames.length === 0) receiver.onData(new BodyBuffer(), true);
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(deliver); // behind everything that came in the same read
  };
  stream.on('trailers', (_: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    trailers = headersOf(raw);
  });
  stream.on('data', (frame: Buffer) => {
    waiting.push(frame);
    schedule();
  });
  stream.on('end', schedule);
}

/** RFC 9113 §7 */
export const resetCodes = {
  none: constants.NGHTTP2_NO_ERROR,
  protocol: constants.NGHTTP2_PROTOCOL_ERROR,
  internal: constants.NGHTTP2_INTERNAL_ERROR,
  refused: constants.NGHTTP2_REFUSED_STREAM,
  cancel: constants.NGHTTP2_CANCEL,
} as const;

export const endStreamFlag = constants.NGHTTP2_FLAG_END_STREAM;
