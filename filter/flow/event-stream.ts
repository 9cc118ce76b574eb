import { make, scratch } from '../bytes/arena';
import { headerIn } from '../bytes/pairs';
import { literal, NONE } from '../bytes/span';
import * as header from '../mcp/headers';
import { Server } from '../model/server';
import { mayReach, onlyReachable } from '../policy/decision';
import { EventId, openEventId } from '../session/event-id';
import { upstreamOf } from '../session/overlay';
import { Session } from '../session/token';
import { serverOf } from './asker';
import { goToTarget } from './aim';
import { answerWithoutStream, tellsOfLists } from './changed-lists';
import { Exchange, Outcome } from './exchange';
import { Target } from './target';

const EMPTY = literal('');

/**
 * GET: the event stream in which servers tell and ask a client what belongs to no request of its own. One stream comes
 * from one server, and a filter cannot make one of several: so it passes where one server alone can be meant. Else the
 * client is told of changed lists, see changed-lists.ts, or there is none (405, MCP transports), which every client takes
 * without a word.
 *
 * With `Last-Event-ID` a stream goes on that broke off, of whatever kind: that of the server which the id names. An id that
 * is not of this session names none.
 */
export function beginEventStream(exchange: Exchange, session: Session): Outcome {
  const resumed = resumedEvent(exchange, session);
  const server = resumed === null ? onlyServer(exchange, session) : serverOf(exchange, session, resumed.fingerprint);
  if (server === null) return answerWithoutStream(exchange);
  exchange.lastEventId = resumed === null ? NONE : resumed.original;
  const target = make<Target>(exchange.arena);
  target.server = server;
  target.name = EMPTY;
  exchange.target = target;
  exchange.server = server;
  exchange.message.whole = true;
  return goToTarget(exchange, session);
}

function resumedEvent(exchange: Exchange, session: Session): EventId | null {
  const id = headerIn(exchange.request.pairs, header.LAST_EVENT_ID, scratch);
  return id === NONE ? null : openEventId(session, id, exchange.arena);
}

/**
 * The one server that this request may reach; else, where the client is not told of changed lists, the one that the session
 * is with; else null. `initialize` has said what it is told of, and which servers join later must not change that.
 */
function onlyServer(exchange: Exchange, session: Session): Server | null {
  const gateway = exchange.gateway;
  const only = onlyReachable(gateway, exchange.caller.scope);
  if (only !== null || tellsOfLists(gateway, session.revision)) return only;
  let found: Server | null = null;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (!server.dialect.isMcp || !mayReach(server, exchange.caller.scope)) continue;
    if (upstreamOf(session, server.fingerprint, gateway.keys, exchange.arena) === null) continue;
    if (found !== null) return null;
    found = server;
  }
  return found;
}
