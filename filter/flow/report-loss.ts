import { literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Server } from '../model/server';
import { Upstream } from '../session/token';
import { Exchange } from './exchange';

const SERVER = literal('server ');
const LOST = literal(
  ': it does not know a session that it has opened. It was started anew, or several instances of it share one cluster ' +
    'that does not report which of them answers: then see docs/instances.md',
);

/**
 * Says once for every worker and configuration what may be the reason for a lost session: a message of it can have come to
 * another instance where nobody knows the one that opened it.
 */
export function reportLoss(exchange: Exchange, server: Server, lost: Upstream): void {
  if (server.reportedLoss || lost.sessionId === NONE) return;
  if (lost.endpoint !== NONE || lost.cookie !== NONE) return;
  server.reportedLoss = true;
  exchange.plan.warn(newWriter(exchange.arena, 256).bytes(SERVER).bytes(server.name).bytes(LOST).written, server);
}
