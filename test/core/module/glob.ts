import { scratch } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { covers, matches, simplified } from '../../../filter/model/glob';
import { overlap } from '../../../filter/model/overlap';
import { residues } from '../../../filter/model/residue';

export function globMatches(pattern: usize, patternLength: u32, name: usize, nameLength: u32): bool {
  return matches(span(pattern, patternLength), span(name, nameLength));
}

export function globCovers(wider: usize, widerLength: u32, narrower: usize, narrowerLength: u32): bool {
  return covers(span(wider, widerLength), span(narrower, narrowerLength));
}

export function globsOverlap(a: usize, aLength: u32, b: usize, bLength: u32): bool {
  return overlap(span(a, aLength), span(b, bLength));
}

export function globSimplified(pattern: usize, count: u32): Span {
  scratch.reset();
  return simplified(span(pattern, count), scratch);
}

/** One of the residues, or NONE where there are no more. */
export function globResidue(pattern: usize, count: u32, prefix: usize, prefixLength: u32, index: i32): Span {
  scratch.reset();
  const found = residues(span(pattern, count), span(prefix, prefixLength), scratch);
  return index < found.count ? found.at(index) : NONE;
}
