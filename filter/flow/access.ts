import { scratch } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { hasPassed } from '../upstream/via';
import * as header from '../mcp/headers';
import { Reason } from '../mcp/errors';
import { isHostAllowed } from '../policy/host';
import { isOriginAllowed } from '../policy/origin';
import { answersIn } from '../policy/claims';
import { permissionsOf } from '../policy/permissions';
import { Scope, scopeOf } from '../policy/scope';
import { audienceOf } from '../session/audience';
import { preflight } from './cors';
import { chooseCredentials } from './credentials';
import { refuseUnidentified } from './challenge';
import { Exchange, Outcome } from './exchange';

const WITHOUT_STREAM = literal('POST, DELETE');
const SUPPORTED = literal(',"supported":');
const REQUESTED = literal(',"requested":');

/**
 * Everything that the headers of any request have to pass: who asks, from where, and what it may see. `ReadBody` where
 * all checks pass. @param behind what follows the endpoint in the path
 */
export function checkAccess(exchange: Exchange, behind: Span): Outcome {
  const request = exchange.request;
  const gateway = exchange.gateway;
  const outcome = checkCaller(exchange);
  if (outcome !== Outcome.ReadBody) return outcome;
  if (request.via !== NONE && hasPassed(request.via, gateway.via)) return exchange.refuse(Reason.Loop, request.via);
  if (lacksIdentity(exchange)) return refuseUnidentified(exchange);
  if (exchange.caller.hasOthersList) return exchange.refuse(Reason.OtherSubject);
  if (gateway.servers.count === 0) return exchange.awaitCatalog();
  const scope = scopeOf(gateway, behind, request.virtualServer, exchange.arena);
  if (scope.refusal !== NONE) return exchange.refuse(Reason.UnknownVirtualServer, scope.refusal);
  narrow(exchange, scope);
  exchange.caller.scope = scope;
  chooseCredentials(exchange);
  exchange.caller.scoped = scope.name;
  exchange.caller.audience = audienceOf(
    gateway.name,
    gateway.endpoint,
    scope.named,
    exchange.caller.identity,
    exchange.arena,
  );
  return Outcome.ReadBody;
}

/** By who asks: what the header lists, and the authorization rules, where there are some. */
function narrow(exchange: Exchange, scope: Scope): void {
  scope.allowed = exchange.caller.allowed;
  const authorization = exchange.gateway.authorization;
  if (authorization === null) return;
  const known = exchange.caller.answers;
  const answers = known === null ? answersIn(exchange.gateway.claims, NONE, exchange.arena) : known;
  scope.permissions = permissionsOf(authorization, answers, scope.path, scope.header, exchange.arena);
}

/** @param allowed the methods that are served here, for the Allow header (RFC 9110 §15.5.6) */
export function refuseMethod(exchange: Exchange, allowed: Span): Outcome {
  return refuseFor(exchange, Reason.MethodNotAllowed, exchange.request.method, allowed);
}

/** The same for another reason. */
export function refuseFor(exchange: Exchange, reason: Reason, detail: Span, allowed: Span): Outcome {
  const outcome = exchange.refuse(reason, detail);
  exchange.plan.reply.headers.add(header.ALLOW, allowed);
  return outcome;
}

/** MCP transports: 405 says that this session has no event stream, and every client takes it without a word. */
export function refuseStream(exchange: Exchange): Outcome {
  return refuseMethod(exchange, WITHOUT_STREAM);
}

/** @param requested JSON. @param supported JSON, what is spoken here */
export function refuseVersion(exchange: Exchange, reason: Reason, requested: Span, supported: Span): Outcome {
  const more = newWriter(scratch, 256).bytes(SUPPORTED).bytes(supported).bytes(REQUESTED);
  more.bytes(requested);
  return exchange.refuse(reason, requested, NONE, more.written);
}

/**
 * Who may speak to the gateway at all, before anything that it was asked is looked at: `ReadBody` where all checks pass.
 * A preflight carries no credentials (Fetch §4.8), so it is answered before an identity is asked for.
 */
export function checkCaller(exchange: Exchange): Outcome {
  const request = exchange.request;
  const gateway = exchange.gateway;
  if (!isHostAllowed(gateway.hosts, request.authority, exchange.caller.reach)) {
    return exchange.refuse(Reason.HostForbidden, request.authority);
  }
  if (request.origins === 0) return Outcome.ReadBody;
  // Where there are several, each reader may believe another one.
  if (request.origins > 1 || !isOriginAllowed(gateway.origins, request.origin, request.authority)) {
    return exchange.refuse(Reason.OriginForbidden, request.origin);
  }
  exchange.caller.page = request.origin;
  return equals(request.method, header.OPTIONS) ? preflight(exchange) : Outcome.ReadBody;
}

/** Whether an identity is asked for and was not found. */
function lacksIdentity(exchange: Exchange): bool {
  return exchange.caller.identity === NONE;
}
