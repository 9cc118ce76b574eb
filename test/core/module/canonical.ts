import { scratch } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { newCanonical } from '../../../filter/json/canonical';
import { isJson, strip } from '../../../filter/json/reader';
import { hintsIn } from '../../../filter/mcp/tool-hints';
import { newFactReader } from '../../../filter/policy/tool-facts';

/** The form of a document; NONE where it is none, too large or nested too deep. */
export function canonicalForm(text: usize, count: u32): Span {
  scratch.reset();
  const document = span(text, count);
  return isJson(document, scratch) ? newCanonical(scratch).of(strip(document)) : NONE;
}

/** The digest of a definition. */
export function canonicalDigest(text: usize, count: u32): Span {
  scratch.reset();
  return newFactReader(null, scratch).digestOf(strip(span(text, count)));
}

export function canonicalHints(text: usize, count: u32): u32 {
  scratch.reset();
  return hintsIn(strip(span(text, count)), scratch);
}
