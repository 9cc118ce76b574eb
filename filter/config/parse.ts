import { HASH, PERCENT, QUESTION_MARK, SLASH } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { beginReading, endedShort } from '../bytes/room';
import { Span, combined, equals, fingerprint, literal, length, limit, pointer, indexOf, NONE } from '../bytes/span';
import { ownEntry } from '../upstream/via';
import { isJson, strip } from '../json/reader';
import { clientHeaders } from '../policy/client-headers';
import { readHosts, readOrigins } from './access';
import { newClaimTree } from '../model/claim-tree';
import { readAllowedCapabilities } from './allowed-capabilities';
import { readAudit } from './audit';
import { readCredentialChoices } from './credential-choice';
import { readAuth, readPublicUrl } from './auth';
import { readAuthorization } from './authorization';
import { readCatalog, readCatalogVirtualServers } from './catalog';
import { readCatalogSource } from './catalog-source';
import { Environment } from './environment';
import { fingerprintServers } from './fingerprints';
import { Gateway } from '../model/gateway';
import { HostMode } from '../model/host-mode';
import { digestOf, listDigestOf } from './digest';
import { Limits } from '../model/limits';
import { readHeaders } from './headers';
import { readIdentity } from './identity';
import { readOverrides } from './overrides';
import { structToJson } from './struct';
import { newProblems, Problems } from './problems';
import { names, namesIn } from '../bytes/name-list';
import { readPins } from './pins';
import { readQuotas } from './quotas';
import { settleFacts } from './facts';
import { openSection, Section } from './section';
import { readResults } from './results';
import { secretText } from './secrets';
import { readServers } from './servers';
import { readSessions } from './sessions';
import { readToolSearch } from './tool-search';
import { A_NAME, count, duration, flag, isName, isVisibleText, size } from './values';
import { readRoot, readVirtualServers } from './virtual-servers';

const MEMBERS = names(
  'name endpoint hostMode discover root publicUrl hosts origins identity auth authorization allowedCapabilities audit quotas pins results sessions limits headers servers virtualServers overrides toolSearch catalog status insecureInline log',
);
const LIMIT_MEMBERS = names(
  'heldBody bufferedBytes drainBytes requestBody handshakeTimeout listTimeout callTimeout listPages listBytes fanOut ' +
    'clientInfo event batch restResponse',
);
/** The claims that say scopes: RFC 9068 §2.2.3, and what some providers call it. */
const SCOPE_CLAIMS = names('scope scp');
/** In the order of HostMode. */
const HOST_MODES = names('hold pair headers');
/** Where `server/discover` is answered: where a server of the era without sessions is reached, or everywhere. */
const DISCOVERIES = names('stateless always');
/** In the order of the ABI's levels. */
const LOG_LEVELS = names('trace debug info warn error critical');

const NAME = literal('name');
const ENDPOINT = literal('endpoint');
const HOST_MODE = literal('hostMode');
const DISCOVER = literal('discover');
const HOSTS = literal('hosts');
const ORIGINS = literal('origins');
const IDENTITY = literal('identity');
const SESSIONS = literal('sessions');
const LIMITS = literal('limits');
const HEADERS = literal('headers');
const LOG = literal('log');
const HELD_BODY = literal('heldBody');
const BUFFERED_BYTES = literal('bufferedBytes');
const REQUEST_BODY = literal('requestBody');
const NO_LIMIT = literal('"none"');
const DRAIN_BYTES = literal('drainBytes');
const HANDSHAKE_TIMEOUT = literal('handshakeTimeout');
const LIST_TIMEOUT = literal('listTimeout');
const CALL_TIMEOUT = literal('callTimeout');
const LIST_PAGES = literal('listPages');
const LIST_BYTES = literal('listBytes');
const FAN_OUT = literal('fanOut');
const CLIENT_INFO = literal('clientInfo');
const BATCH = literal('batch');
const EVENT = literal('event');
const REST_RESPONSE = literal('restResponse');
const INSECURE_INLINE = literal('insecureInline');
const STATUS = literal('status');
const A_TOKEN = literal('{ env: NAME }, the name of a variable with 16 visible characters or more');

const DEFAULT_LEVEL = 2;
const DEFAULT_NAME = literal('sluice');
const DEFAULT_ENDPOINT = literal('/mcp');
const THREE_SECONDS = literal('3s');
const FIVE_SECONDS = literal('5s');
/** Four clients give up after 60 s by themselves; a tool that works for longer is no fault of its server. */
const TEN_MINUTES = literal('600s');

