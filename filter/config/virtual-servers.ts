import { DOT, HYPHEN, SLASH } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { newNameTable } from '../bytes/names';
import { mayReadOn } from '../bytes/room';
import { Span, equals, first, after, indexOf, length, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { newVirtualServer } from '../model/virtual-server';
import { divide } from './division';
import { Gateway } from '../model/gateway';
import { FIRST_NOUN, LAST_NOUN, nounRow } from '../mcp/nouns';
import { readOverrides } from './overrides';
import { nearest } from '../bytes/nearest';
import { readPatternsOn } from './patterns';
import { elementPlace } from './problems';
import { names } from '../bytes/name-list';
import { mustBeLine, openSection, Section, suggest } from './section';
import { readToolSearch } from './tool-search';
import { isMadeOf } from './values';

const MEMBERS = names('name tools prompts resources events overrides toolSearch');
const VIRTUAL_SERVERS = literal('virtualServers');
const ROOT = literal('root');
const NAME = literal('name');
const TOOLS = literal('tools');

const OPEN = literal('open');
const CLOSED = literal('closed');
const INNER = literal('-.');
const MAX_PART = 63;
const ANY_SERVER: i32 = -1;

const A_NAME = literal('<namespace>/<name>, each made of a-z, 0-9 and inner dashes and dots, at most 63 characters');
const NAME_TAKEN = literal('is the name of another virtual server');
const A_ROOT = literal('"open", "closed" or the name of a virtual server');

/** After the servers, which the patterns of a virtual server are divided among. */
export function readVirtualServers(root: Section, gateway: Gateway): void {
  gateway.virtualServers = newList(root.arena);
  gateway.virtualServersByName = newNameTable(root.arena);
  const elements = root.list(VIRTUAL_SERVERS);
  for (let i = 0; i < elements.count && mayReadOn(); i++) {
    const place = elementPlace(root.placeOf(VIRTUAL_SERVERS), i, root.arena);
    addVirtualServer(openSection(elements.at(i), place, MEMBERS, root.problems), gateway, ANY_SERVER);
  }
}

/**
 * Adds a virtual server, unless it has no name.
 * @param from the first server that it may show tools of, where it is one of a catalog: it is left out where anything is
 * wrong with it. Else ANY_SERVER
 */
export function addVirtualServer(section: Section, gateway: Gateway, from: i32): void {
  const problems = section.problems;
  const name = section.required(NAME);
  if (name !== NONE && !isVirtualServerName(name)) section.mustBe(NAME, A_NAME);
  if (section.get(TOOLS) === NONE) section.missing(TOOLS);
  const created = newVirtualServer(name, gateway.servers.count, section.arena);
  created.overrides = readOverrides(section, gateway, gateway.overrides);
  created.toolSearch = readToolSearch(section, gateway, gateway.toolSearch);
  if (name === NONE) return;
  if (gateway.virtualServer(name) !== null) problems.add(problems.at(section.placeOf(NAME)).bytes(NAME_TAKEN));
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    const row = nounRow(noun);
    if (row.ruledBy !== noun) continue;
    const member = row.plural;
    const patterns = ofServers(readPatternsOn(row, section, member), from, gateway);
    // Names and prefixes that are wrong themselves would only add to what has been said about them.
    if (problems.lines.count === 0) divide(created, noun, patterns, gateway, section.placeOf(member), problems);
  }
  if (from !== ANY_SERVER && problems.lines.count > 0) return;
  gateway.virtualServersByName.put(name, changetype<usize>(created));
  gateway.virtualServers.push(changetype<usize>(created) as u64);
}

/** Those that can match tools of no server before that one. */
function ofServers(patterns: List, from: i32, gateway: Gateway): List {
  if (from === ANY_SERVER) return patterns;
  const kept = newList(patterns.arena);
  for (let i = 0; i < patterns.count; i++) {
    const pattern: Span = patterns.at(i);
    for (let s = from; s < gateway.servers.count; s++) {
      if (!startsWith(pattern, gateway.serverAt(s).prefix)) continue;
      kept.push(pattern);
      break;
    }
  }
  return kept;
}

/** Two segments of a path, of which none can be `.`, `..` or the `-` that is kept for our own pages. */
function isVirtualServerName(text: Span): bool {
  const slash = indexOf(text, SLASH);
  return slash > 0 && isPart(first(text, slash as u32)) && isPart(after(text, (slash as u32) + 1));
}

function isPart(text: Span): bool {
  if (length(text) === 0 || length(text) > MAX_PART || !isMadeOf(text, INNER)) return false;
  return endsPart(load<u8>(pointer(text))) && endsPart(load<u8>(limit(text) - 1));
}

function endsPart(c: u8): bool {
  return c !== HYPHEN && c !== DOT;
}

/** What the endpoint itself serves. */
export function readRoot(root: Section, gateway: Gateway): void {
  const text = root.text(ROOT, OPEN);
  if (text === NONE || equals(text, OPEN)) return;
  gateway.rootClosed = equals(text, CLOSED);
  gateway.rootServes = gateway.virtualServer(text);
  if (gateway.rootClosed || gateway.rootServes !== null) return;

  if (gateway.catalogSource !== null && isVirtualServerName(text)) {
    // It comes with the catalog: until then there is none.
    gateway.rootClosed = true;
    return;
  }
  const line = mustBeLine(root.placeOf(ROOT), A_ROOT, root.get(ROOT), root.problems);
  const meant = nearest(text, rootChoices(gateway, root.arena), root.arena);
  if (meant !== NONE) suggest(line, meant);
  root.problems.add(line);
}

function rootChoices(gateway: Gateway, arena: Arena): List {
  const choices = newList(arena);
  for (let i = 0; i < gateway.virtualServers.count; i++) {
    choices.push(gateway.virtualServerAt(i).name);
  }
  choices.push(OPEN);
  choices.push(CLOSED);
  return choices;
}
