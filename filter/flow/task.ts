import { make, scratch } from '../bytes/arena';
import { Span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isString, textOf, writeEscaped } from '../json/text';
import { Server } from '../model/server';
import { onlyReachable } from '../policy/decision';
import { Session } from '../session/token';
import { goToTarget } from './aim';
import { Exchange, Outcome } from './exchange';
import { Target } from './target';
import { refuseUnoffered } from './offers';
import { isWithinQuotas } from './quotas';
import { declaresTasks, openTaskId, refuseTask, serverOfTask } from './task-id';

/** `tasks/get`, `tasks/update`, `tasks/cancel`: to the server that has the task, with its own id in the client's place. */
export function beginTask(exchange: Exchange, session: Session): Outcome {
  if (!declaresTasks(exchange)) return Outcome.Reply;
  const envelope = exchange.message.envelope;
  const token = envelope.keyIn(exchange.message.body);
  if (!exchange.gateway.sealsForCallers) return passTask(exchange, session, token);
  const text = openTaskId(exchange, token);
  if (text === null) return Outcome.Reply;
  const target = aimAtServer(exchange, serverOfTask(exchange, text)!, text.original);
  const own = newWriter(exchange.arena, 64);
  writeEscaped(own, target.name);
  target.cutFrom = ((envelope.key >> 32) as u32) + 1;
  target.cutTo = (envelope.key as u32) - 1;
  target.put = own.written;
  return isWithinQuotas(exchange) ? goToTarget(exchange, session) : Outcome.Reply;
}

/** There is one server, and its ids are the client's. */
function passTask(exchange: Exchange, session: Session, token: Span): Outcome {
  const server = onlyReachable(exchange.gateway, exchange.caller.scope);
  if (server === null) return refuseUnoffered(exchange);
  const id: Span = token === NONE || !isString(token) ? NONE : textOf(token, scratch);
  if (id === NONE) return refuseTask(exchange, token);
  aimAtServer(exchange, server, id);
  return isWithinQuotas(exchange) ? goToTarget(exchange, session) : Outcome.Reply;
}

/** @param name that the message has in its header at the server */
export function aimAtServer(exchange: Exchange, server: Server, name: Span): Target {
  const target = make<Target>(exchange.arena);
  target.server = server;
  target.name = exchange.arena.copy(name);
  exchange.target = target;
  exchange.server = server;
  return target;
}
