import { literal } from '../bytes/span';
import { Shape } from '../mcp/shape';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { Exchange } from './exchange';
import { keepsToHeaders } from './stateless';

/** What must stay true of a message that was sent on before its end: else its upstream must not get that end. */
const LATE_CLAIM = literal('it claims another protocol era than its headers');
const NO_ID = literal('a call needs an id');

/** Whether all of a body has come whose length was told: its end is then only a formality. */
export function hasComeWhole(exchange: Exchange): bool {
  return exchange.request.hasContentLength && exchange.message.passed === exchange.request.contentLength;
}

/** Whether a document that has been closed is one call or response, whatever white space follows. */
export function isOneMessage(exchange: Exchange): bool {
  const envelope = exchange.message.envelope;
  envelope.end();
  if (envelope.problem !== Reason.None || envelope.shape === Shape.Notification) return false;
  return exchange.message.era === Era.Stateless ? envelope.claimIsStateless : envelope.claim === 0;
}

/** Whether what was read is, so far, one message of the kind that was sent on. If not, `exchange.reply` says why. */
export function isSound(exchange: Exchange, ended: bool): bool {
  const envelope = exchange.message.envelope;
  if (ended) envelope.end();
  if (envelope.problem !== Reason.None) {
    exchange.refuse(envelope.problem, envelope.detail);
    return false;
  }
  if (!ended || envelope.shape !== Shape.Notification) return true;
  // A notification is accepted and goes nowhere; this one has gone too far for that.
  exchange.refuse(Reason.InvalidRequest, NO_ID);
  return false;
}

/** The same of a message that was released: its era was taken from the headers, and a server may go by the body. */
export function confirms(exchange: Exchange, ended: bool): bool {
  if (!isSound(exchange, ended)) return false;
  if (exchange.message.era === Era.Stateless) return !ended || keepsToHeaders(exchange);
  if (exchange.message.envelope.claim === 0) return true;
  exchange.refuse(Reason.InvalidRequest, LATE_CLAIM);
  return false;
}
