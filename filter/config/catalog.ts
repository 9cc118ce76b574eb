import { SLASH } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { newList } from '../bytes/list';
import { names } from '../bytes/name-list';
import { mayReadOn } from '../bytes/room';
import { Span, equals, length, literal, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isJson, kindOf, Kind, member, strip, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { Catalog, CatalogSource } from '../model/catalog';
import { Gateway } from '../model/gateway';
import { isAmong } from './catalog-source';
import { Environment } from './environment';
import { elementPlace, memberPlace, newProblems, Place, Problems } from './problems';
import { openSection, Section } from './section';
import { addServer } from './servers';
import { isVisibleText } from './values';
import { addVirtualServer } from './virtual-servers';

/**
 * What a plugin server answers to a gateway that asks for its catalog: servers and virtual servers in the form of the
 * configuration. What is wrong with one of them, or not for a catalog to say, keeps that one out, and no other.
 *
 *     { namespace, revision, servers, virtualServers, leftOut }
 */
const CATALOG = literal('catalog');
const NAMESPACE = literal('namespace');
const REVISION = literal('revision');
const SERVERS = literal('servers');
const VIRTUAL_SERVERS = literal('virtualServers');
const LEFT_OUT = literal('leftOut');
const NAME = literal('name');
const CLUSTER = literal('cluster');
const REST = literal('rest');
const PASSES_AUTHORIZATION = literal('passthroughAuthHeader');

/** Credentials, limits and what is kept are the gateway's to say. */
const SERVER_MEMBERS = names(
  'name cluster authority path prefix protocol tools prompts resources events ownedUris stickyCookie rest',
);
const VIRTUAL_SERVER_MEMBERS = names('name tools prompts events');

const MOST_SERVERS = 2000;
const MOST_VIRTUAL_SERVERS = 2001;
const LONGEST_REVISION = 64;
/** Lines that tell what is left out. */
const MOST_LEFT_OUT = 50;

const NO_JSON = literal('what the plugin server answers is no JSON, or is cut off');
const NO_CATALOG = literal('what the plugin server answers is no catalog: namespace, revision and servers are missing');
const OTHER_NAMESPACE = literal('the plugin server answers with the catalog of another namespace');
const TOO_MANY = literal('the catalog has more than 2000 servers');
const NOT_ALLOWED = literal('is a cluster that catalog.clusters does not name');
const AUTHORIZATION = literal('is not for a catalog to say: set catalog.defaults.credentials');
const FOREIGN_NAME = literal('has to begin with the namespace of the catalog: ');
const OF_CATALOG = literal(' and in catalog.env');

/** Its members, as JSON; NONE where there is none. */
@unmanaged
class CatalogDocument {
  namespace: Span;
  revision: Span;
  servers: Span;
  virtualServers: Span;
  leftOut: Span;
}

/** In one walk, as it is long. @param text an object */
function openDocument(text: Span, arena: Arena): CatalogDocument {
  const document = make<CatalogDocument>(arena);
  for (const walk = walkThrough(strip(text), arena); walk.next();) {
    const name = walk.key(arena);
    if (equals(name, NAMESPACE)) document.namespace = walk.value;
    else if (equals(name, REVISION)) document.revision = walk.value;
    else if (equals(name, SERVERS)) document.servers = walk.value;
    else if (equals(name, VIRTUAL_SERVERS)) document.virtualServers = walk.value;
    else if (equals(name, LEFT_OUT)) document.leftOut = walk.value;
  }
  return document;
}

/** What is wrong with the whole of it; NONE: nothing. */
export function catalogFault(text: Span, source: CatalogSource, arena: Arena): Span {
  if (!isJson(text, arena)) return NO_JSON;
  if (kindOf(strip(text)) !== Kind.Object) return NO_CATALOG;
  const document = openDocument(text, arena);
  const namespace = asText(document.namespace, arena);
  const revision = asText(document.revision, arena);
  if (namespace === NONE || revision === NONE || !isList(document.servers)) return NO_CATALOG;
  if (length(revision) > LONGEST_REVISION || !isVisibleText(revision)) return NO_CATALOG;
  if (!equals(namespace, source.namespace)) return OTHER_NAMESPACE;
  let count = 0;
  for (const walk = walkThrough(document.servers, arena); walk.next();) count++;
  return count > MOST_SERVERS ? TOO_MANY : NONE;
}

function asText(value: Span, arena: Arena): Span {
  return value === NONE || kindOf(value) !== Kind.String ? NONE : textOf(value, arena);
}

function isList(value: Span): bool {
  return value !== NONE && kindOf(value) === Kind.Array;
}

/** After the gateway's own servers. @param text without a `catalogFault` */
export function readCatalog(
  text: Span,
  source: CatalogSource,
  environment: Environment,
  gateway: Gateway,
  arena: Arena,
): void {
  const document = openDocument(text, arena);
  const catalog = make<Catalog>(arena);
  catalog.revision = asText(document.revision, arena);
  catalog.firstServer = gateway.servers.count;
  catalog.leftOut = newList(arena);
  catalog.virtualServers = document.virtualServers;
  gateway.catalog = catalog;
  if (isList(document.leftOut)) {
    for (const walk = walkThrough(document.leftOut, arena); walk.next();) {
      const line = asText(walk.value, arena);
      if (line !== NONE) leaveOut(catalog, line);
    }
  }
  const place = placeOf(SERVERS, arena);
  let index = 0;
  for (const walk = walkThrough(document.servers, arena); walk.next() && mayReadOn(); index++) {
    const problems = problemsOf(arena);
    const section = openSection(walk.value, elementPlace(place, index, arena), SERVER_MEMBERS, problems);
    section.defaults = source.defaults;
    checkServer(section, source);
    if (problems.lines.count === 0) addServer(section, environment, source.environment, gateway);
    if (problems.lines.count > 0) leaveOut(catalog, problems.lines.at(0));
  }
}

/** After its servers, and the gateway's own virtual servers. */
export function readCatalogVirtualServers(source: CatalogSource, gateway: Gateway, arena: Arena): void {
  const catalog = gateway.catalog!;
  if (!isList(catalog.virtualServers)) return;
  const place = placeOf(VIRTUAL_SERVERS, arena);
  const own = newWriter(arena, 64).bytes(source.namespace).byte(SLASH).written;
  let index = 0;
  for (const walk = walkThrough(catalog.virtualServers, arena); walk.next(); index++) {
    if (index === MOST_VIRTUAL_SERVERS || !mayReadOn()) break;
    const problems = problemsOf(arena);
    const section = openSection(walk.value, elementPlace(place, index, arena), VIRTUAL_SERVER_MEMBERS, problems);
    const name = section.required(NAME);
    if (name !== NONE && !startsWith(name, own)) {
      problems.add(problems.at(section.placeOf(NAME)).bytes(FOREIGN_NAME).bytes(own));
    }
    if (problems.lines.count === 0) addVirtualServer(section, gateway, catalog.firstServer);
    if (problems.lines.count > 0) leaveOut(catalog, problems.lines.at(0));
  }
}

function checkServer(section: Section, source: CatalogSource): void {
  const problems = section.problems;
  // One that needs a cluster and has none is refused as every server is.
  const cluster = section.text(CLUSTER, NONE);
  if (cluster !== NONE && !isAmong(source.clusters, cluster)) {
    problems.add(problems.at(section.placeOf(CLUSTER)).bytes(NOT_ALLOWED));
  }
  const rest = section.get(REST);
  if (rest === NONE || kindOf(rest) !== Kind.Object) return;
  const passes = member(rest, PASSES_AUTHORIZATION, section.arena);
  if (passes !== NONE && kindOf(passes) !== Kind.False) {
    const place = memberPlace(section.placeOf(REST), PASSES_AUTHORIZATION, section.arena);
    problems.add(problems.at(place).bytes(AUTHORIZATION));
  }
}

/** Each entry has problems of its own. */
function problemsOf(arena: Arena): Problems {
  const problems = newProblems(arena);
  problems.alsoListed = OF_CATALOG;
  return problems;
}

function placeOf(name: Span, arena: Arena): Place {
  return memberPlace(memberPlace(null, CATALOG, arena), name, arena);
}

function leaveOut(catalog: Catalog, line: Span): void {
  if (catalog.leftOut.count < MOST_LEFT_OUT) catalog.leftOut.push(line);
}
