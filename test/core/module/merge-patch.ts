import { newArena } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { merged } from '../../../filter/json/merge-patch';

const arena = newArena(16384);

export function mergePatch(target: usize, count: u32, patch: usize, patchCount: u32): Span {
  arena.reset();
  return merged(span(target, count), span(patch, patchCount), arena);
}
