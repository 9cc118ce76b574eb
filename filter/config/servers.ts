import { SLASH, UNDERSCORE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { newSeen } from '../bytes/seen';
import { mayReadOn } from '../bytes/room';
import { Span, equals, length, literal, pointer, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind } from '../json/reader';
import { isString } from '../json/text';
import { FIRST_NOUN, LAST_NOUN, nounRow } from '../mcp/nouns';
import * as header from '../mcp/headers';
import { revisionOf, Revision, STATELESS } from '../mcp/revisions';
import { readCredentials } from './credentials';
import { Environment } from './environment';
import { unkeyedFingerprint } from './fingerprints';
import { CredentialKind } from '../model/credentials';
import { configuredDialect } from '../model/dialects';
import { IdentityKind } from '../model/identity';
import { Gateway } from '../model/gateway';
import { HostMode } from '../model/host-mode';
import { CacheScope, Server } from '../model/server';
import { checkOwnedUris, readOwnedUris } from './owned-uris';
import { readRules } from './patterns';
import { asksNobody, readRest } from './rest';
import { readResults } from './results';
import { elementPlace } from './problems';
import { names } from '../bytes/name-list';
import { openSection, Section } from './section';
import { A_NAME, duration, flag, isMadeOf, isName, isVisibleText } from './values';

const MEMBERS = names(
  'name cluster authority path prefix protocol callTimeout credentials tools prompts resources events ownedUris listCache stickyCookie trusted results rest',
);
const CACHE_MEMBERS = names('ttl scope');
const CACHE_SCOPES = names('session shared credential');
const SERVERS = literal('servers');
const NAME = literal('name');
const CLUSTER = literal('cluster');
const AUTHORITY = literal('authority');
const PATH = literal('path');
const PREFIX = literal('prefix');
const PROTOCOL = literal('protocol');
const CALL_TIMEOUT = literal('callTimeout');
const CREDENTIALS = literal('credentials');

const STICKY_COOKIE = literal('stickyCookie');
const LIST_CACHE = literal('listCache');
const TTL = literal('ttl');
const SCOPE = literal('scope');
const TRUSTED = literal('trusted');

const DEFAULT_PATH = literal('/mcp');
const AUTO = literal('auto');
const EMPTY = literal('');
const PREFIX_CHARACTERS = literal('ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-');
const COOKIE_CHARACTERS = literal("ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+-.^_`|~");
const MAX_PREFIX = 64;
const MAX_COOKIE_NAME = 64;
/** The last of them stands for all further ones. */
const MOST_REPORTED_TOOLS = 20;

export const A_CLUSTER = literal('the name of an Envoy cluster, without spaces');
export const AN_AUTHORITY = literal('a host, with a port if need be');
const A_PATH = literal('a path that begins with a slash');
const A_PREFIX = literal('made of A-Z, a-z, 0-9, "_", "." and "-", at most 64 characters');
const A_COOKIE = literal('the name of a cookie, such as "AWSALB", of at most 64 characters');
const COOKIE_TAKEN = literal('cannot be used where credentials are sent in the header cookie');
const A_REVISION = literal('"auto", "2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26" or "2024-11-05"');
const THE_STATELESS = literal('"auto" or "2026-07-28", the one revision of hostMode headers');
const NOT_SHARED = literal('cannot be shared where callers have credentials of their own; use credential or session');
const EXCHANGE_IDENTITY = literal(
  'of type exchange need identity: { jwt: ... }: it is a verified token that is exchanged',
);
const EXCHANGE_MODE = literal('of type exchange need hostMode hold or pair: in headers nothing waits for a token');
const EXCHANGE_PROTOCOL = literal(
  'of type exchange are not for a server of 2024-11-05: its stream is not read before it passes',
);
const NAME_TAKEN = literal('is the name of another server');
const NO_CHOICE = literal('cannot be a choice for all servers of a catalog: put such a server into servers');
const NO_SERVERS = literal('must list at least one server');
const EMPTY_LIST = literal('lists no server, so that nothing is served');
const PREFIX_CLASH = literal(
  'begins with the prefix of another server, or the other way round, so that a tool could belong to both: ',
);
const EMPTY_PREFIX = literal('may be empty only where there is a single server');

/** The gateway's own. After its catalog's source is known. */
export function readServers(root: Section, environment: Environment, gateway: Gateway): void {
  gateway.servers = newList(root.arena);
  const elements = root.list(SERVERS);
  const isAlone = elements.count === 1 && gateway.catalogSource === null;
  for (let i = 0; i < elements.count && mayReadOn(); i++) {
    const place = elementPlace(root.placeOf(SERVERS), i, root.arena);
    const section = openSection(elements.at(i), place, MEMBERS, root.problems);
    push(gateway, checkedServer(section, environment, environment, gateway, isAlone));
  }
  if (elements.count > 0 || gateway.catalogSource !== null) return;
  const line = root.problems.at(root.placeOf(SERVERS));
  const list = root.get(SERVERS);
  // What takes servers away, such as an edit of a catalog, may take the last one.
  if (list !== NONE && kindOf(list) === Kind.Array) root.problems.warn(line.bytes(EMPTY_LIST));
  else root.problems.add(line.bytes(NO_SERVERS));
}

/**
 * One of a catalog, behind those that are there; not where anything is wrong with it.
 * @param ofTools what tools of a REST service may name
 */
export function addServer(section: Section, environment: Environment, ofTools: Environment, gateway: Gateway): void {
  const known = section.problems.lines.count;
  const server = checkedServer(section, environment, ofTools, gateway, false);
  if (server.credentials.kind === CredentialKind.Choice) {
    section.problems.add(section.problems.at(section.placeOf(CREDENTIALS)).bytes(NO_CHOICE));
  }
  if (section.problems.lines.count === known) push(gateway, server);
}

function push(gateway: Gateway, server: Server): void {
  gateway.servers.push(changetype<usize>(server) as u64);
}

/** @param isAlone there is no other server */
function checkedServer(
  section: Section,
  environment: Environment,
  ofTools: Environment,
  gateway: Gateway,
  isAlone: bool,
): Server {
  const server = readServer(section, environment, ofTools, gateway);
  server.index = gateway.servers.count;
  server.mark = !isAlone && server.name !== NONE ? markOf(server, section.arena) : EMPTY;
  checkAgainst(gateway.servers, server, section, isAlone);
  checkOwnedUris(gateway.servers, server, section);
  return server;
}

function markOf(server: Server, arena: Arena): Span {
  return newWriter(arena, 64).bytes(server.name).byte(SLASH).written;
}

function readServer(section: Section, environment: Environment, ofTools: Environment, gateway: Gateway): Server {
  const server = make<Server>(section.arena);
  server.name = section.required(NAME);
  if (server.name !== NONE && !isName(server.name)) section.mustBe(NAME, A_NAME);
  server.cluster = asksNobody(section) ? section.text(CLUSTER, EMPTY) : section.required(CLUSTER);
  if (length(server.cluster) > 0 && !isVisibleText(server.cluster)) section.mustBe(CLUSTER, A_CLUSTER);
  server.authority = section.text(AUTHORITY, server.name);
  if (server.authority !== NONE && !isVisibleText(server.authority)) section.mustBe(AUTHORITY, AN_AUTHORITY);
  server.path = section.text(PATH, DEFAULT_PATH);
  if (server.path !== NONE && (!isVisibleText(server.path) || load<u8>(pointer(server.path)) !== SLASH)) {
    section.mustBe(PATH, A_PATH);
  }
  server.prefix = readPrefix(section, server.name);
  server.revision = readRevision(section, gateway.hostMode);
  server.configured = configuredDialect(server.revision);
  server.callTimeout = section.get(CALL_TIMEOUT) === NONE ? 0 : duration(section, CALL_TIMEOUT, EMPTY);
  if (server.callTimeout === 0) server.callTimeout = gateway.limits.callTimeout;
  server.credentials = readCredentials(section, CREDENTIALS, environment);
  checkExchange(section, server, gateway);
  server.stickyCookie = readStickyCookie(section, server);
  readListCache(section, server);
  readRest(section, ofTools, gateway, server);
  server.ownedUris = readOwnedUris(section);
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    const row = nounRow(noun);
    if (row.ruledBy === noun) server.setRules(noun, readRules(section, row), section.arena);
  }
  server.reportedTools = newSeen(MOST_REPORTED_TOOLS, section.arena);
  server.reportedPins = newSeen(MOST_REPORTED_TOOLS, section.arena);
  server.isTrusted = flag(section, TRUSTED);
  server.results = readResults(section, gateway.results);

  server.unkeyedFingerprint = unkeyedFingerprint(server);
  // Until there is a key.
  server.fingerprint = server.unkeyedFingerprint;
  server.stateFingerprint = server.unkeyedFingerprint;
  return server;
}

