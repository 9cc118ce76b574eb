import { CLOSING_BRACKET, COMMA, OPENING_BRACKET, QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, length, literal, pointer, NONE } from '../bytes/span';
import { newSplices } from '../bytes/splices';
import { newWriter, Writer } from '../bytes/writer';
import { Kind, kindOf, member, walkThrough } from '../json/reader';
import { writeEscaped } from '../json/text';
import { dialectRow } from '../model/dialects';
import { Server } from '../model/server';
import { onlyReachable } from '../policy/decision';
import { Session } from '../session/token';
import { goToTarget } from './aim';
import { dialectToTry } from './dialect';
import { Exchange, Outcome } from './exchange';
import { endListening } from './listening-end';
import { aimAtServer } from './task';
import { declaresTasks, openTaskId, serverOfTask } from './task-id';

const NO_NAME = literal('');
const NOTIFICATIONS = literal('notifications');
const TASK_IDS = literal('taskIds');
const TASK_IDS_OPEN = literal('{"taskIds":');
const CLOSE = literal('}');

/**
 * `subscriptions/listen` (MCP 2026-07-28): one stream comes from one server, and a filter cannot make one of several. So it
 * passes where one server alone can be meant that has such streams: the only one, or the one whose tasks are listened to.
 * Else what can be honoured is acknowledged, which is nothing, and it ends: clients learn of changes by asking again.
 */
export function beginListen(exchange: Exchange, session: Session): Outcome {
  const only = onlyReachable(exchange.gateway, exchange.caller.scope);
  const ids = exchange.gateway.sealsForCallers ? listedIn(exchange) : NONE;
  if (ids !== NONE && !declaresTasks(exchange)) return Outcome.Reply;
  const own = newWriter(scratch, length(ids) as usize);
  const server: Server | null = ids === NONE ? only : ownTasks(exchange, ids, only, own.byte(OPENING_BRACKET));
  if (ids !== NONE && server === null) return Outcome.Reply;
  if (server === null || dialectRow(dialectToTry(exchange, server, session.revision)).hasSessions) {
    return endListening(exchange);
  }
  const target = aimAtServer(exchange, server, NO_NAME);
  if (ids !== NONE) target.body = withTasks(exchange, ids, own.byte(CLOSING_BRACKET).written, only === null);
  return goToTarget(exchange, session);
}

/** `params.notifications.taskIds`, where there are some; else NONE. */
function listedIn(exchange: Exchange): Span {
  const ids = member(notificationsIn(exchange), TASK_IDS, scratch);
  return ids !== NONE && kindOf(ids) === Kind.Array && walkThrough(ids, scratch).next() ? ids : NONE;
}

function notificationsIn(exchange: Exchange): Span {
  const message = exchange.message;
  return member(message.envelope.text(message.body, message.envelope.params), NOTIFICATIONS, scratch);
}

/**
 * The server whose tasks can be listened to, with its own ids of those written to `own`: the only one that there is, or that
 * of the first task. Null: one of them is none of the caller's, and `plan.reply` says so.
 */
function ownTasks(exchange: Exchange, ids: Span, only: Server | null, own: Writer): Server | null {
  let chosen = only;
  let any = false;
  for (const walk = walkThrough(ids, scratch); walk.next();) {
    const text = openTaskId(exchange, walk.value);
    if (text === null) return null;
    const server = serverOfTask(exchange, text);
    if (chosen === null) chosen = server;
    if (server !== chosen) continue;
    if (any) own.byte(COMMA);
    any = true;
    writeEscaped(own.byte(QUOTE), text.original);
    own.byte(QUOTE);
  }
  return chosen;
}

/** The message as the server gets it. @param alone it may be asked for tasks alone, as what else there is comes from several */
function withTasks(exchange: Exchange, ids: Span, own: Span, alone: bool): Span {
  const body = exchange.message.body;
  const place = alone ? notificationsIn(exchange) : ids;
  const from = (pointer(place) - pointer(body)) as u32;
  const text = newWriter(scratch, (length(own) as usize) + 16);
  if (alone) text.bytes(TASK_IDS_OPEN).bytes(own).bytes(CLOSE);
  else text.bytes(own);
  const splices = newSplices(scratch);
  splices.add(from, from + (length(place) as u32), text.written);
  return splices.applied(body, exchange.arena);
}
