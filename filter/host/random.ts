import { Arena } from '../bytes/arena';
import { Span, span } from '../bytes/span';
import { random_get } from '../wasi_snapshot_preview1';

/** At most 65,536 bytes, the host's limit. */
export function random(count: usize, arena: Arena): Span {
  const at = arena.allocate(count);
  random_get(at, count);
  return span(at, count as u32);
}
