import { CLOSING_BRACKET, COLON, DOT, HYPHEN, OPENING_BRACKET, isDigit, isLetter } from '../bytes/ascii';
import { List } from '../bytes/list';
import {
  Span,
  after,
  equalsIgnoringCase,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  startsWith,
  NONE,
} from '../bytes/span';

/** Where the client's connection ended: Envoy's own side of it, which no header can claim. */
export const enum Reach {
  /** On a loopback address: only this machine can connect there. */
  Loopback,
  /** On any other address. */
  Network,
  /** Not over IP: a Unix socket, or a listener inside Envoy. No browser connects there. */
  Local,
}

const LOCALHOST = literal('localhost');
const DOT_LOCALHOST = literal('.localhost');
const V6_LOOPBACK = literal('[::1]');
const V4_LOOPBACK = literal('127.');
const V4_IN_V6_LOOPBACK = literal('[::ffff:127.');

/** @param address Envoy's `destination.address`; NONE is taken for the strictest */
export function reachOf(address: Span): Reach {
  if (length(address) === 0) return Reach.Loopback;
  if (startsWith(address, V4_LOOPBACK) || startsWith(address, V4_IN_V6_LOOPBACK)) return Reach.Loopback;
  if (startsWith(address, V6_LOOPBACK)) return Reach.Loopback;
  const c = load<u8>(pointer(address));
  return c === OPENING_BRACKET || isDigit(c) ? Reach.Network : Reach.Local;
}

/** `host [ ":" port ]` without the port; the whole where it is not of that form, which then equals no name. */
export function hostIn(authority: Span): Span {
  const open = length(authority) > 0 && load<u8>(pointer(authority)) === OPENING_BRACKET;
  const bracket = open ? indexOf(authority, CLOSING_BRACKET) + 1 : 0;
  const colon = indexOf(after(authority, bracket as u32), COLON);
  if (colon < 0) return authority;
  const end = bracket + colon;
  return isNumber(after(authority, (end as u32) + 1)) ? first(authority, end as u32) : authority;
}

function isNumber(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) {
    if (!isDigit(load<u8>(at))) return false;
  }
  return length(text) > 0;
}

/**
 * Names that mean this machine wherever they are resolved (RFC 6761 §6.3, RFC 1122 §3.2.1.3): no other's DNS can put
 * them on an address, which is what DNS rebinding needs.
 */
export function isLoopbackName(authority: Span): bool {
  const host = hostIn(authority);
  return equalsIgnoringCase(host, LOCALHOST) || equalsIgnoringCase(host, V6_LOOPBACK) || isV4(host) || isUnder(host);
}

/** `127.` and three more numbers: `127.evil.example` is a name like any other. */
function isV4(host: Span): bool {
  if (!startsWith(host, V4_LOOPBACK)) return false;
  let parts = 1;
  let digits = 0;
  for (let at = pointer(host) + (length(V4_LOOPBACK) as usize); at < limit(host); at++) {
    const c = load<u8>(at);
    if (c === DOT) {
      if (digits === 0) return false;
      parts++;
      digits = 0;
    } else {
      digits++;
      if (!isDigit(c) || digits > 3) return false;
    }
  }
  return parts === 3 && digits > 0;
}

function isUnder(host: Span): bool {
  const count = length(host) - length(DOT_LOCALHOST);
  if (count <= 0 || !equalsIgnoringCase(after(host, count as u32), DOT_LOCALHOST)) return false;
  for (let at = pointer(host); at < limit(host); at++) {
    const c = load<u8>(at);
    if (!isLetter(c) && !isDigit(c) && c !== HYPHEN && c !== DOT) return false;
  }
  return true;
}

/** Whether `hosts` names this authority: an entry with a port means that port, one without means every port. */
export function isNamed(hosts: List, authority: Span): bool {
  const host = hostIn(authority);
  for (let i = 0; i < hosts.count; i++) {
    const entry: Span = hosts.at(i);
    if (equalsIgnoringCase(entry, authority) || equalsIgnoringCase(entry, host)) return true;
  }
  return false;
}

/** Whether the answer of `isHostAllowed` depends on where the connection ended, which costs a host call to learn. */
export function needsReach(hosts: List, authority: Span): bool {
  return !isNamed(hosts, authority) && (hosts.count === 0 || isLoopbackName(authority));
}

/**
 * DNS rebinding: a web page of evil.example points that name to 127.0.0.1, and the browser then takes our answers for
 * the page's own. Its requests carry `Host: evil.example`, so on loopback only loopback names pass, unless the
 * configuration names others. Elsewhere a loopback name cannot be what the client connected to.
 *
 * The client's address is not asked: behind `use_remote_address: false` it is what X-Forwarded-For says, and a rebound
 * page may set that header.
 */
export function isHostAllowed(hosts: List, authority: Span, reach: Reach): bool {
  if (authority === NONE) return false;
  if (isNamed(hosts, authority)) return true;
  if (isLoopbackName(authority)) return reach !== Reach.Network;
  return hosts.count === 0 && reach !== Reach.Loopback;
}
