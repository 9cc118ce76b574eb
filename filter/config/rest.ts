import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { newNameTable } from '../bytes/names';
import { Span, equals, literal, NONE } from '../bytes/span';
import { names, namesIn } from '../bytes/name-list';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import * as header from '../mcp/headers';
import { CredentialKind, Credentials } from '../model/credentials';
import { Gateway } from '../model/gateway';
import { HostMode } from '../model/host-mode';
import { Rest } from '../model/rest';
import { Server } from '../model/server';
import { Environment } from './environment';
import { elementPlace } from './problems';
import { listPage } from './rest-page';
import { flag, readSchemes } from './rest-security';
import { readTool } from './rest-tool';
import { resolved } from './secrets';
import { Section } from './section';

/**
 * The tools of a REST service, in the format of Higress' mcp-server plugin: what stands there beside `tools`, and in its
 * `server`, stands here side by side.
 */
const MEMBERS = names(
  'name type config securitySchemes defaultUpstreamSecurity defaultDownstreamSecurity passthroughAuthHeader allowTools tools',
);
const REST = literal('rest');
const TYPE = literal('type');
const CONFIG = literal('config');
const PASSTHROUGH_AUTHORIZATION = literal('passthroughAuthHeader');
const ALLOW_TOOLS = literal('allowTools');
const TOOLS = literal('tools');
const NULL = literal('null');
const TYPES = names('rest');
const NOT_IN_HEADERS = literal(
  'needs hostMode hold or pair: in hostMode headers a request goes on before its body is read',
);
const UNUSED = literal('has no meaning for a REST service');
const TAKEN = literal('is the name of another tool');
const NO_TOOLS = literal('must list at least one tool');
const OWN_CREDENTIALS = literal('cannot be true beside credentials that the gateway has itself');
const ONLY_MCP = names('path protocol listCache prompts');

/** Reads `rest` where the server has it. */
export function readRest(parent: Section, environment: Environment, gateway: Gateway, server: Server): void {
  if (parent.get(REST) === NONE) return;
  const problems = parent.problems;
  if (gateway.hostMode === HostMode.Headers) problems.add(problems.at(parent.placeOf(REST)).bytes(NOT_IN_HEADERS));
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
  if (elements.count === 0) problems.add(problems.at(section.placeOf(TOOLS)).bytes(NO_TOOLS));
  const shown = newList(section.arena);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(TOOLS), i, section.arena);
    const tool = readTool(elements.at(i), place, rest, schemes, environment, gateway, problems);
    if (tool.name === NONE || (allowed !== null && !has(allowed, tool.name))) continue;
    if (rest.tool(tool.name) !== null) problems.add(problems.at(place).bytes(TAKEN));
    rest.tools.push(changetype<usize>(tool) as u64);
    rest.toolsByName.put(tool.name, changetype<usize>(tool));
    shown.push(elements.at(i));
  }
  rest.page = listPage(rest, shown, section.arena);
  if (flag(section, PASSTHROUGH_AUTHORIZATION)) passAuthorization(section, server.credentials);
  server.rest = rest;
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
