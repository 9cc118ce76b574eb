import { CLOSING_BRACKET, COLON, DOT, OPENING_BRACKET, lowerCase, LOWER_A, LOWER_F, isDigit } from '../bytes/ascii';
import { Span, length, limit, pointer } from '../bytes/span';

/** More than the longest, an IPv6 address in brackets and its port, has. */
export const MAX_ENDPOINT = 64;

/**
 * Whether a text can be an endpoint as Envoy writes it: `10.0.0.7:8080`, `[2001:db8::7]:8080`. A cluster that does not
 * report endpoints lets through what its server says in that header.
 */
export function isEndpoint(text: Span): bool {
  if (length(text) === 0 || length(text) > MAX_ENDPOINT) return false;
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    const letter = lowerCase(c);
    const isHex = isDigit(c) || (letter >= LOWER_A && letter <= LOWER_F);
    if (!isHex && c !== DOT && c !== COLON && c !== OPENING_BRACKET && c !== CLOSING_BRACKET) return false;
  }
  return true;
}
