import { scratch } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { packId, unpackEndpoint, unpackId } from '../../../filter/session/upstream-id';

/** @param endpointCount 0: none is known */
export function upstreamIdPack(id: usize, count: u32, endpoint: usize, endpointCount: u32): Span {
  scratch.reset();
  const writer = newWriter(scratch, 64);
  packId(writer, span(id, count), endpointCount === 0 ? NONE : span(endpoint, endpointCount));
  return writer.written;
}

export function upstreamIdUnpack(packed: usize, count: u32): Span {
  scratch.reset();
  return unpackId(span(packed, count), scratch);
}

export function upstreamEndpointUnpack(packed: usize, count: u32): Span {
  return unpackEndpoint(span(packed, count));
}
