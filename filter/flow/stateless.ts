import { QUOTE } from '../bytes/ascii';
import { make, scratch } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { textOf, writeEscaped } from '../json/text';
import { Reason } from '../mcp/errors';
import { textOfHeader } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { Era, eraOfRequest } from '../mcp/eras';
import { methodOf, methodRow } from '../mcp/methods';
import { Revision, STATELESS_JSON } from '../mcp/revisions';
import { Upstream } from '../session/token';
import { aimAt, cutPrefix } from './call';
import { checkAccess, refuseMethod, refuseVersion } from './access';
import { Exchange, Outcome } from './exchange';
import { isSound } from './passing';
import { isWithinQuotas } from './quotas';
import { sendOn } from './send-on';

/**
 * Requests of the stateless revision (MCP 2026-07-28, HTTP headers), decided on by `Mcp-Method` and `Mcp-Name` alone,
 * before the body has come. What the body says is then held against them, and it is cut off before its end where they
 * differ: a server that goes by the body would run what nobody decided on.
 */
const ALLOWED = literal('POST');
const NULL = literal('null');
const NO_BODY = literal('there is none');
const NO_METHOD = literal('there is not exactly one Mcp-Method');
const NO_NAME = literal('there is not exactly one Mcp-Name');
const BAD_NAME = literal('Mcp-Name is in none of its two forms');
const OTHER_METHOD = literal('Mcp-Method');
const OTHER_NAME = literal('Mcp-Name');
const OTHER_VERSION = literal('MCP-Protocol-Version');

/** @param behind what follows the endpoint in the path. @param ended there is no body */
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
  if (request.mcpMethod === NONE) return exchange.refuse(Reason.HeaderMismatch, NO_METHOD);
  exchange.message.method = methodOf(request.mcpMethod);
  const row = methodRow(exchange.message.method);
  if ((row.eras & exchange.message.era) === 0) return exchange.refuse(Reason.ModernMethodNotFound, request.mcpMethod);
  if (request.mcpName === NONE) return exchange.refuse(Reason.HeaderMismatch, NO_NAME);
  const name = textOfHeader(request.mcpName, exchange.arena);
  if (name === NONE) return exchange.refuse(Reason.HeaderMismatch, BAD_NAME);
  exchange.named = name;
  if (aimAt(exchange, name, Reason.StatelessUnknownTool) === null) return Outcome.Reply;
  if (ended) return exchange.refuse(Reason.ParseError, NO_BODY);
  if (!isWithinQuotas(exchange)) return Outcome.Reply;
  const upstream = make<Upstream>(exchange.arena);
  upstream.revision = Revision.V2026_07_28;
  return sendOn(exchange, upstream);
}

/** Whether the name has come by which the prefix can be taken out. */
export function hasName(exchange: Exchange): bool {
  return exchange.message.envelope.isRoutableWithin(u32.MAX_VALUE);
}

/** Whether the name in the body is that of the header; then `target` knows where its prefix stands. @param body so far */
export function confirmsName(exchange: Exchange, body: Span): bool {
  const envelope = exchange.message.envelope;
  if (envelope.method !== exchange.message.method) return differs(exchange, OTHER_METHOD);
  const token = envelope.keyIn(body);
  const name: Span = textOf(token, scratch);
  if (name === NONE || !equals(name, exchange.named)) return differs(exchange, OTHER_NAME);
  cutPrefix(exchange.target, envelope.key, token);
  return true;
}

/** Whether nothing that was read contradicts the decision so far. If not, `exchange.reply` says why. */
export function confirmsHeaders(exchange: Exchange, ended: bool): bool {
  const envelope = exchange.message.envelope;
  if (!isSound(exchange, ended)) return false;
  if (!ended) return true;
  if (envelope.method !== exchange.message.method) return differs(exchange, OTHER_METHOD);
  if (!hasName(exchange)) return differs(exchange, OTHER_NAME);
  return envelope.claimIsStateless || differs(exchange, OTHER_VERSION);
}

function differs(exchange: Exchange, header: Span): bool {
  exchange.refuse(Reason.HeaderMismatch, header);
  return false;
}

function asJson(text: Span): Span {
  if (text === NONE) return NULL;
  const writer = newWriter(scratch, 32).byte(QUOTE);
  writeEscaped(writer, text);
  return writer.byte(QUOTE).written;
}
