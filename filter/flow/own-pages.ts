import { CLOSING_BRACE, CLOSING_BRACKET, COMMA, QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { readPairs } from '../bytes/pairs';
import { Span, after, equals, equalsIgnoringCase, first, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { writeEscaped } from '../json/text';
import { errorRow, LAST_REASON, Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { CredentialKind } from '../model/credentials';
import { LAST_LIMIT, limitName } from '../model/limit';
import { Server } from '../model/server';
import { Reach } from '../policy/host';
import { backoffOf, Backoff } from '../session/backoff';
import { lastFailure } from '../session/failures';
import { lastMet, readLimits, timesMet } from '../session/limits-met';
import { PRODUCT } from '../version';
import { checkCaller, refuseMethod } from './access';
import { writeCatalog } from './catalog-status';
import { beginDefinitions } from './definitions-page';
import { Exchange, Outcome } from './exchange';
import { pinStateOf } from './pins';

/**
 * What the gateway says of itself, below `<endpoint>/-/`: whether it is configured, for load balancers; its state, and the
 * definitions of all tools, for operators. No virtual server can be called `-`.
 */
const HEALTH = literal('/-/health');
const STATUS = literal('/-/status');
const DEFINITIONS = literal('/-/definitions');

const ALLOWED = literal('GET, HEAD');
const HEALTHY = literal('{"status":"ok"}');
const UNREADY = literal('{"status":"catalog_unready"}');
const GET_WITH_BODY = literal('a GET with a body');
const BEARER = literal('Bearer ');
const CHALLENGE = literal('Bearer realm="status"');

/** `ReadBody`: the path is no such page, or none that this configuration has. @param behind see `behindEndpoint`. @param ended there is no body */
export function enterOwnPages(exchange: Exchange, behind: Span, ended: bool): Outcome {
  if (equals(behind, HEALTH)) return isRead(exchange) ? health(exchange) : refuseMethod(exchange, ALLOWED);
  if (!isForOperator(behind)) return Outcome.ReadBody;
  const outcome = checkCaller(exchange);
  if (outcome !== Outcome.ReadBody) return outcome;
  if (!isRead(exchange)) return refuseMethod(exchange, ALLOWED);
  if (exchange.gateway.statusToken === NONE) return exchange.refuse(Reason.StatusNotConfigured);
  if (exchange.caller.reach !== Reach.Loopback && !hasToken(exchange)) {
    const refused = exchange.refuse(Reason.StatusForbidden);
    exchange.plan.reply.headers.add(header.WWW_AUTHENTICATE, CHALLENGE);
    return refused;
  }
  if (equals(behind, STATUS)) return exchange.answer(200, document(exchange));
  // What waits for servers cannot read on meanwhile.
  if (!ended) return exchange.refuse(Reason.InvalidRequest, GET_WITH_BODY);
  return beginDefinitions(exchange, hasToken(exchange));
}

/** A gateway that has nothing to serve yet is none that a load balancer should choose. */
function health(exchange: Exchange): Outcome {
  return exchange.gateway.servers.count > 0 ? exchange.answer(200, HEALTHY) : exchange.answer(503, UNREADY);
}

/** Whether it is a page for who runs the gateway, so that it has to be known from where it is asked for. */
export function isForOperator(behind: Span): bool {
  return equals(behind, STATUS) || equals(behind, DEFINITIONS);
}

function isRead(exchange: Exchange): bool {
  const method = exchange.request.method;
  return equals(method, header.GET) || equals(method, HEAD);
}

const HEAD = literal('HEAD');

function hasToken(exchange: Exchange): bool {
  let found = false;
  for (const pairs = readPairs(exchange.request.pairs, scratch); pairs.next();) {
    if (!equals(pairs.name, header.AUTHORIZATION)) continue;
    const value = pairs.value;
    const isBearer = length(value) > length(BEARER) && equalsIgnoringCase(first(value, BEARER as u32), BEARER);
    if (isBearer && isSecret(after(value, BEARER as u32), exchange.gateway.statusToken)) found = true;
  }
  return found;
}

/** Takes as long whatever the first difference is, so that no token can be guessed byte by byte. */
function isSecret(sent: Span, token: Span): bool {
  if (length(sent) !== length(token)) return false;
  let difference: u32 = 0;
  for (let i: usize = 0; i < (length(token) as usize); i++) {
    difference |= load<u8>(pointer(sent) + i) ^ load<u8>(pointer(token) + i);
  }
  return difference === 0;
}

const GATEWAY = literal('{"gateway":"');
const VERSION = literal('","version":"');
const CONFIGURATION = literal('","configuration":"');
const SERVERS = literal('","servers":[');
const CATALOG = literal(',"catalog":');
const LIMITS = literal(',"limits":[');
const CLOSE = literal(']}');

function document(exchange: Exchange): Span {
  const gateway = exchange.gateway;
  const writer = newWriter(exchange.arena, 1024).bytes(GATEWAY);
  writeEscaped(writer, gateway.name);
  writer.bytes(VERSION).bytes(PRODUCT).bytes(CONFIGURATION).hex(gateway.digest).bytes(SERVERS);
  for (let i = 0; i < gateway.servers.count; i++) {
    if (i > 0) writer.byte(COMMA);
    writeServer(writer, gateway.serverAt(i), exchange);
  }
  writer.byte(CLOSING_BRACKET);
  const source = gateway.catalogSource;
  if (source !== null) writeCatalog(writer.bytes(CATALOG), source, gateway, scratch);
  writeLimits(writer.bytes(LIMITS), exchange);
  return writer.bytes(CLOSE).written;
}

const NAME = literal('{"name":"');
const STATE = literal('","state":"');
const OK = literal('ok');
const UNREACHABLE = literal('unreachable');
const HANGING = literal('hanging');
const PER_CALLER = literal('depends on the caller');
const LAST_FAILURE = literal(',"lastFailure":{"reason":"');
const DETAIL = literal('","detail":"');
const AT = literal(',"at":');
const PINS = literal(',"pins":');

function writeServer(writer: Writer, server: Server, exchange: Exchange): void {
  const keys = exchange.gateway.keys;
  writer.bytes(NAME).bytes(server.name).bytes(STATE).bytes(stateOf(server, exchange)).byte(QUOTE);
  const failure = lastFailure(server.stateFingerprint, keys, scratch);
  if (failure !== null && failure.reason <= LAST_REASON) {
    writer.bytes(LAST_FAILURE).bytes(errorRow(failure.reason).name).bytes(DETAIL);
    writeEscaped(writer, failure.detail);
    writer
      .byte(QUOTE)
      .bytes(AT)
      .decimal(failure.at as u64)
      .byte(CLOSING_BRACE);
  }
  const pins = pinStateOf(exchange, server);
  if (pins !== NONE) writer.bytes(PINS).bytes(pins);
  writer.byte(CLOSING_BRACE);
}

const TIMES = literal('","times":');

/** Those that requests have met. */
function writeLimits(writer: Writer, exchange: Exchange): void {
  const entry = readLimits(exchange.gateway.keys, scratch);
  let isFirst = true;
  for (let limit = 1; limit <= LAST_LIMIT; limit++) {
    const times = timesMet(entry, limit);
    if (times === 0) continue;
    if (!isFirst) writer.byte(COMMA);
    isFirst = false;
    writer
      .bytes(NAME)
      .bytes(limitName(limit))
      .bytes(TIMES)
      .decimal(times as u64)
      .bytes(AT)
      .decimal(lastMet(entry, limit) as u64)
      .byte(CLOSING_BRACE);
  }
}

function stateOf(server: Server, exchange: Exchange): Span {
  if (server.credentials.isOfClient || server.credentials.kind === CredentialKind.Choice) return PER_CALLER;
  switch (backoffOf(server.fingerprint, NONE, exchange.seconds, exchange.gateway.keys, scratch)) {
    case Backoff.Unreachable:
      return UNREACHABLE;
    case Backoff.Hanging:
      return HANGING;
    default:
      return OK;
  }
}
