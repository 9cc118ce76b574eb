import { QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { literal } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import * as header from '../mcp/headers';
import { Reason } from '../mcp/errors';
import { AuthorizationRule } from '../model/authorization';
import { Server } from '../model/server';
import { Exchange, Outcome } from './exchange';

/** Refusals that tell a client how to come back with a better token, in WWW-Authenticate (RFC 9110 §11.6.1). */

const SCOPE_PARAMETER = literal(' error="insufficient_scope", scope="');
const NEEDS = literal(' needs ');

/** Nobody is known to ask, where the configuration wants to know. */
export function refuseUnidentified(exchange: Exchange): Outcome {
  const outcome = exchange.refuse(Reason.Unauthenticated);
  exchange.reply.headers.add(header.WWW_AUTHENTICATE, header.BEARER);
  return outcome;
}

/** RFC 6750 §3.1: what is asked for needs scopes that the token has not. @param rule that says so */
export function refuseScopes(exchange: Exchange, server: Server, rule: AuthorizationRule): Outcome {
  const detail = newWriter(scratch, 128).bytes(exchange.name).bytes(NEEDS).bytes(rule.scopeText).written;
  const outcome = exchange.refuse(Reason.Forbidden, detail, server.name);
  const challenge = newWriter(exchange.arena, 128).bytes(header.BEARER).bytes(SCOPE_PARAMETER);
  exchange.reply.headers.add(header.WWW_AUTHENTICATE, challenge.bytes(rule.scopeText).byte(QUOTE).written);
  return outcome;
}
