import { make } from '../bytes/arena';
import { List } from '../bytes/list';
import { names } from '../bytes/name-list';
import { Span, literal, NONE } from '../bytes/span';
import { Noun, nounRow } from '../mcp/nouns';
import { Gateway } from '../model/gateway';
import { ToolSearch } from '../model/tool-search';
import { newVirtualServer, VirtualServer } from '../model/virtual-server';
import { divide } from './division';
import { readPatternsOn } from './patterns';
import { Section } from './section';
import { count, flag, size } from './values';

/** Whether `tools/list` shows two tools that find and call all others, and what stays beside them. */
const MEMBERS = names('enabled pinned exclude results bytes');
const TOOL_SEARCH = literal('toolSearch');
const ENABLED = literal('enabled');
const PINNED = literal('pinned');
const EXCLUDE = literal('exclude');
const RESULTS = literal('results');
const BYTES = literal('bytes');
const RESULTS_BY_DEFAULT = 10;
const MOST_RESULTS = 100;
const BYTES_BY_DEFAULT = 32 << 10;

/** Null: there is none. After the servers, which the patterns are divided among. @param common of the whole gateway */
export function readToolSearch(parent: Section, gateway: Gateway, common: ToolSearch | null): ToolSearch | null {
  if (parent.get(TOOL_SEARCH) === NONE) return common;
  const section = parent.section(TOOL_SEARCH, MEMBERS);
  const search = make<ToolSearch>(section.arena);
  search.pinned = readSet(section, PINNED, gateway);
  search.excluded = readSet(section, EXCLUDE, gateway);
  search.results = count(section, RESULTS, RESULTS_BY_DEFAULT, MOST_RESULTS);
  search.bytes = size(section, BYTES, BYTES_BY_DEFAULT);
  return flag(section, ENABLED) ? search : null;
}

function readSet(section: Section, name: Span, gateway: Gateway): VirtualServer {
  const set = newVirtualServer(name, gateway.servers.count, section.arena);
  const patterns: List = readPatternsOn(nounRow(Noun.Tools), section, name);
  if (section.problems.lines.count === 0) {
    divide(set, Noun.Tools, patterns, gateway, section.placeOf(name), section.problems);
  }
  return set;
}
