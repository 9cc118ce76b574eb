import { CLOSING_BRACKET, COLON, OPENING_BRACKET, ZERO } from '../bytes/ascii';
import { List, newList } from '../bytes/list';
import {
  Span,
  after,
  between,
  equals,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  startsWith,
  NONE,
} from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { hostIn } from '../policy/host';
import { elementPlace } from './problems';
import { mustBe, Section } from './section';
import { isMadeOf } from './values';

const SCHEME_END = literal('://');
const SCHEME_CHARACTERS = literal('+-.');
const HOST_CHARACTERS = literal('.-_');
const V6_CHARACTERS = literal(':.');
const HTTP = literal('http');
const HTTPS = literal('https');
const PORT_80 = literal(':80');
const PORT_443 = literal(':443');
const MAX_PORT: u32 = 65535;

const A_HOST = literal(
  'a host in lower case, with a port or without, such as "mcp.example.com"; there are no wildcards',
);
const AN_ORIGIN = literal(
  'an origin as browsers send it, such as "https://inspector.example.com" or "http://localhost:6274": lower case, no ' +
    'path, no default port, no wildcard',
);

export function readHosts(section: Section, name: Span): List {
  return texts(section, name, false);
}

/**
 * `*` is refused, as any page in any browser near the gateway could then use it; `null` as well, since every sandboxed
 * frame and every file has that origin.
 */
export function readOrigins(section: Section, name: Span): List {
  return texts(section, name, true);
}

function texts(section: Section, name: Span, origins: bool): List {
  const list = newList(section.arena);
  const elements = section.list(name);
  for (let i = 0; i < elements.count; i++) {
    const value: Span = elements.at(i);
    const text = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
    if (text !== NONE && (origins ? isOrigin(text) : isHost(text))) list.push(text);
    else {
      const place = elementPlace(section.placeOf(name), i, section.arena);
      mustBe(place, origins ? AN_ORIGIN : A_HOST, value, section.problems);
    }
  }
  return list;
}

function isHost(text: Span): bool {
  const host = hostIn(text);
  if (length(host) === 0 || !isPort(after(text, length(host)))) return false;
  if (load<u8>(pointer(host)) !== OPENING_BRACKET) return isMadeOf(host, HOST_CHARACTERS);
  const last = limit(host) - 1;
  return (
    length(host) > 2 && load<u8>(last) === CLOSING_BRACKET && isMadeOf(between(pointer(host) + 1, last), V6_CHARACTERS)
  );
}

/** `:` and a port as clients write it, or nothing. */
function isPort(text: Span): bool {
  const digits = length(text) - 1;
  if (digits < 0) return true;
  if (digits > 5 || load<u8>(pointer(text) + 1) === ZERO) return false;
  let port: u32 = 0;
  for (let at = pointer(text) + 1; at < limit(text); at++) port = port * 10 + (load<u8>(at) as u32) - ZERO;
  return port <= MAX_PORT;
}

/** Scheme and host as browsers send them: lower case, no path, no default port. */
export function isOrigin(text: Span): bool {
  const colon = indexOf(text, COLON);
  if (colon < 1 || !startsWith(after(text, colon as u32), SCHEME_END)) return false;
  const scheme = first(text, colon as u32);
  const authority = after(text, (colon + length(SCHEME_END)) as u32);
  if (!isMadeOf(scheme, SCHEME_CHARACTERS) || !isHost(authority)) return false;
  const port = after(authority, hostIn(authority) as u32);
  return !(equals(scheme, HTTP) && equals(port, PORT_80)) && !(equals(scheme, HTTPS) && equals(port, PORT_443));
}
