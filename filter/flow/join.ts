import { make } from '../bytes/arena';
import { Span, NONE } from '../bytes/span';
import { Answer } from '../upstream/answer';
import { FanOut, newFanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { Session, Upstream } from '../session/token';
import { Exchange, Outcome } from './exchange';
import { Stage } from './conversation';
import { giveFirst, goOnInNewSession, releaseTo } from './lost-session';
import { continueOpening, open, Opening } from './opening';
import { refuseUndecided } from './limits';
import { sendToOffering } from './offers';
import { crosses } from './translation';

/**
 * Opens a session with the server of a call: it was not there when the client's began, or does not know its own any more.
 * @param stage what the session is for: Join, Prepare or Renew
 * @param lost the id that the server does not know, or NONE
 */
export function beginJoin(exchange: Exchange, session: Session, stage: Stage, lost: Span = NONE): Outcome {
  const arena = exchange.arena;
  const server = exchange.target.server;
  exchange.conversation.stage = stage;
  const fanOut = newFanOut(1, exchange.gateway.limits.handshakeTimeout, arena);
  exchange.conversation.fanOut = fanOut;
  const upstream = make<Upstream>(arena);
  upstream.fingerprint = server.fingerprint;
  const call = fanOut.add(server, upstream, arena);
  call.lost = lost;
  return proceed(exchange, session, fanOut, call, open(exchange, session, call));
}

export function resumeJoin(
  exchange: Exchange,
  session: Session,
  fanOut: FanOut,
  call: UpstreamCall,
  answer: Answer,
): Outcome {
  return proceed(exchange, session, fanOut, call, continueOpening(exchange, session, call, answer));
}

/** With a tick: whether the session that another request opens is there. */
export function pollJoin(exchange: Exchange, session: Session, fanOut: FanOut): Outcome {
  const call = fanOut.at(0);
  return proceed(exchange, session, fanOut, call, open(exchange, session, call));
}

function proceed(exchange: Exchange, session: Session, fanOut: FanOut, call: UpstreamCall, opening: Opening): Outcome {
  if (opening === Opening.Asking || opening === Opening.Parked) return Outcome.Wait;
  fanOut.finish(call);
  const failed = opening === Opening.Failed;
  switch (exchange.conversation.stage) {
    case Stage.Renew:
      return failed ? giveFirst(exchange) : goOnInNewSession(exchange, session, call.upstream);
    case Stage.Prepare:
      return releaseTo(exchange, call.upstream);
    default:
      if (failed) return exchange.refuseFor(call);
      if (crosses(exchange, call.upstream) && !exchange.message.whole)
        return refuseUndecided(exchange, exchange.message.size);
      return sendToOffering(exchange, session, call.upstream);
  }
}
