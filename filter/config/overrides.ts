import { CLOSING_BRACE, COLON, COMMA, OPENING_BRACE, QUOTE } from '../bytes/ascii';
import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { names, namesIn } from '../bytes/name-list';
import { Span, after, equals, first, indexOf, length, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { kindOf, Kind } from '../json/reader';
import { writeEscaped } from '../json/text';
import { Noun } from '../mcp/nouns';
import { Gateway } from '../model/gateway';
import { isExact, STAR } from '../model/glob';
import { newOverrides, Override, Overrides } from '../model/overrides';
import { Server } from '../model/server';
import { ownerOf, warnUnmatched } from './division';
import { elementPlace } from './problems';
import { openSection, Section } from './section';
import { isMadeOf } from './values';

/** What clients see of single tools in the place of what servers say, and whose tools have no prefix. */
const MEMBERS = names('tool name title description annotations');
const ANNOTATIONS_MEMBERS = names('title readOnlyHint destructiveHint idempotentHint openWorldHint');
const HINTS = names('readOnlyHint destructiveHint idempotentHint openWorldHint');
const OVERRIDES = literal('overrides');
const TOOL = literal('tool');
const NAME = literal('name');
const TITLE = literal('title');
const DESCRIPTION = literal('description');
const ANNOTATIONS = literal('annotations');
const TRUE = literal('true');
const FALSE = literal('false');
const NAME_CHARACTERS = literal('ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-');
/** MCP, tools: names have 1 to 128 of these characters. */
const LONGEST_NAME = 128;

const A_TOOL = literal('the name of one tool, with the prefix of its server; or a prefix and "*", where name is "*"');
const A_NAME = literal('made of A-Z, a-z, 0-9, "_", "." and "-", at most 128 characters');
const STAR_ALONE = literal('"*": all tools of a server keep their definitions, and lose the prefix');
const NOTHING_ELSE = literal('has no meaning where tool stands for all tools of a server');
const A_BOOLEAN = literal('true or false');
const TWICE = literal('has an override already in this list');
const NAME_TAKEN = literal('is the name that this list gives another tool: a call could mean both');
const TWO_BARE = literal('takes the prefix from a second server: a name without one could belong to both');
const WITHOUT_EFFECT = literal('says nothing that would differ: give it a name, title, description or annotations');

/**
 * Those of a list, then those of `common`, which hold for what the list does not name. Null: there are none.
 * @param common of the whole gateway, where this is a virtual server's
 */
export function readOverrides(parent: Section, gateway: Gateway, common: Overrides | null): Overrides | null {
  const elements = parent.list(OVERRIDES);
  if (elements.count === 0) return common;
  const overrides = newOverrides(parent.arena);
  const read = newList(parent.arena);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(parent.placeOf(OVERRIDES), i, parent.arena);
    readOverride(openSection(elements.at(i), place, MEMBERS, parent.problems), gateway, overrides, read);
  }
  const inherited: List | null = common === null ? null : common.list;
  for (let i = 0; i < read.count; i++) overrides.add(changetype<Override>(read.at(i) as usize));
  for (let i = 0; inherited !== null && i < inherited.count; i++) {
    overrides.add(changetype<Override>(inherited.at(i) as usize));
  }
  if (overrides.bare === null && common !== null) overrides.bare = common.bare;
  return overrides;
}

/** @param read those of the list so far */
function readOverride(section: Section, gateway: Gateway, overrides: Overrides, read: List): void {
  const problems = section.problems;
  const known = problems.lines.count;
  const tool = section.required(TOOL);
  if (tool === NONE) return;
  if (!isExact(tool)) return readBare(section, tool, gateway, overrides);
  const name = section.text(NAME, tool);
  if (name !== NONE && (!isMadeOf(name, NAME_CHARACTERS) || length(name) > LONGEST_NAME)) section.mustBe(NAME, A_NAME);
  const entry = make<Override>(section.arena);
  entry.plainName = tool;
  entry.name = name;
  entry.patch = patchOf(section, name);
  if (problems.lines.count > known) return;
  for (let i = 0; i < read.count; i++) {
    const other = changetype<Override>(read.at(i) as usize);
    if (equals(other.plainName, tool)) problems.add(problems.at(section.placeOf(TOOL)).bytes(TWICE));
    else if (equals(other.name, name)) problems.add(problems.at(section.placeOf(NAME)).bytes(NAME_TAKEN));
  }
  read.push(changetype<usize>(entry) as u64);
  const owner = ownerOf(tool, gateway);
  const hidden = owner !== null && !owner.rulesOf(Noun.Tools).admit(after(tool, length(owner.prefix) as u32));
  if (owner === null || hidden) warnUnmatched(Noun.Tools, tool, gateway, section.placeOf(TOOL), problems);
}

