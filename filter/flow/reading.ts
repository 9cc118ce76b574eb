import { isLarge } from '../body/reading';
import { Probe } from './conversation';
import { isReleasable } from './dispatch';
import { Exchange } from './exchange';
import { exceedsRequestBody, refuseUndecided, refuseWhole } from './limits';
import { isOneMessage } from './passing';
import { waitsForTrace } from './trace-meta';

/** What comes next for a request whose body is being read, and that nothing has been decided on. */
export const enum Next {
  /** Its next part. */
  Read,
  /** The decision, by the whole of it: `admit`. */
  Admit,
  /** The decision, by what has come, which then goes on: `release`. */
  Release,
  /** `plan.reply`, once the rest has been read. */
  Refuse,
}

/**
 * Small bodies are held to their end, large ones until it is certain where they go. In how many parts one comes decides
 * nothing.
 * @param held bytes of the body so far
 * @param wasClosed whether its document had been closed before the part that was read last
 * @param ended no part comes behind that one
 * @param isHeldAhead whether another filter holds what has passed here, and can hold less of it than we may
 */
export function afterPart(exchange: Exchange, held: u32, wasClosed: bool, ended: bool, isHeldAhead: bool): Next {
  if (exceedsRequestBody(exchange, held)) return Next.Refuse;
  const heldBody = exchange.gateway.limits.heldBody;
  const request = exchange.request;
  const endsInTrailers = request.hasTrailer && !request.hasContentLength;
  const mayGo =
    isLarge(held, heldBody, endsInTrailers) &&
    isReleasable(exchange, heldBody) &&
    (held > heldBody || !waitsForTrace(exchange));
  if (held > heldBody && !mayGo) {
    // What is called is known, and needs the end.
    if (exchange.message.staysHeld) refuseWhole(exchange, held);
    else refuseUndecided(exchange, held);
    return Next.Refuse;
  }
  if (ended) return Next.Admit;
  if (!mayGo || exchange.message.staysHeld) return Next.Read;
  if (awaitsEnd(exchange, held, wasClosed, isHeldAhead)) return Next.Read;
  return awaitsProbe(exchange, held) ? Next.Read : Next.Release;
}

/** Nearly all of it is here. Its end is waited for, unless that would be too much for who holds it. */
function awaitsEnd(exchange: Exchange, held: u32, wasClosed: bool, isHeldAhead: bool): bool {
  if (!exchange.message.envelope.isClosed) return false;
  return wasClosed || held <= exchange.gateway.limits.heldBody || !isHeldAhead || !isOneMessage(exchange);
}

/** Whether a session is being made sure of, and there is room to hold the body meanwhile. */
function awaitsProbe(exchange: Exchange, held: u32): bool {
  const conversation = exchange.conversation;
  if (conversation.probe !== Probe.UnderWay) return false;
  if (held <= exchange.gateway.limits.heldBody / 2) return true;
  conversation.probe = Probe.Done;
  return false;
}