/** What a value of a template can have. */
const MOST_REST_RESPONSE: u32 = 128 << 20;

const NO_MEMORY = literal('takes more memory than a worker has; give some of its servers and tools to another gateway');
const NOT_JSON = literal('is not JSON');
const PAIR_MODE = literal('"pair" where the root id (pluginName) ends in -holder');
const WITHOUT_SESSIONS = literal('"stateless" where hostMode is headers, which serves no server with sessions');
const AN_ENDPOINT = literal('a path such as "/mcp", without a slash at its end, a query or escapes');

/** A configuration as far as it could be read; `problems.lines` is empty where it may be used. */
@unmanaged
export class Parsed {
  gateway: Gateway;
  problems: Problems;
}

/**
 * Depends on its arguments only: the host runs it once per worker, and drops the filter silently from a worker where it
 * fails alone.
 * @param text JSON, or a Struct of Envoy's YAML; kept as long as the gateway
 * @param holder of a pair: it decides nothing, so endpoint, hostMode and log are all that it reads; the same text may
 * be given to both
 * @param catalog what has come from its source, without a `catalogFault`; kept as long as the gateway. NONE: nothing yet
 */
export function parseGateway(
  text: Span,
  environment: Environment,
  arena: Arena,
  holder: bool = false,
  catalog: Span = NONE,
): Parsed {
  beginReading((length(text) as u64) + (catalog === NONE ? 0 : (length(catalog) as u64)));
  const parsed = make<Parsed>(arena);
  const gateway = make<Gateway>(arena);
  const problems = newProblems(arena);
  parsed.gateway = gateway;
  parsed.problems = problems;
  const json = isJson(text, arena) ? text : structToJson(text, arena);
  if (json === NONE) {
    problems.add(problems.at(null).bytes(NOT_JSON));
    return parsed;
  }
  const root = openSection(strip(json), null, MEMBERS, problems);
  gateway.name = readName(root);
  gateway.isNamed = !equals(gateway.name, DEFAULT_NAME);
  gateway.endpoint = readEndpoint(root);
  gateway.hostMode = max(root.choice(HOST_MODE, HOST_MODES), HostMode.Hold);
  gateway.logLevel = max(root.choice(LOG, LOG_LEVELS, DEFAULT_LEVEL), 0);
  if (holder) {
    if (gateway.hostMode !== HostMode.Pair) root.mustBe(HOST_MODE, PAIR_MODE);
    return parsed;
  }
  gateway.discoversAlways = readDiscover(root, gateway);
  gateway.hosts = readHosts(root, HOSTS);
  gateway.origins = readOrigins(root, ORIGINS);
  gateway.identity = readIdentity(root, IDENTITY);
  gateway.publicUrl = readPublicUrl(root);
  gateway.resource = readAuth(root, gateway);
  gateway.limits = readLimits(root);
  readHeaders(root, HEADERS, gateway);
  readSessions(root, SESSIONS, environment, gateway);
  gateway.insecureInline = flag(root, INSECURE_INLINE);
  readStatus(root, environment, gateway);
  if (gateway.statusToken !== NONE) gateway.digest = digestOf(strip(json), arena);
  if (gateway.tellsOfLists) gateway.listDigest = listDigestOf(strip(json), arena);
  gateway.claims = newClaimTree(namesIn(SCOPE_CLAIMS, arena), arena);
  gateway.results = readResults(root, null);
  const source = readCatalogSource(root, environment, gateway);
  gateway.catalogSource = source;
  readServers(root, environment, gateway);
  // What a catalog adds does not make it another gateway.
  gateway.via = ownEntry(gateway.name, gateway.isNamed ? 0 : likeness(gateway), arena);
  if (source !== null && catalog !== NONE) readCatalog(catalog, source, environment, gateway, arena);
  for (let i = 0; i < gateway.servers.count; i++) gateway.serverAt(i).via = gateway.via;
  gateway.overrides = readOverrides(root, gateway, null);
  gateway.toolSearch = readToolSearch(root, gateway, null);
  readVirtualServers(root, gateway);
  if (source !== null && catalog !== NONE) readCatalogVirtualServers(source, gateway, arena);
  if (endedShort()) {
    problems.add(problems.at(null).bytes(NO_MEMORY));
    return parsed;
  }
  readRoot(root, gateway);
  gateway.authorization = readAuthorization(root, gateway);
  gateway.allowedCapabilities = readAllowedCapabilities(root, gateway);
  gateway.pins = readPins(root, gateway);
  settleFacts(root, gateway);
  gateway.audit = readAudit(root);
  gateway.quotas = readQuotas(root);
  readCredentialChoices(root, environment, gateway);
  gateway.clientHeaders = clientHeaders(gateway, arena);
  fingerprintServers(gateway, arena);
  return parsed;
}

