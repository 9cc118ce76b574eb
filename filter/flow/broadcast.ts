import { scratch } from '../bytes/arena';
import { literal, NONE } from '../bytes/span';
import { FanOut, newFanOut } from '../federation/fanout';
import { errorMessage, newRequestId, requestMessage, resultMessage } from '../upstream/message';
import { methodRow, methodText } from '../mcp/methods';
import { mayOffer } from '../policy/decision';
import { keepLevel } from '../session/level';
import { upstreamOf } from '../session/overlay';
import { Session } from '../session/token';
import { askServer, whenAnswered } from './asking';
import { Exchange, Outcome } from './exchange';
import { Stage } from './conversation';
import { isOffered, refuseUnoffered } from './offers';

const STEP = 1;
const DONE = literal('{}');

/**
 * `logging/setLevel`: to every server of the session that offers it. It is done where one of them has done it; where none
 * has, the client gets what the first one says. Servers that join the session later are told it then, see opening.ts.
 */
export function beginBroadcast(exchange: Exchange, session: Session): Outcome {
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  const fanOut = newFanOut(gateway.limits.fanOut, gateway.limits.listTimeout, arena);
  const id = newRequestId(exchange.now, STEP, arena);
  const params = exchange.message.envelope.text(exchange.message.body, exchange.message.envelope.params);
  exchange.conversation.broadcastId = id;
  exchange.conversation.broadcastParams = arena.copy(params);
  exchange.conversation.broadcast = requestMessage(id, methodText(exchange.message.method), params, arena);
  const capability: u32 = methodRow(exchange.message.method).capability;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if ((mayOffer(server, exchange.caller.scope) & capability) === 0) continue;
    const upstream = upstreamOf(session, server.fingerprint, gateway.keys, arena);
    if (upstream !== null && (upstream.offers & capability) !== 0) askServer(exchange, fanOut, server, upstream);
  }
  if (fanOut.calls.count === 0 && !isOffered(exchange, session, capability)) return refuseUnoffered(exchange);
  return whenAnswered(exchange, fanOut, Stage.Ask, finish);
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  const arena = exchange.arena;
  const session = exchange.caller.session!;
  if (fanOut.calls.count === 0 || fanOut.firstServed() !== null) {
    keepLevel(session, exchange.conversation.broadcastParams, exchange.gateway.keys, scratch);
    return exchange.answer(200, resultMessage(exchange.id, DONE, arena));
  }
  for (let i = 0; i < fanOut.calls.count; i++) {
    const error = fanOut.at(i).error;
    if (error !== NONE) return exchange.answer(200, errorMessage(exchange.id, error, arena));
  }
  return exchange.refuseFor(fanOut.at(0));
}
