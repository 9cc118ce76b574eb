import { COMMA, QUOTE, SPACE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { headerIn } from '../bytes/pairs';
import { Span, equalsIgnoringCase, first, length, literal, startsWith, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import * as header from '../mcp/headers';
import { Reason } from '../mcp/errors';
import { AuthorizationRule } from '../model/authorization';
import { Server } from '../model/server';
import { HAS_OTHER_SPELLING } from '../session/refused-token';
import { Exchange, Outcome } from './exchange';
import { metadataUrl } from './metadata-url';

/** Refusals that tell a client how to come back with a better token, in WWW-Authenticate (RFC 9110 §11.6.1). */

const ERROR = literal('error');
const ERROR_DESCRIPTION = literal('error_description');
const SCOPE = literal('scope');
const RESOURCE_METADATA = literal('resource_metadata');
const OPEN = literal('="');
const INVALID_TOKEN = literal('invalid_token');
const INSUFFICIENT_SCOPE = literal('insufficient_scope');
const BEARER_AND_SPACE = literal('bearer ');
const NEEDS = literal(' needs ');

/** Nobody is known to ask, where the configuration wants to know. */
export function refuseUnidentified(exchange: Exchange): Outcome {
  const fault = faultOfToken(exchange);
  const outcome =
    fault === NONE ? exchange.refuse(Reason.Unauthenticated) : exchange.refuse(Reason.TokenNotGood, fault);
  const resource = exchange.gateway.resource;
  return challenge(
    exchange,
    outcome,
    fault !== NONE || sentToken(exchange) ? INVALID_TOKEN : NONE,
    resource === null ? NONE : resource.scopes,
    fault,
  );
}

/** Why the token is not good, or NONE: there is none, or nobody says. */
function faultOfToken(exchange: Exchange): Span {
  const fault = exchange.caller.tokenFault;
  const resource = exchange.gateway.resource;
  if (fault !== NONE || resource === null || resource.issuers === 0 || !sentToken(exchange)) return fault;
  return startsWith(sentCredentials(exchange), header.BEARER) ? NONE : HAS_OTHER_SPELLING;
}

/** RFC 6750 §3.1: what is asked for needs scopes that the token has not. @param rule that says so */
export function refuseScopes(exchange: Exchange, server: Server, rule: AuthorizationRule): Outcome {
  const detail = newWriter(scratch, 128).bytes(exchange.name).bytes(NEEDS).bytes(rule.scopeText).written;
  const outcome = exchange.refuse(Reason.Forbidden, detail, server.name);
  return challenge(exchange, outcome, INSUFFICIENT_SCOPE, rule.scopeText);
}

/**
 * RFC 6750 §3, RFC 9728 §5.1. @param error its code, or NONE. @param scopes a space between; NONE or empty: none to name
 * @param description of the error, or NONE
 */
function challenge(exchange: Exchange, outcome: Outcome, error: Span, scopes: Span, description: Span = NONE): Outcome {
  const value = newWriter(exchange.arena, 256).bytes(header.BEARER);
  parameter(value, ERROR, error);
  parameter(value, ERROR_DESCRIPTION, description);
  parameter(value, SCOPE, scopes);
  parameter(value, RESOURCE_METADATA, metadataUrl(exchange, scratch));
  exchange.plan.reply.headers.add(header.WWW_AUTHENTICATE, value.written);
  return outcome;
}

/** @param value needs no escape in a quoted string */
function parameter(challenge: Writer, name: Span, value: Span): void {
  if (length(value) === 0) return;
  if (challenge.size > length(header.BEARER)) challenge.byte(COMMA);
  challenge.byte(SPACE).bytes(name).bytes(OPEN).bytes(value).byte(QUOTE);
}

/** It has one, then, that was not found good. */
function sentToken(exchange: Exchange): bool {
  const sent = sentCredentials(exchange);
  return length(sent) > 7 && equalsIgnoringCase(first(sent, 7), BEARER_AND_SPACE);
}

function sentCredentials(exchange: Exchange): Span {
  return headerIn(exchange.request.pairs, header.AUTHORIZATION, scratch);
}