/** The client's own cookies would stand in the same header. */
function readStickyCookie(section: Section, server: Server): Span {
  const name = section.text(STICKY_COOKIE, NONE);
  if (name === NONE) return NONE;
  if (!isMadeOf(name, COOKIE_CHARACTERS) || length(name) === 0 || length(name) > MAX_COOKIE_NAME) {
    section.mustBe(STICKY_COOKIE, A_COOKIE);
  }
  const credentials = server.credentials;
  if (credentials.passes(header.COOKIE) || equals(credentials.header, header.COOKIE)) {
    section.problems.add(section.problems.at(section.placeOf(STICKY_COOKIE)).bytes(COOKIE_TAKEN));
  }
  return name;
}

/** A token is exchanged once a message was read whole, and over HTTP+SSE the stream has none. */
function checkExchange(section: Section, server: Server, gateway: Gateway): void {
  if (server.credentials.kind !== CredentialKind.Exchange) return;
  gateway.exchanges = true;
  const line = section.problems.at(section.placeOf(CREDENTIALS));
  if (gateway.identity.kind !== IdentityKind.Jwt) section.problems.add(line.bytes(EXCHANGE_IDENTITY));
  else if (gateway.hostMode === HostMode.Headers) section.problems.add(line.bytes(EXCHANGE_MODE));
  else if (server.dialect.isOverHttpSse) section.problems.add(line.bytes(EXCHANGE_PROTOCOL));
}

