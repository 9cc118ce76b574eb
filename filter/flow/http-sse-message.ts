import { NONE } from '../bytes/span';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { Method, methodRow, methodText } from '../mcp/methods';
import { Shape } from '../mcp/shape';
import { Server } from '../model/server';
import { upstreamOf } from '../session/overlay';
import { sealRefusal } from '../session/refusal-id';
import { Session, Upstream } from '../session/token';
import { requestMessage } from '../upstream/message';
import { beginByKind } from './by-kind';
import { refuseUnoffered } from './offers';
import { Exchange, Outcome } from './exchange';
import { completeRefusal } from './refusal';
import { aimAtServer, passOn, serverOf } from './http-sse';
import { sendOn } from './send-on';

/**
 * A message over HTTP+SSE, see http-sse.ts: POSTed to an address that a stream began with.
 *
 * An error of ours has to come in the stream, too, and only the server can put something there. So it gets a `ping` in the
 * place of what is refused, with the error in the id, sealed; the response to that becomes the error.
 */

/** @param session that is sealed in it */
export function serveInStream(exchange: Exchange, session: Session): Outcome {
  const server = serverOf(exchange, session);
  if (server === null) return exchange.refuse(Reason.SessionUnknown);
  const upstream = upstreamOf(session, server.fingerprint, exchange.gateway.keys, exchange.arena)!;
  const outcome = decide(exchange, session, server, upstream);
  return outcome === Outcome.Reply ? carryRefusal(exchange, session, server, upstream) : outcome;
}

/**
 * Only what names something may be for another server, or not for this caller: the one server knows all else best. A
 * message that is sent on before its end has come has no shape yet: what names something is a request then.
 */
function decide(exchange: Exchange, session: Session, server: Server, upstream: Upstream): Outcome {
  if (exchange.isResponse) return passOn(exchange, server, upstream);
  const row = methodRow(exchange.message.method);
  if (exchange.message.envelope.shape === Shape.Notification) {
    // A server that ran it all the same would run what nobody has decided on.
    return row.namesItsServer ? exchange.answer(202, NONE) : passOn(exchange, server, upstream);
  }
  if (!row.isServedIn(Era.Sessions)) return refuseUnoffered(exchange);
  return row.namesItsServer ? beginByKind(exchange, session) : passOn(exchange, server, upstream);
}

/** What cannot be carried is the answer to the POST; so is what is said of a message whose end is not here yet. */
function carryRefusal(exchange: Exchange, session: Session, server: Server, upstream: Upstream): Outcome {
  if (!exchange.message.whole) return Outcome.Reply;
  completeRefusal(exchange);
  if (exchange.plan.reply.reason === Reason.None || exchange.id === NONE) return Outcome.Reply;
  const id = sealRefusal(session, exchange.plan.reply.body, exchange.arena);
  if (id === NONE) return Outcome.Reply;
  aimAtServer(exchange, server);
  exchange.target.body = requestMessage(id, methodText(Method.Ping), NONE, exchange.arena);
  return sendOn(exchange, upstream);
}
