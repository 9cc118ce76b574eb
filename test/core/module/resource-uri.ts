import { scratch } from '../../../filter/bytes/arena';
import { normalizedEscapes } from '../../../filter/bytes/escapes';
import { Span, span } from '../../../filter/bytes/span';
import { isWeb, markAt, markedName } from '../../../filter/mcp/resource-uri';
import { isSettled } from '../../../filter/mcp/settled-uri';

export function uriMarkAt(uri: usize, count: u32): i32 {
  return markAt(span(uri, count));
}

export function uriMarkedName(uri: usize, count: u32): Span {
  return markedName(span(uri, count));
}

export function uriIsWeb(uri: usize, count: u32): bool {
  return isWeb(span(uri, count));
}

export function uriIsSettled(uri: usize, count: u32): bool {
  return isSettled(span(uri, count));
}

export function uriNormalizedEscapes(uri: usize, count: u32): Span {
  return normalizedEscapes(span(uri, count), scratch);
}
