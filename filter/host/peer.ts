import { scratch } from '../bytes/arena';
import { literal, NONE } from '../bytes/span';
import { IdentityKind } from '../config/gateway';
import { Exchange } from '../flow/exchange';
import { needsReach, reachOf } from '../policy/host';
import { identityOf } from '../session/audience';
import { isSubject, subjectIn } from '../session/identity';
import { Level, line, log } from './log';
import { property } from './properties';

const DESTINATION_ADDRESS = literal('destination\0address');
const NO_CLAIM = literal('no identity: a claim is missing in the metadata of jwt_authn, or is not a string');
const NO_HEADER = literal('no identity: the trusted header is missing, empty, or there are several');

/** What the host knows about who asks, read once per request. */
export function meet(exchange: Exchange): void {
  if (needsReach(exchange.gateway.hosts, exchange.request.authority)) {
    exchange.reach = reachOf(property(DESTINATION_ADDRESS));
  }
  const kind = exchange.gateway.identity.kind;
  if (kind === IdentityKind.Jwt) bindToClaims(exchange);
  else if (kind === IdentityKind.TrustedHeader) bindToHeader(exchange);
}

function bindToClaims(exchange: Exchange): void {
  const identity = exchange.gateway.identity;
  const subject = property(identity.subject);
  const issuer = property(identity.issuer);
  if (isSubject(subject) && isSubject(issuer)) {
    exchange.identity = identityOf(issuer, subject, exchange.arena);
    return;
  }
  exchange.identity = NONE;
  log(Level.Debug, line().bytes(NO_CLAIM).written, exchange.gateway.logLevel);
}

function bindToHeader(exchange: Exchange): void {
  const subject = subjectIn(exchange.request.pairs, exchange.gateway.identity.header, scratch);
  if (subject !== NONE) {
    exchange.identity = identityOf(NONE, subject, exchange.arena);
    return;
  }
  exchange.identity = NONE;
  log(Level.Debug, line().bytes(NO_HEADER).written, exchange.gateway.logLevel);
}
