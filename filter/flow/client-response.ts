import { make, scratch } from '../bytes/arena';
import { literal } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { Session } from '../session/token';
import { askerOf } from './asker';
import { Exchange, Outcome } from './exchange';
import { Target } from './target';
import { passToWaiter } from './input-requests';
import { sendOn } from './send-on';

const EMPTY = literal('');

/**
 * A response of the client to what a server has asked it (sampling, elicitation, roots, ping): it goes to that server,
 * into the session in which it asked, with the id that it has there. Which server that is stands in the id alone, so no
 * worker has to know of the request. One that comes a second time reaches the same server, which waits for it no more.
 */
export function beginResponse(exchange: Exchange, session: Session): Outcome {
  const envelope = exchange.message.envelope;
  const asker = askerOf(exchange, session, envelope.responseId);
  if (asker === null) return passToWaiter(exchange, session);
  const target = make<Target>(exchange.arena);
  target.server = asker.server;
  target.name = EMPTY;
  const id = envelope.responseIdRange;
  target.cutFrom = (id >> 32) as u32;
  target.cutTo = id as u32;
  target.put = asker.original;
  exchange.target = target;
  exchange.server = asker.server;
  return sendOn(exchange, asker.upstream);
}

/** One that answers no request of a server which this session can speak of: forged, of another session, or of none. */
export function refuseStrayResponse(exchange: Exchange): Outcome {
  return exchange.refuse(Reason.UnexpectedResponse);
}

/** One of which so much is here, and which cannot be sent on before its end: mostly for an id that comes late. */
export function refuseLargeResponse(exchange: Exchange, size: u32): Outcome {
  if (exchange.message.envelope.isAnswerableWithin(exchange.gateway.limits.heldBody))
    return refuseStrayResponse(exchange);
  return exchange.refuse(Reason.ResponseTooLarge, newWriter(scratch, 16).decimal(size as u64).written);
}
