import { Closing } from '../body/closing';
import { KeptBody } from '../body/kept-body';
import { make, scratch } from '../bytes/arena';
import { Span, after, equals, first, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Era, eraOfRequest } from '../mcp/eras';
import { MethodKind, methodOf, methodRow } from '../mcp/methods';
import { Noun } from '../mcp/nouns';
import { Revision, STATELESS_JSON } from '../mcp/revisions';
import { Server } from '../model/server';
import { Upstream } from '../session/token';
import { aimAt, plainNameIn, serverOf, toServerName } from './call';
import { checkAccess, refuseMethod, refuseVersion } from './access';
import { isRefused, refuseCredential } from './credentials';
import { Exchange, Outcome } from './exchange';
import { exceedsRequestBody, refuseTooLarge } from './limits';
import { isForOwnTool } from './own-tools';
import { confirms, hasComeWhole, passEnd } from './passing';
import { isWithinQuotas } from './quotas';
import { beginningWithState } from './request-state';
import { sendOn } from './send-on';
import { asJson, hasName, isDecided, refuseMethodHeader, takesName } from './stateless';

/**
 * Host mode `headers`: what the headers of a request without a session say decides where that is enough, before the body
 * has come. What the body says is then held against them, and it is cut off before its end where they differ. All other
 * requests are read first, as in `hold`.
 */
const ALLOWED = literal('POST');
const NO_BODY = literal('there is none');
const EMPTY = literal('');

/** `ReadBody`: the headers do not say enough. @param behind what follows the endpoint in the path. @param ended no body */
export function enterByHeaders(exchange: Exchange, behind: Span, ended: bool): Outcome {
  const request = exchange.request;
  const outcome = checkAccess(exchange, behind);
  if (outcome !== Outcome.ReadBody) return outcome;
  if (!equals(request.method, header.POST)) return refuseMethod(exchange, ALLOWED);
  const version = request.protocolVersion;
  exchange.message.era = eraOfRequest(false, false, version);
  if (exchange.message.era !== Era.Stateless) {
    return refuseVersion(exchange, Reason.StatelessVersionOnly, asJson(version), STATELESS_JSON);
  }
  if (request.mcpMethod === NONE) return refuseMethodHeader(exchange);
  exchange.message.method = methodOf(request.mcpMethod);
  const row = methodRow(exchange.message.method);
  // Only the body can say whether a method that does not exist is meant.
  if (!row.isServedIn(exchange.message.era) || row.kind !== MethodKind.Named) return Outcome.ReadBody;
  if (!request.hasMcpName && !row.needsNameHeader) return Outcome.ReadBody;
  if (!takesName(exchange)) return Outcome.Reply;
  if (asksForFacts(exchange)) return Outcome.ReadBody;
  if (isForOwnTool(exchange, exchange.named)) return Outcome.ReadBody;
  const target = aimAt(exchange, exchange.named, exchange.noun.unknown);
  if (target === null) return Outcome.Reply;
  if (target.server.dialect.takesWhole) return Outcome.ReadBody;
  if (ended) return exchange.refuse(Reason.ParseError, NO_BODY);
  if (!isWithinQuotas(exchange)) return Outcome.Reply;
  if (isRefused(target.server)) return refuseCredential(exchange, target.server);
  const upstream = make<Upstream>(exchange.arena);
  upstream.revision = Revision.V2026_07_28;
  return sendOn(exchange, upstream);
}

/**
 * What goes on of a body in the place of its next part, until its name has come: nothing, and then its beginning with the
 * server's name. NONE: it is cut off, and `plan.reply` says why.
 * @param kept all that has come @param part that was read last, which is in it @param ended no part comes behind it
 */
export function passBeginning(exchange: Exchange, kept: KeptBody, closing: Closing, part: Span, ended: bool): Span {
  const message = exchange.message;
  const envelope = message.envelope;
  message.passed += length(part) as u64;
  if (exceedsRequestBody(exchange, message.passed)) return NONE;
  const last = ended || hasComeWhole(exchange);
  if (!confirms(exchange, last || envelope.isClosed)) return NONE;
  // Nor while it ends in the middle of what has to be put in place of another.
  if (!hasName(exchange) || envelope.isInState) {
    if (kept.read <= exchange.gateway.limits.heldBody) return EMPTY;
    refuseTooLarge(exchange, kept.read as u64);
    return NONE;
  }
  if (!confirmsName(exchange, kept.bytes)) return NONE;
  const passing = beginningWithState(exchange, kept.bytes, withServerName(exchange, kept.bytes));
  if (passing === NONE || !envelope.isClosed) return passing;
  return passEnd(exchange, closing, part, passing, false, last);
}

/** Whether the name in the body is that of the header; then `target` knows where its prefix stands. @param body so far */
function confirmsName(exchange: Exchange, body: Span): bool {
  const message = exchange.message;
  message.body = body;
  if (!isDecided(exchange)) return false;
  toServerName(exchange.target, message.envelope.key, message.envelope.keyIn(body), exchange.arena);
  message.isNamed = true;
  return true;
}

function withServerName(exchange: Exchange, body: Span): Span {
  const target = exchange.target;
  return newWriter(scratch, length(body) as usize)
    .bytes(first(body, target.cutFrom))
    .bytes(target.put)
    .bytes(after(body, target.cutTo)).written;
}

/** Whether the definition of the tool decides: what is known of it may have to be fetched. */
function asksForFacts(exchange: Exchange): bool {
  if (exchange.noun.noun !== Noun.Tools) return false;
  const plainName = plainNameIn(exchange.caller.scope, exchange.gateway, exchange.named);
  const server: Server | null = plainName === NONE ? null : serverOf(exchange.gateway, plainName);
  return server !== null && server.asksForFacts;
}
