/** The parts of a listener that say how much of one request Envoy holds: over HTTP/1.1, and as a window over HTTP/2. */
export interface Buffers {
  per_connection_buffer_limit_bytes: number;
}

export interface Windows {
  http2_protocol_options: { initial_stream_window_size: number; initial_connection_window_size: number };
}

const units: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
/** RFC 9113 §6.9.1 */
const largestWindow = 2 ** 31 - 1;

/**
 * Lets Envoy hold what the module may hold and one more read on top of it. With less, a body between the two limits ends
 * in Envoy's own 413 over HTTP/1.1, and over HTTP/2 it waits for a window that never opens.
 * @param heldBody `limits.heldBody` of the plugin configuration; what is no size is left for the module to refuse
 */
export function fitBuffers(listener: Buffers, manager: Windows, heldBody: unknown): void {
  const needed = Math.min(2 * (bytesOf(heldBody) ?? 0), largestWindow);
  const windows = manager.http2_protocol_options;
  listener.per_connection_buffer_limit_bytes = Math.max(listener.per_connection_buffer_limit_bytes, needed);
  windows.initial_stream_window_size = Math.max(windows.initial_stream_window_size, needed);
  windows.initial_connection_window_size = Math.max(windows.initial_connection_window_size, needed);
}

/** `65536`, `64Ki`, `1Mi` */
export function bytesOf(size: unknown): number | undefined {
  const [, digits, unit = ''] = /^([0-9]+)([KMG]i)?$/.exec(String(size)) ?? [];
  return digits === undefined ? undefined : Number(digits) * (units[unit] ?? 1);
}
