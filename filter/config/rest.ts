import { COLON, QUOTE, SPACE } from '../bytes/ascii';
import { make, scratch } from '../bytes/arena';
import { clipped } from '../bytes/clipped';
import { List, newList } from '../bytes/list';
import { newNameTable } from '../bytes/names';
import { mayReadOn } from '../bytes/room';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { names, namesIn } from '../bytes/name-list';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind, member } from '../json/reader';
import { inside, textOf } from '../json/text';
import * as header from '../mcp/headers';
import { Noun } from '../mcp/nouns';
import { CredentialKind, Credentials } from '../model/credentials';
import { Dialect } from '../model/dialects';
import { Gateway } from '../model/gateway';
import { HostMode } from '../model/host-mode';
import { Rest } from '../model/rest';
import { Server } from '../model/server';
import { Environment } from './environment';
import { elementPlace } from './problems';
import { listPage } from './rest-page';
import { readPrompt } from './rest-prompt';
import { readSchemes } from './rest-security';
import { readTool } from './rest-tool';
import { resolved } from './secrets';
import { Section } from './section';
import { flag } from './values';

/**
 * The tools of a REST service, in the format of Higress' mcp-server plugin: what stands there beside `tools`, and in its
 * `server`, stands here side by side. `prompts` are ours.
 */
const MEMBERS = names(
  'name type config securitySchemes defaultUpstreamSecurity defaultDownstreamSecurity passthroughAuthHeader allowTools tools prompts',
);
const REST = literal('rest');
const TYPE = literal('type');
const CONFIG = literal('config');
const PASSTHROUGH_AUTHORIZATION = literal('passthroughAuthHeader');
const ALLOW_TOOLS = literal('allowTools');
const TOOLS = literal('tools');
const PROMPTS = literal('prompts');
const NAME = literal('name');
const TOOL = literal('tool');
const PROMPT = literal('prompt');
/** Bytes. */
const MOST_OF_NAME = 64;
const NULL = literal('null');
const TYPES = names('rest');
const NOT_IN_HEADERS = literal(
  'needs hostMode hold or pair: in hostMode headers a request goes on before its body is read',
);
const UNUSED = literal('has no meaning for a REST service');
const TAKEN = literal('is the name of another tool');
const PROMPT_TAKEN = literal('is the name of another prompt');
const NO_TOOLS = literal('must list at least one tool, where prompts lists none');
const OWN_CREDENTIALS = literal('cannot be true beside credentials that the gateway has itself');
const ONLY_MCP = names('path protocol listCache');
const EMPTY_LIST = literal('[]');

/** Reads `rest` where the server has it. */
export function readRest(parent: Section, environment: Environment, gateway: Gateway, server: Server): void {
  if (parent.get(REST) === NONE) return;
  const problems = parent.problems;
  if (gateway.hostMode === HostMode.Headers && !asksNobody(parent)) {
    problems.add(problems.at(parent.placeOf(REST)).bytes(NOT_IN_HEADERS));
  }
  refuseUnused(parent);
  const section = parent.section(REST, MEMBERS);
  const rest = make<Rest>(section.arena);
  section.choice(TYPE, TYPES);
  const config = section.get(CONFIG);
  rest.config = config === NONE ? NULL : resolved(config, section.placeOf(CONFIG), gateway, environment, problems);
  rest.tools = newList(section.arena);
  rest.toolsByName = newNameTable(section.arena);
  const schemes = readSchemes(section, environment, gateway);
  const allowed = readAllowed(section);
  const elements = section.list(TOOLS);
  const shown = newList(section.arena);
  for (let i = 0; i < elements.count && mayReadOn(); i++) {
    const place = elementPlace(section.placeOf(TOOLS), i, section.arena);
    problems.subject = subjectOf(TOOL, elements.at(i));
    const tool = readTool(elements.at(i), place, rest, schemes, environment, gateway, problems);
    const isShown = tool.name !== NONE && (allowed === null || has(allowed, tool.name));
    if (isShown && rest.tool(tool.name) !== null) problems.add(problems.at(place).bytes(TAKEN));
    problems.subject = NONE;
    if (!isShown) continue;
    rest.tools.push(changetype<usize>(tool) as u64);
    rest.toolsByName.put(tool.name, changetype<usize>(tool));
    shown.push(elements.at(i));
  }
  rest.toolPage = listPage(Noun.Tools, shown, section.arena);
  readPrompts(section, rest);
  if (elements.count === 0 && rest.promptPage === NONE)
    problems.add(problems.at(section.placeOf(TOOLS)).bytes(NO_TOOLS));
  if (flag(section, PASSTHROUGH_AUTHORIZATION)) passAuthorization(section, server.credentials);
  server.rest = rest;
  server.configured = Dialect.Rest;
}

