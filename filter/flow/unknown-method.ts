import { literal } from '../bytes/span';
import { Era } from '../mcp/eras';
import { Dialect } from '../model/dialects';
import { Server } from '../model/server';
import { Session } from '../session/token';
import { decidesNothing } from '../policy/decision';
import { goToTarget } from './aim';
import { dialectToTry } from './dialect';
import { Exchange, Outcome } from './exchange';
import { refuseUnoffered } from './offers';
import { isWithinQuotas } from './quotas';
import { aimAtServer } from './task';

const NO_NAME = literal('');

/**
 * A method of an extension that is not known here, in the era without sessions. It passes as it is where it can be meant
 * for one server alone, and where no rule could be passed by under another name: a server may be less strict about the
 * names of methods.
 */
export function beginUnknown(exchange: Exchange, session: Session): Outcome {
  if (!mayPass(exchange)) return refuseUnoffered(exchange);
  const server = exchange.gateway.serverAt(0);
  if (dialectToTry(exchange, server, session.revision) !== Dialect.Stateless) return refuseUnoffered(exchange);
  aimAtServer(exchange, server, NO_NAME);
  return isWithinQuotas(exchange) ? goToTarget(exchange, session) : Outcome.Reply;
}

/** Whether a method that is not known here can pass at all. */
export function mayPass(exchange: Exchange): bool {
  if (exchange.message.era !== Era.Stateless) return false;
  const gateway = exchange.gateway;
  if (gateway.sealsForCallers) return false;
  const server: Server = gateway.serverAt(0);
  return server.rest === null && decidesNothing(gateway, server, exchange.caller.scope);
}
