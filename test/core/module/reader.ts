import { scratch } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { isJson, member, strip } from '../../../filter/json/reader';

export function readerIsJson(text: usize, count: u32): bool {
  scratch.reset();
  return isJson(span(text, count), scratch);
}

/** Of a document that is JSON. @param name unescaped */
export function readerMember(document: usize, count: u32, name: usize, nameCount: u32): Span {
  scratch.reset();
  return member(strip(span(document, count)), span(name, nameCount), scratch);
}