/** One caller's credentials can show a list that another's must not, so what passes through them is nobody else's. */
function readListCache(parent: Section, server: Server): void {
  if (parent.get(LIST_CACHE) === NONE) return;
  const section = parent.section(LIST_CACHE, CACHE_MEMBERS);
  if (section.get(TTL) === NONE) section.missing(TTL);
  else server.cacheTtl = max(duration(section, TTL, EMPTY) / 1000, 1);
  const differs = server.credentials.isOfClient || server.credentials.kind === CredentialKind.Choice;
  const byDefault = differs ? CacheScope.Credential : CacheScope.Session;
  server.cacheScope = max(section.choice(SCOPE, CACHE_SCOPES, byDefault), CacheScope.Session);
  if (server.cacheScope === CacheScope.Shared && differs) {
    section.problems.add(section.problems.at(section.placeOf(SCOPE)).bytes(NOT_SHARED));
  }
}

/** Absent: the name and an underscore. An empty one is a prefix of its own here. */
function readPrefix(section: Section, name: Span): Span {
  const value = section.get(PREFIX);
  if (value === NONE) {
    const byDefault = newWriter(section.arena, 64);
    return name === NONE ? EMPTY : byDefault.bytes(name).byte(UNDERSCORE).written;
  }
  if (isString(value) && length(value) === 2) return EMPTY;
  const prefix = section.text(PREFIX, NONE);
  if (prefix === NONE) return EMPTY;
  if (!isMadeOf(prefix, PREFIX_CHARACTERS) || length(prefix) > MAX_PREFIX) section.mustBe(PREFIX, A_PREFIX);
  return prefix;
}

function readRevision(section: Section, mode: HostMode): Revision {
  const text = section.text(PROTOCOL, AUTO);
  const isAuto = text === NONE || equals(text, AUTO);
  if (mode === HostMode.Headers) {
    if (!isAuto && !equals(text, STATELESS)) section.mustBe(PROTOCOL, THE_STATELESS);
    return Revision.V2026_07_28;
  }
  if (isAuto) return Revision.Unknown;
  if (equals(text, STATELESS)) return Revision.V2026_07_28;
  const revision = revisionOf(text);
  if (revision === Revision.Unknown) section.mustBe(PROTOCOL, A_REVISION);
  return revision;
}

function checkAgainst(others: List, server: Server, section: Section, single: bool): void {
  const problems = section.problems;
  const noPrefix = length(server.prefix) === 0;
  if (noPrefix && !single && section.get(PREFIX) !== NONE) {
    problems.add(problems.at(section.placeOf(PREFIX)).bytes(EMPTY_PREFIX));
  }
  for (let i = 0; i < others.count; i++) {
    const other = changetype<Server>(others.at(i) as usize);
    if (server.name !== NONE && other.name !== NONE && equals(server.name, other.name)) {
      problems.add(problems.at(section.placeOf(NAME)).bytes(NAME_TAKEN));
    }
    if (noPrefix || length(other.prefix) === 0) continue;
    if (startsWith(server.prefix, other.prefix) || startsWith(other.prefix, server.prefix)) {
      problems.add(problems.at(section.placeOf(PREFIX)).bytes(PREFIX_CLASH).bytes(other.prefix));
    }
  }
}
