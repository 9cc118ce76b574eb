import { make } from '../bytes/arena';
import { literal } from '../bytes/span';
import { Era } from '../mcp/eras';
import { onlyReachable } from '../policy/decision';
import { Session } from '../session/token';
import { goToTarget } from './aim';
import { eraToTry } from './dialect';
import { Exchange, Outcome, Target } from './exchange';
import { endListening } from './listening-end';

const NO_NAME = literal('');

/**
 * `subscriptions/listen` (MCP 2026-07-28): one stream comes from one server, and a filter cannot make one of several. So it
 * passes where one server alone can be meant that has such streams; else what can be honoured is acknowledged, which is
 * nothing, and it ends: clients learn of changes by asking again.
 */
export function beginListen(exchange: Exchange, session: Session): Outcome {
  const server = onlyReachable(exchange.gateway, exchange.caller.scope);
  if (server === null || eraToTry(exchange, server, session.revision) !== Era.Stateless) return endListening(exchange);
  const target = make<Target>(exchange.arena);
  target.server = server;
  target.name = NO_NAME;
  exchange.target = target;
  exchange.server = server;
  return goToTarget(exchange, session);
}
