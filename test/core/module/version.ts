import { Span } from '../../../filter/bytes/span';
import { OUR_INFO, PRODUCT } from '../../../filter/version';

export function versionProduct(): Span {
  return PRODUCT;
}

export function versionInfo(): Span {
  return OUR_INFO;
}
