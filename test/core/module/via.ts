import { Span, span } from '../../../filter/bytes/span';
import { hasPassed, OUR_VIA } from '../../../filter/federation/via';

export function viaHasPassed(via: usize, count: u32): bool {
  return hasPassed(span(via, count));
}

export function viaOurs(): Span {
  return OUR_VIA;
}
