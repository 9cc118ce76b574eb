import { literal } from '../bytes/span';
import { Reason } from '../mcp/errors';
import { MethodKind, methodRow } from '../mcp/methods';
import { mayOffer, mayReach } from '../policy/decision';
import { ANYTHING, Session, Upstream } from '../session/token';
import { knownUpstream } from './dialect';
import { Exchange, Outcome } from './exchange';
import { lacksHeaderParams, sendWithHeaderParams } from './header-params';
import { withoutSession } from './rest-call';
import { sendOn } from './send-on';
import { refuseTask } from './task-id';

/** A method is sent to servers alone that offer it; one that no server offers does not exist (MCP lifecycle, capabilities). */

export const NO_COMPLETIONS = literal('{"completion":{"values":[]}}');

/**
 * Whether some server that this request may know of offers it, as far as is known: one without a part in the session may
 * offer anything. Where a request may know of none, what it asks for is there and empty, as what is hidden is.
 */
export function isOffered(exchange: Exchange, session: Session, capability: u32): bool {
  const gateway = exchange.gateway;
  let reached = false;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (!mayReach(server, exchange.caller.scope)) continue;
    reached = true;
    const upstream = knownUpstream(exchange, session, server);
    if (((upstream === null ? ANYTHING : upstream.offers) & capability) !== 0) return true;
  }
  return !reached;
}

/** All that is offered by servers that this request may know of, as far as is known: bits of Capability. */
export function offersOf(exchange: Exchange, session: Session): u32 {
  let offers: u32 = 0;
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    const more = mayOffer(server, exchange.caller.scope) & ~offers;
    if (more === 0) continue;
    const upstream = server.dialect.isReady
      ? withoutSession(server, exchange)
      : knownUpstream(exchange, session, server);
    offers |= more & (upstream === null ? ANYTHING : upstream.offers);
  }
  return offers;
}

export function refuseUnoffered(exchange: Exchange): Outcome {
  return exchange.refuse(Reason.MethodNotFound, exchange.message.envelope.methodIn(exchange.message.body));
}

/** Sends a message on to the server of its target, which has to offer it. */
export function sendToOffering(exchange: Exchange, session: Session, upstream: Upstream): Outcome {
  const row = methodRow(exchange.message.method);
  const capability = row.capability;
  if ((upstream.offers & capability) === capability) {
    return lacksHeaderParams(exchange, upstream)
      ? sendWithHeaderParams(exchange, upstream)
      : sendOn(exchange, upstream);
  }
  if (!isOffered(exchange, session, capability)) return refuseUnoffered(exchange);
  if (row.kind === MethodKind.Task) return refuseTask(exchange, exchange.target.name);
  // Another server has completions, so clients ask for those of all.
  if (row.kind === MethodKind.Ref) {
    return exchange.answerResult(NO_COMPLETIONS);
  }
  const noun = exchange.noun;
  return capability === noun.capability ? exchange.refuse(noun.unknown, exchange.name) : refuseUnoffered(exchange);
}
