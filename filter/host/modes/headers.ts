import { scratch } from '../../bytes/arena';
import { hasRoom } from '../../bytes/room';
import { Span, after, first, length, literal, NONE } from '../../bytes/span';
import { newWriter } from '../../bytes/writer';
import { Exchange, Outcome } from '../../flow/exchange';
import { exceedsRequestBody, WORKER_MEMORY } from '../../flow/limits';
import { hasComeWhole } from '../../flow/passing';
import { confirmsHeaders, confirmsName } from '../../flow/by-headers';
import { beginningWithState } from '../../flow/request-state';
import { hasName } from '../../flow/stateless';
import { Reason } from '../../mcp/errors';
import { read, replaceAll } from '../buffers';
import { act } from '../carry';
import { mayEndHere, passClosed } from '../ending';
import { passState } from '../passing-state';
import { heldWhole, heldWith, lacksRoom, letGo, readIn, ROOM_FOR_BODY } from '../held';
import { Action, Buffer } from '../status';
import { Stream } from '../streams';

/**
 * Host mode `headers`: one filter, no flag, nothing is held. What the headers of the stateless revision say decides, and
 * has left before the body comes; the body is read in passing. Its beginning waits here until its name has come, so that
 * the prefix can be taken out; its end waits until the rest is confirmed.
 */
const EMPTY = literal('');

export function passByHeaders(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  exchange.message.passed += size as u64;
  if (exceedsRequestBody(exchange, exchange.message.passed)) return act(stream, exchange, Outcome.Reply);
  return stream.isNamed ? passRest(stream, exchange, size, ended) : passBeginning(stream, exchange, size, ended);
}

/** At its trailers. */
export function endByHeaders(stream: Stream, exchange: Exchange): Action {
  if (confirmsHeaders(exchange, true) && mayEndHere(stream, exchange)) return Action.Continue;
  return act(stream, exchange, Outcome.Reply);
}

function passBeginning(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  const limits = exchange.gateway.limits;
  const full = lacksRoom(stream, heldWith(stream, size), ROOM_FOR_BODY, limits.bufferedBytes);
  if (full !== NONE) return act(stream, exchange, exchange.overload(full));
  const envelope = exchange.message.envelope;
  const chunk = readIn(stream, envelope, size);
  const last = ended || hasComeWhole(exchange);
  const isClosed = envelope.isClosed;
  if (!confirmsHeaders(exchange, last || isClosed)) return act(stream, exchange, Outcome.Reply);
  // Nor while it ends in the middle of what has to be put in place of another.
  if (!hasName(exchange) || envelope.isInState) {
    if (stream.body.read > limits.heldBody) {
      exchange.refuse(Reason.BodyTooLarge, newWriter(scratch, 16).decimal(stream.body.read as u64).written);
      return act(stream, exchange, Outcome.Reply);
    }
    replaceAll(Buffer.RequestBody, EMPTY);
    return Action.Continue;
  }
  const body = heldWhole(stream);
  if (!confirmsName(exchange, body)) return act(stream, exchange, Outcome.Reply);
  stream.isNamed = true;
  const passing = beginningWithState(exchange, body, withServerName(body, exchange));
  if (passing === NONE) return act(stream, exchange, Outcome.Reply);
  replaceAll(Buffer.RequestBody, passing);
  const behind = isClosed ? length(chunk) - (envelope.closingOffset(chunk) as i32) : 0;
  const passes = !isClosed || passClosed(stream, exchange, passing, (length(passing) - behind) as u32, last);
  letGo(stream);
  return passes ? Action.Continue : act(stream, exchange, Outcome.Reply);
}

function passRest(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  if (!hasRoom(size as u64)) return act(stream, exchange, exchange.overload(WORKER_MEMORY));
  const envelope = exchange.message.envelope;
  const chunk = read(Buffer.RequestBody, 0, size as usize);
  const wasClosed = envelope.isClosed;
  envelope.read(chunk);
  const last = ended || hasComeWhole(exchange);
  if (!confirmsHeaders(exchange, last || envelope.isClosed)) return act(stream, exchange, Outcome.Reply);
  const passing = passState(stream, exchange, chunk);
  if (passing === NONE) return act(stream, exchange, Outcome.Reply);
  if (!envelope.isClosed) return Action.Continue;
  const behind = wasClosed ? length(passing) : length(chunk) - (envelope.closingOffset(chunk) as i32);
  const closing = (length(passing) - behind) as u32;
  return passClosed(stream, exchange, passing, closing, last) ? Action.Continue : act(stream, exchange, Outcome.Reply);
}

function withServerName(body: Span, exchange: Exchange): Span {
  const target = exchange.target;
  return newWriter(scratch, length(body) as usize)
    .bytes(first(body, target.cutFrom))
    .bytes(target.put)
    .bytes(after(body, target.cutTo)).written;
}