function readDiscover(root: Section, gateway: Gateway): bool {
  const always = root.choice(DISCOVER, DISCOVERIES) === 1;
  if (always && gateway.hostMode === HostMode.Headers) root.mustBe(DISCOVER, WITHOUT_SESSIONS);
  return always;
}

const SHORTEST_TOKEN = 16;

/** Who may see the state of the gateway. */
function readStatus(root: Section, environment: Environment, gateway: Gateway): void {
  if (root.get(STATUS) === NONE) return;
  const known = root.problems.lines.count;
  const token = secretText(root.get(STATUS), root.placeOf(STATUS), gateway, environment, root.problems);
  if (token !== NONE && length(token) >= SHORTEST_TOKEN && isVisibleText(token)) gateway.statusToken = token;
  else if (root.problems.lines.count === known) root.mustBe(STATUS, A_TOKEN);
}

function readName(root: Section): Span {
  const name = root.text(NAME, DEFAULT_NAME);
  if (name === NONE) return DEFAULT_NAME;
  if (!isName(name)) root.mustBe(NAME, A_NAME);
  return name;
}

/** What tells gateways apart that have no name of their own: where they are served, and what they serve. */
function likeness(gateway: Gateway): u64 {
  const source = gateway.catalogSource;
  let hash = fingerprint(gateway.endpoint);
  if (source !== null) hash = combined(hash, source.fingerprint);
  for (let i = 0; i < gateway.servers.count; i++) hash = combined(hash, gateway.serverAt(i).unkeyedFingerprint);
  return hash;
}

function readEndpoint(root: Section): Span {
  const endpoint = root.text(ENDPOINT, DEFAULT_ENDPOINT);
  if (endpoint === NONE) return DEFAULT_ENDPOINT;
  const odd = indexOf(endpoint, QUESTION_MARK) >= 0 || indexOf(endpoint, HASH) >= 0 || indexOf(endpoint, PERCENT) >= 0;
  const edges = load<u8>(pointer(endpoint)) === SLASH && load<u8>(limit(endpoint) - 1) !== SLASH;
  if (odd || !edges || length(endpoint) < 2 || !isVisibleText(endpoint)) root.mustBe(ENDPOINT, AN_ENDPOINT);
  return endpoint;
}

function readLimits(root: Section): Limits {
  const section = root.section(LIMITS, LIMIT_MEMBERS);
  const limits = make<Limits>(root.arena);
  limits.heldBody = size(section, HELD_BODY, 1 << 20);
  limits.bufferedBytes = size(section, BUFFERED_BYTES, 256 << 20);
  const requestBody = section.get(REQUEST_BODY);
  limits.requestBody = requestBody === NONE || equals(requestBody, NO_LIMIT) ? 0 : size(section, REQUEST_BODY, 1);
  limits.drainBytes = size(section, DRAIN_BYTES, 64 << 10);
  limits.handshakeTimeout = duration(section, HANDSHAKE_TIMEOUT, THREE_SECONDS);
  limits.listTimeout = duration(section, LIST_TIMEOUT, FIVE_SECONDS);
  limits.callTimeout = duration(section, CALL_TIMEOUT, TEN_MINUTES);
  limits.listPages = count(section, LIST_PAGES, 100);
  limits.listBytes = size(section, LIST_BYTES, 32 << 20);
  limits.fanOut = count(section, FAN_OUT, 64);
  limits.clientInfo = size(section, CLIENT_INFO, 64 << 10);
  limits.batch = count(section, BATCH, 50);
  limits.event = size(section, EVENT, 16 << 20);
  limits.restResponse = min(size(section, REST_RESPONSE, 4 << 20), MOST_REST_RESPONSE);
  return limits;
}
