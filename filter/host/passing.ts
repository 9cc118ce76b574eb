import { hasRoom } from '../bytes/room';
import { Span, literal, NONE } from '../bytes/span';
import { passBeginning } from '../flow/by-headers';
import { Exchange, Outcome } from '../flow/exchange';
import { WORKER_MEMORY } from '../flow/limits';
import { mayEnd, passPart } from '../flow/passing';
import { keptOfState } from '../flow/request-state';
import { read, replaceAll } from './buffers';
import { act } from './carry';
import { heldWith, lacksRoom, letGo, readIn, ROOM_FOR_BODY } from './held';
import { decidesByHeaders } from './role';
import { Action, Buffer } from './status';
import { Stream } from './streams';

/** A request that was sent on before its end: its parts pass as they come. What must not pass is said in ../flow/. */
const EMPTY = literal('');

/** @param size of the part that has come, all that the host shows */
export function pass(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  if (decidesByHeaders(stream.role) && !exchange.message.isNamed) return passFirst(stream, exchange, size, ended);
  // What is not read must not pass.
  if (!hasRoom(size as u64)) return act(stream, exchange, exchange.overload(WORKER_MEMORY));
  const shown = read(Buffer.RequestBody, 0, size as usize);
  const part = shown === NONE ? EMPTY : shown;
  return passOn(stream, exchange, part, passPart(exchange, stream.closing, part, ended));
}

/** A part of a beginning that waits for a name in it, in host mode `headers`. */
function passFirst(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  const most = exchange.gateway.limits.bufferedBytes;
  const full = lacksRoom(stream, heldWith(stream, size), ROOM_FOR_BODY, most);
  if (full !== NONE) return act(stream, exchange, exchange.overload(full));
  const part = readIn(stream, exchange.message.envelope, size);
  const passing = passBeginning(exchange, stream.body, stream.closing, part, ended);
  const action = passOn(stream, exchange, part, passing);
  if (exchange.message.isNamed) letGo(stream);
  return action;
}

/** @param passing what goes on in the place of a part. NONE: the request is cut off, and `plan.reply` says why */
export function passOn(stream: Stream, exchange: Exchange, part: Span, passing: Span): Action {
  if (passing === NONE) return act(stream, exchange, Outcome.Reply);
  if (passing === part) return Action.Continue;
  if (exchange.message.state !== null) {
    const most = exchange.gateway.limits.bufferedBytes;
    const full = lacksRoom(stream, keptOfState(exchange), ROOM_FOR_BODY, most);
    if (full !== NONE) return act(stream, exchange, exchange.overload(full));
  }
  replaceAll(Buffer.RequestBody, passing);
  return Action.Continue;
}

/** At its trailers. */
export function end(stream: Stream, exchange: Exchange): Action {
  return mayEnd(exchange, stream.closing) ? Action.Continue : act(stream, exchange, Outcome.Reply);
}
