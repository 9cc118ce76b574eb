import { Span, span } from '../../../filter/bytes/span';
import { isTraceparent, traceList } from '../../../filter/mcp/trace-context';

export function traceIsParent(text: usize, count: u32): bool {
  return isTraceparent(span(text, count));
}

export function traceListOf(text: usize, count: u32): Span {
  return traceList(span(text, count));
}
