import { Span, after, first, length, literal, pointer } from '../bytes/span';

/** U+FEFF in UTF-8, first byte lowest. RFC 8259 §8.1: in front of a document it may be ignored. */
const MARK: u32 = 0xbfbbef;
const SIZE: u32 = 3;
const BYTES = literal('\xef\xbb\xbf');

/** How far the mark in front of a document has come that is read in parts; beyond SIZE: what follows is the document. */
export type MarkState = u32;

/** Whether a mark has begun of which the rest may come. */
export function isInMark(state: MarkState): bool {
  return state > 0 && state < SIZE;
}

/** Whether the mark has ended with the part. @param state before it @param count what `markIn` found in it */
export function endsMark(state: MarkState, count: u32): bool {
  return count > 0 && state + count === SIZE;
}

/**
 * What began like a mark and is none: these bytes belong to the document.
 * @param state before the part @param count what `markIn` found in it
 */
export function brokenMark(part: Span, state: MarkState, count: u32): Span {
  const begun = state + count;
  return first(BYTES, begun < SIZE && count < (length(part) as u32) ? begun : 0);
}

/** Bytes at the beginning of the next part that belong to the mark. */
export function markIn(part: Span, state: MarkState): u32 {
  let at: u32 = 0;
  while (state + at < SIZE && at < (length(part) as u32)) {
    if (load<u8>(pointer(part) + (at as usize)) !== ((MARK >> ((state + at) * 8)) & 0xff)) break;
    at++;
  }
  return at;
}

/** The state behind the part. @param count what `markIn` found in it */
export function markAfter(part: Span, state: MarkState, count: u32): MarkState {
  return count < (length(part) as u32) ? SIZE : state + count;
}

/** A whole document without it. */
export function withoutMark(document: Span): Span {
  const count = markIn(document, 0);
  return count === SIZE ? after(document, count) : document;
}
