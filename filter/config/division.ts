import { QUOTE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, after, first, length, limit, literal, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isExact } from '../model/glob';
import { VirtualServer } from '../model/virtual-server';
import { Noun, nounRow } from '../mcp/nouns';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { nearest } from '../bytes/nearest';
import { elementPlace, Place, Problems } from './problems';
import { suggest } from './section';

const HIDDEN = literal(' is hidden by the rules of server ');
const NO_SERVER = literal(' begins with the prefix of no server');
const CAN_MATCH_NO = literal(' can match no ');
const OF_ANY_SERVER = literal(' of any server');

/**
 * Divides the patterns of a virtual server on one noun among the servers that have what they can match. What none of them has is warned
 * about and not refused: a server may be added before, or after, the virtual server that names it.
 */
export function divide(
  created: VirtualServer,
  noun: Noun,
  patterns: List,
  gateway: Gateway,
  place: Place,
  problems: Problems,
): void {
  const arena = problems.arena;
  for (let i = 0; i < patterns.count; i++) {
    const pattern: Span = patterns.at(i);
    let any = false;
    for (let s = 0; s < gateway.servers.count; s++) {
      const server = gateway.serverAt(s);
      const found = nounRow(noun).isUri
        ? created.addUris(noun, pattern, server, arena)
        : created.add(noun, pattern, s, server.prefix, server.rulesOf(noun), arena);
      if (found) any = true;
    }
    if (any) created.patternsOf(noun).push(pattern);
    else warnUnmatched(noun, pattern, gateway, elementPlace(place, i, arena), problems);
  }
}

/** Warns that a pattern, or a name, can match nothing. */
export function warnUnmatched(noun: Noun, pattern: Span, gateway: Gateway, place: Place, problems: Problems): void {
  if (gateway.awaitsCatalog) return;
  const line = problems.at(place).byte(QUOTE).bytes(pattern).byte(QUOTE);
  const owner = ownerOf(pattern, gateway);
  if (!isExact(pattern) || nounRow(noun).isUri)
    line.bytes(CAN_MATCH_NO).bytes(nounRow(noun).singular).bytes(OF_ANY_SERVER);
  else if (owner !== null) line.bytes(HIDDEN).bytes(owner.name);
  else {
    line.bytes(NO_SERVER);
    const meant = withNearestPrefix(pattern, gateway, problems.arena);
    if (meant !== NONE) suggest(line, meant);
  }
  problems.warn(line);
}

/** The server whose prefix a name begins with. */
export function ownerOf(name: Span, gateway: Gateway): Server | null {
  for (let i = 0; i < gateway.servers.count; i++) {
    if (startsWith(name, gateway.serverAt(i).prefix)) return gateway.serverAt(i);
  }
  return null;
}

/** The name with a server's prefix instead of the beginning that resembles it: as long, or a letter longer or shorter. */
function withNearestPrefix(name: Span, gateway: Gateway, arena: Arena): Span {
  for (let change = 0; change <= 2; change++) {
    for (let i = 0; i < gateway.servers.count; i++) {
      const prefix = gateway.serverAt(i).prefix;
      const size = length(prefix) + (change === 2 ? -1 : change);
      if (size <= 0 || size >= length(name) || !endAlike(first(name, size as u32), prefix)) continue;
      const candidates = newList(arena);
      candidates.push(prefix);
      if (nearest(first(name, size as u32), candidates, arena) === NONE) continue;
      return newWriter(arena, 64)
        .bytes(prefix)
        .bytes(after(name, size as u32)).written;
    }
  }
  return NONE;
}

/** A prefix mostly ends with a mark, which tells where the beginning of a name ends. */
function endAlike(a: Span, b: Span): bool {
  return load<u8>(limit(a) - 1) === load<u8>(limit(b) - 1);
}
