import type { Message } from './message.ts';
import type { Http2Windows } from './model.ts';

/** Envoy's own since 1.36: 16 MiB for a stream, 24 MiB for a connection. */
export const defaultWindows: Http2Windows = { stream: 16 << 20, connection: 24 << 20 };

/** envoy.config.core.v3.Http2ProtocolOptions, as far as windows go. */
export function readWindows(http2: Message): Http2Windows {
  return {
    stream: http2.count('initial_stream_window_size', defaultWindows.stream),
    connection: http2.count('initial_connection_window_size', defaultWindows.connection),
  };
}
