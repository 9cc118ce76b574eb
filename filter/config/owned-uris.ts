import { List } from '../bytes/list';
import { Span, literal } from '../bytes/span';
import { NameSet, newNameSet } from '../model/name-set';
import { overlap } from '../model/overlap';
import { Server } from '../model/server';
import { MAX_URI_PATTERN, readPatterns } from './patterns';
import { elementPlace } from './problems';
import { Section } from './section';

const OWNED_URIS = literal('ownedUris');
const OVERLAPS = literal('has URIs in common with ');
const OF_SERVER = literal(' of server ');
const SO_UNCLEAR = literal(', so that a resource could belong to both');

/** The patterns of `servers[].ownedUris`; null where there are none. */
export function readOwnedUris(section: Section): NameSet | null {
  const patterns = readPatterns(section, OWNED_URIS, MAX_URI_PATTERN);
  if (patterns.count === 0) return null;
  const owned = newNameSet(section.arena);
  for (let i = 0; i < patterns.count; i++) owned.add(patterns.at(i));
  return owned;
}

/** No URI may belong to two servers. @param others those before it in the configuration, of Server */
export function checkOwnedUris(others: List, server: Server, section: Section): void {
  const owned = server.ownedUris;
  if (owned === null) return;
  for (let i = 0; i < others.count; i++) {
    const other = changetype<Server>(others.at(i) as usize);
    if (other.ownedUris !== null) checkAgainst(other, other.ownedUris!.patterns, owned.patterns, section);
  }
}

function checkAgainst(other: Server, theirs: List, ours: List, section: Section): void {
  const problems = section.problems;
  for (let i = 0; i < ours.count; i++) {
    for (let j = 0; j < theirs.count; j++) {
      const their: Span = theirs.at(j);
      if (!overlap(ours.at(i), their)) continue;
      const line = problems.at(elementPlace(section.placeOf(OWNED_URIS), i, section.arena));
      problems.add(line.bytes(OVERLAPS).bytes(their).bytes(OF_SERVER).bytes(other.name).bytes(SO_UNCLEAR));
    }
  }
}
