import { scratch } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { packId, unpackCookie, unpackEndpoint, unpackId } from '../../../filter/session/upstream-id';

/** @param endpointCount 0: none is known @param cookieCount 0: there is none */
export function upstreamIdPack(
  id: usize,
  count: u32,
  endpoint: usize,
  endpointCount: u32,
  cookie: usize,
  cookieCount: u32,
): Span {
  scratch.reset();
  const writer = newWriter(scratch, 64);
  const inCluster: Span = endpointCount === 0 ? NONE : span(endpoint, endpointCount);
  packId(writer, span(id, count), inCluster, cookieCount === 0 ? NONE : span(cookie, cookieCount));
  return writer.written;
}

export function upstreamIdUnpack(packed: usize, count: u32): Span {
  scratch.reset();
  return unpackId(span(packed, count), scratch);
}

export function upstreamEndpointUnpack(packed: usize, count: u32): Span {
  return unpackEndpoint(span(packed, count));
}

export function upstreamCookieUnpack(packed: usize, count: u32): Span {
  return unpackCookie(span(packed, count));
}
