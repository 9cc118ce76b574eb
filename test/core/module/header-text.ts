import { scratch } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { clipped, headerText } from '../../../filter/mcp/header-text';

export function headerTextOf(text: usize, count: u32): Span {
  scratch.reset();
  return headerText(span(text, count), scratch);
}

export function headerTextClipped(text: usize, count: u32, most: i32): Span {
  return clipped(span(text, count), most);
}
