import { scratch } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { packId, unpackId } from '../../../filter/session/upstream-id';

export function upstreamIdPack(id: usize, count: u32): Span {
  scratch.reset();
  const writer = newWriter(scratch, 64);
  packId(writer, span(id, count));
  return writer.written;
}

export function upstreamIdUnpack(packed: usize, count: u32): Span {
  scratch.reset();
  return unpackId(span(packed, count), scratch);
}
