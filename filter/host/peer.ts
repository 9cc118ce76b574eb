import { scratch } from '../bytes/arena';
import { COLON } from '../bytes/ascii';
import { countOf } from '../bytes/pairs';
import { Span, first, length, literal, pointer, startsWith, NONE } from '../bytes/span';
import { Gateway } from '../model/gateway';
import { IdentityKind } from '../model/identity';
import { claimWithin } from '../config/identity';
import { Exchange } from '../flow/exchange';
import { AUTHORIZED } from '../mcp/headers';
import { answersIn } from '../policy/claims';
import { needsReach, reachOf } from '../policy/host';
import { identityOf } from '../session/audience';
import { isTextClaim, structAt } from '../session/claims';
import { HAS_NO_SUBJECT, whyRefused } from '../session/refused-token';
import { isSubject, mayBeNumber, subjectIn } from '../session/identity';
import { Level, line, log } from './log';
import { property } from './properties';

/** All of it comes as protobuf, which carries the types of claims; a part of it does not. */
const METADATA = literal('metadata');
const DESTINATION_ADDRESS = literal('destination\0address');
const SOURCE_ADDRESS = literal('source\0address');
const PROTOCOL = literal('request\0protocol');
const HTTP1 = literal('HTTP/1.');
const NO_CLAIM = literal('no identity: a claim is missing in the metadata of jwt_authn, or is not a string');
const NO_HEADER = literal('no identity: the trusted header is missing, empty, or there are several');

/** Whether a body whose length is not told comes in chunks, and not in the frames of HTTP/2. */
export function isInChunks(): bool {
  const protocol = property(PROTOCOL);
  return protocol !== NONE && startsWith(protocol, HTTP1);
}

/** What the host knows about who asks, read once per request. @param reached from where matters, whatever host is named */
export function meet(exchange: Exchange, reached: bool): void {
  if (reached || needsReach(exchange.gateway.hosts, exchange.request.authority)) {
    exchange.caller.reach = reachOf(property(DESTINATION_ADDRESS));
  }
  const kind = exchange.gateway.identity.kind;
  if (kind === IdentityKind.Jwt) bindToClaims(exchange);
  if (kind === IdentityKind.TrustedHeader) bindToHeader(exchange);
  readPayloads(exchange);
  if (exchange.gateway.quotas !== null && kind === IdentityKind.None) noteAddress(exchange);
}

/** As `127.0.0.1:1024` or `[::1]:1024`. */
function noteAddress(exchange: Exchange): void {
  const address = property(SOURCE_ADDRESS);
  let size = length(address);
  while (size > 0 && load<u8>(pointer(address) + (size as usize) - 1) !== COLON) size--;
  if (size > 1) exchange.caller.address = exchange.arena.copy(first(address, (size - 1) as u32));
}

/**
 * What rules and choices of credentials want to know of the token, and what the caller may use by a second one: one read,
 * however many there are.
 */
function readPayloads(exchange: Exchange): void {
  const gateway = exchange.gateway;
  const asksForClaims = gateway.identity.kind === IdentityKind.Jwt && gateway.claims.count > 0;
  const allowed = gateway.allowedCapabilities;
  if (!asksForClaims && allowed === null) return;
  const metadata = property(METADATA);
  const arena = exchange.arena;
  if (asksForClaims) {
    exchange.caller.answers = answersIn(gateway.claims, structAt(metadata, gateway.identity.payload, scratch), arena);
  }
  if (allowed === null) return;
  const payload = structAt(metadata, allowed.payload, arena);
  const lines = countOf(exchange.request.pairs, AUTHORIZED, scratch);
  exchange.caller.readAllowed(allowed, payload, lines, gateway.servers.count, arena);
}

function bindToClaims(exchange: Exchange): void {
  const identity = exchange.gateway.identity;
  const subject = claim(identity.subject);
  const issuer = claim(identity.issuer);
  if (subject !== NONE && issuer !== NONE) {
    exchange.caller.identity = identityOf(issuer, subject, exchange.arena);
    return;
  }
  exchange.caller.identity = NONE;
  exchange.caller.tokenFault = faultOfToken(exchange.gateway);
  log(Level.Debug, line().bytes(NO_CLAIM).written, exchange.gateway.logLevel);
}

/** Only where the filter is ours that has looked at it: another one leaves nothing that could be read. */
function faultOfToken(gateway: Gateway): Span {
  const resource = gateway.resource;
  if (resource === null || resource.issuers === 0) return NONE;
  const metadata = property(METADATA);
  if (metadata === NONE) return NONE;
  if (structAt(metadata, gateway.identity.payload, scratch) !== NONE) return HAS_NO_SUBJECT;
  return whyRefused(metadata, resource.issuers, scratch);
}

/** The text of a claim, or NONE where it is anything else. @param path see `claimPath` */
function claim(path: Span): Span {
  const text = property(path);
  if (!isSubject(text)) return NONE;
  if (mayBeNumber(text) && !isTextClaim(property(METADATA), claimWithin(path), scratch)) return NONE;
  return text;
}

function bindToHeader(exchange: Exchange): void {
  const subject = subjectIn(exchange.request.pairs, exchange.gateway.identity.header, scratch);
  if (subject !== NONE) {
    exchange.caller.identity = identityOf(NONE, subject, exchange.arena);
    return;
  }
  exchange.caller.identity = NONE;
  log(Level.Debug, line().bytes(NO_HEADER).written, exchange.gateway.logLevel);
}
