import { Span, length } from '../bytes/span';

/** Of a tool's upstream name in bytes; MCP says 128 characters. It goes into a header, which has to fit. */
const MAX_NAME = 1024;

/**
 * Whether a tool may be used here, by its upstream name. The one decision for both sides: a list shows what this lets
 * through, a call reaches what this lets through, so that what is listed can be called and nothing else can.
 */
export function isCallable(upstreamName: Span): bool {
  return length(upstreamName) > 0 && length(upstreamName) <= MAX_NAME;
}
