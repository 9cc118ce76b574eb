import { make } from '../bytes/arena';
import { Span, NONE } from '../bytes/span';
import { Answer } from '../upstream/answer';
import { FanOut, newFanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { Session, Upstream } from '../session/token';
import { Exchange, Outcome } from './exchange';
import { Proceed, Stage } from './conversation';
import { continueOpening, open, Opening } from './opening';
import { refuseWhole } from './limits';
import { sendToOffering } from './offers';
import { crosses } from './translation';

/**
 * Opens a session with the server of a call: it was not there when the client's began, or does not know its own any more.
 * @param next once it is there, or the one call of the fan-out has failed
 * @param lost the id that the server does not know, or NONE
 */
export function beginJoin(exchange: Exchange, session: Session, next: Proceed, lost: Span = NONE): Outcome {
  const arena = exchange.arena;
  const server = exchange.target.server;
  const fanOut = newFanOut(1, exchange.gateway.limits.handshakeTimeout, arena);
  exchange.conversation.begin(Stage.Ask, fanOut, resume, poll, next);
  const upstream = make<Upstream>(arena);
  upstream.fingerprint = server.fingerprint;
  const call = fanOut.add(server, upstream, arena);
  call.lost = lost;
  return goOn(exchange, fanOut, call, open(exchange, session, call));
}

/** To send a message on in it. */
export function joinToSend(exchange: Exchange, session: Session): Outcome {
  return beginJoin(exchange, session, send);
}

function resume(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  return goOn(exchange, fanOut, call, continueOpening(exchange, exchange.caller.session!, call, answer));
}

/** Whether the session that another request opens is there. */
function poll(exchange: Exchange, fanOut: FanOut): Outcome {
  const call = fanOut.at(0);
  return goOn(exchange, fanOut, call, open(exchange, exchange.caller.session!, call));
}

function goOn(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, opening: Opening): Outcome {
  if (opening === Opening.Asking || opening === Opening.Parked) return Outcome.Wait;
  fanOut.finish(call);
  return exchange.conversation.next(exchange, fanOut);
}

function send(exchange: Exchange, fanOut: FanOut): Outcome {
  const call = fanOut.at(0);
  if (call.failed) return exchange.refuseFor(call);
  if (crosses(exchange, call.upstream) && !exchange.message.whole) {
    return refuseWhole(exchange, exchange.message.size);
  }
  return sendToOffering(exchange, exchange.caller.session!, call.upstream);
}