/** `{ tool: "weather_*", name: "*" }` */
function readBare(section: Section, tool: Span, gateway: Gateway, overrides: Overrides): void {
  const problems = section.problems;
  const star = length(tool) - 1;
  const server = indexOf(tool, STAR) === star ? serverWithPrefix(gateway, first(tool, star as u32)) : null;
  if (server === null) {
    // It may come with the catalog.
    if (gateway.catalogSource !== null && indexOf(tool, STAR) === star) return;
    return section.mustBe(TOOL, A_TOOL);
  }
  const name = section.required(NAME);
  if (name !== NONE && (length(name) !== 1 || indexOf(name, STAR) !== 0)) section.mustBe(NAME, STAR_ALONE);
  refuseBeside(section, TITLE);
  refuseBeside(section, DESCRIPTION);
  refuseBeside(section, ANNOTATIONS);
  if (overrides.bare !== null) problems.add(problems.at(section.placeOf(TOOL)).bytes(TWO_BARE));
  overrides.bare = server;
}

function refuseBeside(section: Section, name: Span): void {
  if (section.get(name) !== NONE) section.problems.add(section.problems.at(section.placeOf(name)).bytes(NOTHING_ELSE));
}

function serverWithPrefix(gateway: Gateway, prefix: Span): Server | null {
  for (let i = 0; i < gateway.servers.count; i++) {
    if (equals(gateway.serverAt(i).prefix, prefix)) return gateway.serverAt(i);
  }
  return null;
}

/** The members as clients get them. */
function patchOf(section: Section, name: Span): Span {
  const patch = newWriter(section.arena, 256).byte(OPENING_BRACE);
  writeName(patch, NAME);
  patch.byte(QUOTE);
  writeEscaped(patch, name);
  patch.byte(QUOTE);
  const nameAlone = patch.size;
  writeText(patch, section, TITLE);
  writeText(patch, section, DESCRIPTION);
  writeAnnotations(patch, section);
  if (patch.size === nameAlone && section.get(NAME) === NONE) {
    section.problems.add(section.problems.at(section.place).bytes(WITHOUT_EFFECT));
  }
  return patch.byte(CLOSING_BRACE).written;
}

function writeAnnotations(patch: Writer, section: Section): void {
  if (section.get(ANNOTATIONS) === NONE) return;
  const annotations = section.section(ANNOTATIONS, ANNOTATIONS_MEMBERS);
  writeName(patch, ANNOTATIONS);
  patch.byte(OPENING_BRACE);
  writeText(patch, annotations, TITLE);
  const hints = namesIn(HINTS, section.arena);
  for (let i = 0; i < hints.count; i++) {
    const value = annotations.get(hints.at(i));
    if (value === NONE) continue;
    if (!equals(value, TRUE) && !equals(value, FALSE)) annotations.mustBe(hints.at(i), A_BOOLEAN);
    writeName(patch, hints.at(i));
    patch.bytes(value);
  }
  patch.byte(CLOSING_BRACE);
}

/** Where it is given. An empty text is one, too. */
function writeText(patch: Writer, section: Section, name: Span): void {
  const value = section.get(name);
  if (value === NONE) return;
  if (kindOf(value) !== Kind.String || length(value) > 2) section.text(name, NONE);
  writeName(patch, name);
  patch.bytes(value);
}

function writeName(patch: Writer, name: Span): void {
  if (patch.size > 0 && load<u8>(patch.start + (patch.size as usize) - 1) !== OPENING_BRACE) patch.byte(COMMA);
  patch.byte(QUOTE).bytes(name).byte(QUOTE).byte(COLON);
}
