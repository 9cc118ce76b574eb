import { DOT, EQUALS_SIGN, HYPHEN } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { List } from '../bytes/list';
import { names } from '../bytes/name-list';
import { Span, between, first, indexOf, length, limit, literal, pointer, fingerprint, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { CatalogSource } from '../model/catalog';
import { Gateway } from '../model/gateway';
import { matches } from '../model/glob';
import { Environment } from './environment';
import { readPatterns } from './patterns';
import { Section } from './section';
import { secretText } from './secrets';
import { A_CLUSTER, AN_AUTHORITY } from './servers';
import { duration, isMadeOf, isVisibleText, size } from './values';

/** `catalog`: where a gateway asks for further servers, and what these may name of the gateway's. */
const MEMBERS = names('cluster authority namespace token interval maxBytes clusters clusterNames env defaults');
const DEFAULT_MEMBERS = names('credentials callTimeout listCache');
/** What clusters are called: as their servers, or as Istio calls those of a host. */
const CLUSTER_NAMES = names('servers istio');
const CATALOG = literal('catalog');
const CLUSTER = literal('cluster');
const AUTHORITY = literal('authority');
const NAMESPACE = literal('namespace');
const TOKEN = literal('token');
const INTERVAL = literal('interval');
const MAX_BYTES = literal('maxBytes');
const CLUSTERS = literal('clusters');
const NAMES = literal('clusterNames');
const ENV = literal('env');
const DEFAULTS = literal('defaults');

const PATH = literal('/catalog/');
const FORM = literal('?form=module');
const OF_ISTIO = literal('&clusters=istio');
const TWO_SECONDS = literal('2s');
/** Milliseconds. */
const SHORTEST_INTERVAL: u32 = 1000;
const DEFAULT_BYTES: u32 = 8 << 20;
const MOST_BYTES: u32 = 16 << 20;
const LONGEST_PATTERN = 256;
const MAX_NAMESPACE = 63;
const INNER = literal('-.');

const A_NAMESPACE = literal('the name of a catalog: a-z, 0-9 and inner dashes and dots, at most 63 characters');
const AN_INTERVAL = literal('a time from 1s on');
const SOME_BYTES = literal('a size up to 16Mi');
const NO_HEADER = literal('is a token that cannot stand in a header');

/** Null: the gateway has no other servers than its own. */
export function readCatalogSource(root: Section, environment: Environment, gateway: Gateway): CatalogSource | null {
  if (root.get(CATALOG) === NONE) return null;
  const section = root.section(CATALOG, MEMBERS);
  const problems = section.problems;
  const source = make<CatalogSource>(section.arena);
  source.cluster = section.required(CLUSTER);
  if (source.cluster !== NONE && !isVisibleText(source.cluster)) section.mustBe(CLUSTER, A_CLUSTER);
  source.authority = section.text(AUTHORITY, source.cluster);
  if (source.authority !== NONE && !isVisibleText(source.authority)) section.mustBe(AUTHORITY, AN_AUTHORITY);
  source.namespace = section.required(NAMESPACE);
  if (source.namespace !== NONE && !isNamespace(source.namespace)) section.mustBe(NAMESPACE, A_NAMESPACE);
  source.token = secretText(section.get(TOKEN), section.placeOf(TOKEN), gateway, environment, problems);
  if (source.token !== NONE && !isVisibleText(source.token)) {
    problems.add(problems.at(section.placeOf(TOKEN)).bytes(NO_HEADER));
  }
  source.interval = duration(section, INTERVAL, TWO_SECONDS);
  if (source.interval < SHORTEST_INTERVAL && section.get(INTERVAL) !== NONE) section.mustBe(INTERVAL, AN_INTERVAL);
  source.maxBytes = size(section, MAX_BYTES, DEFAULT_BYTES);
  if (source.maxBytes > MOST_BYTES) section.mustBe(MAX_BYTES, SOME_BYTES);
  if (section.get(CLUSTERS) === NONE) section.missing(CLUSTERS);
  source.clusters = readPatterns(section, CLUSTERS, LONGEST_PATTERN);
  const isIstio = section.choice(NAMES, CLUSTER_NAMES) === 1;
  source.environment = allowed(environment, readPatterns(section, ENV, LONGEST_PATTERN), section.arena);
  source.defaults = section.section(DEFAULTS, DEFAULT_MEMBERS).object;
  const path = newWriter(section.arena, 128).bytes(PATH).bytes(source.namespace).bytes(FORM);
  source.path = isIstio ? path.bytes(OF_ISTIO).written : path.written;
  source.fingerprint = fingerprint(source.cluster, fingerprint(source.authority, fingerprint(source.path)));
  return source;
}

/** A part of a path, and of the names of virtual servers. */
function isNamespace(text: Span): bool {
  return (
    length(text) <= MAX_NAMESPACE &&
    isMadeOf(text, INNER) &&
    isEdge(load<u8>(pointer(text))) &&
    isEdge(load<u8>(limit(text) - 1))
  );
}

function isEdge(c: u8): bool {
  return c !== HYPHEN && c !== DOT;
}

/** Whether one of the patterns matches. */
export function isAmong(patterns: List, text: Span): bool {
  for (let i = 0; i < patterns.count; i++) if (matches(patterns.at(i), text)) return true;
  return false;
}

/** The variables that the patterns name: no other can get into what a catalog has sent to a server. */
function allowed(environment: Environment, patterns: List, arena: Arena): Environment {
  const kept = newWriter(arena, 64);
  if (patterns.count === 0) return kept.written;
  let from = pointer(environment);
  for (let at = from; at < limit(environment); at++) {
    if (load<u8>(at) !== 0) continue;
    const entry = between(from, at);
    const end = indexOf(entry, EQUALS_SIGN);
    if (end > 0 && isAmong(patterns, first(entry, end as u32))) kept.bytes(entry).byte(0);
    from = at + 1;
  }
  return kept.written;
}