function readPrompts(section: Section, rest: Rest): void {
  rest.prompts = newList(section.arena);
  rest.promptsByName = newNameTable(section.arena);
  const elements = section.list(PROMPTS);
  const shown = newList(section.arena);
  for (let i = 0; i < elements.count && mayReadOn(); i++) {
    const place = elementPlace(section.placeOf(PROMPTS), i, section.arena);
    const problems = section.problems;
    problems.subject = subjectOf(PROMPT, elements.at(i));
    const prompt = readPrompt(elements.at(i), place, problems);
    const isTaken = prompt.name !== NONE && rest.prompt(prompt.name) !== null;
    if (isTaken) problems.add(problems.at(place).bytes(PROMPT_TAKEN));
    problems.subject = NONE;
    if (prompt.name === NONE) continue;
    rest.prompts.push(changetype<usize>(prompt) as u64);
    rest.promptsByName.put(prompt.name, changetype<usize>(prompt));
    shown.push(elements.at(i));
  }
  rest.promptPage = listPage(Noun.Prompts, shown, section.arena);
}

/**
 * What a tool or prompt is known by, for what is wrong with it; NONE where it has no name. @param element as JSON, whose
 * escapes stay: no name can end the line.
 */
function subjectOf(kind: Span, element: Span): Span {
  if (kindOf(element) !== Kind.Object) return NONE;
  const name = member(element, NAME, scratch);
  if (name === NONE || kindOf(name) !== Kind.String || length(name) === 2) return NONE;
  const text = newWriter(scratch, 96).bytes(kind).byte(SPACE).byte(QUOTE);
  return text
    .bytes(clipped(inside(name), MOST_OF_NAME))
    .byte(QUOTE)
    .byte(COLON)
    .byte(SPACE).written;
}

/** Whether a server asks nobody, so that it needs no cluster: it has prompts, and no tools. @param server its section */
export function asksNobody(server: Section): bool {
  if (!hasPrompts(server)) return false;
  const tools = member(server.get(REST), TOOLS, server.arena);
  return tools === NONE || equals(tools, EMPTY_LIST);
}

function hasPrompts(server: Section): bool {
  const rest = server.get(REST);
  return rest !== NONE && kindOf(rest) === Kind.Object && member(rest, PROMPTS, server.arena) !== NONE;
}

/** `passthroughAuthHeader` is another word for `credentials` that pass the client's authorization on. */
function passAuthorization(section: Section, credentials: Credentials): void {
  if (credentials.kind !== CredentialKind.None && credentials.kind !== CredentialKind.Passthrough) {
    section.problems.add(section.problems.at(section.placeOf(PASSTHROUGH_AUTHORIZATION)).bytes(OWN_CREDENTIALS));
    return;
  }
  credentials.kind = CredentialKind.Passthrough;
  if (!credentials.passes(header.AUTHORIZATION)) credentials.headers.push(header.AUTHORIZATION);
}

function refuseUnused(parent: Section): void {
  const names = namesOf(parent);
  if (!hasPrompts(parent) && parent.own(PROMPTS) !== NONE) names.push(PROMPTS);
  for (let i = 0; i < names.count; i++) {
    parent.problems.add(parent.problems.at(parent.placeOf(names.at(i))).bytes(UNUSED));
  }
}

function namesOf(parent: Section): List {
  const found = newList(parent.arena);
  const all = namesIn(ONLY_MCP, parent.arena);
  for (let i = 0; i < all.count; i++) if (parent.own(all.at(i)) !== NONE) found.push(all.at(i));
  return found;
}

/** Null: all. */
function readAllowed(section: Section): List | null {
  if (section.get(ALLOW_TOOLS) === NONE) return null;
  const allowed = newList(section.arena);
  const elements = section.list(ALLOW_TOOLS);
  for (let i = 0; i < elements.count; i++) {
    const value: Span = elements.at(i);
    if (kindOf(value) === Kind.String) allowed.push(textOf(value, section.arena));
  }
  return allowed;
}

function has(list: List, name: Span): bool {
  for (let i = 0; i < list.count; i++) if (equals(list.at(i), name)) return true;
  return false;
}
