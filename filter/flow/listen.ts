import { CLOSING_BRACKET, COMMA, OPENING_BRACKET, QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, length, literal, pointer, NONE } from '../bytes/span';
import { newSplices, Splices } from '../bytes/splices';
import { newWriter, Writer } from '../bytes/writer';
import { walkThrough } from '../json/reader';
import { writeEscaped } from '../json/text';
import { dialectRow } from '../model/dialects';
import { Server } from '../model/server';
import { onlyReachable } from '../policy/decision';
import { Session } from '../session/token';
import { goToTarget } from './aim';
import { dialectToTry } from './dialect';
import { Exchange, Outcome } from './exchange';
import { listenedIn, Listened, ownUris } from './listened';
import { endListening } from './listening-end';
import { aimAtServer } from './task';
import { declaresTasks, openTaskId, serverOfTask } from './task-id';

const NO_NAME = literal('');
const TASK_IDS_OPEN = literal('{"taskIds":');
const CLOSE = literal('}');

/**
 * `subscriptions/listen` (MCP 2026-07-28): one stream comes from one server, and a filter cannot make one of several. So it
 * passes where one server alone can be meant that has such streams: the only one, or the one whose tasks are listened to.
 * Else what can be honoured is acknowledged, which is nothing, and it ends: clients learn of changes by asking again.
 */
export function beginListen(exchange: Exchange, session: Session): Outcome {
  const listened = listenedIn(exchange);
  if (listened === null) return Outcome.Reply;
  const only = onlyReachable(exchange.gateway, exchange.caller.scope);
  const ids = exchange.gateway.sealsForCallers ? listened.taskIds : NONE;
  if (ids !== NONE && !declaresTasks(exchange)) return Outcome.Reply;
  const own = newWriter(scratch, length(ids) as usize);
  const server: Server | null = ids === NONE ? only : ownTasks(exchange, ids, only, own.byte(OPENING_BRACKET));
  if (ids !== NONE && server === null) return Outcome.Reply;
  if (server === null || dialectRow(dialectToTry(exchange, server, session.revision)).hasSessions) {
    return endListening(exchange);
  }
  const target = aimAtServer(exchange, server, NO_NAME);
  const ownIds = ids === NONE ? NONE : own.byte(CLOSING_BRACKET).written;
  target.body =
    only === null ? withTasksAlone(exchange, listened, ownIds) : withOwn(exchange, server, listened, ownIds);
  return goToTarget(exchange, session);
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

/** The message as one of several servers gets it: it is asked for tasks alone, as what else there is comes from all. */
function withTasksAlone(exchange: Exchange, listened: Listened, ownIds: Span): Span {
  const text = newWriter(scratch, (length(ownIds) as usize) + 16);
  const splices = newSplices(scratch);
  put(splices, exchange, listened.notifications, text.bytes(TASK_IDS_OPEN).bytes(ownIds).bytes(CLOSE).written);
  return splices.applied(exchange.message.body, exchange.arena);
}

/** The message as the only server gets it; NONE: as it is. @param ownIds NONE: there are none, or they are the client's */
function withOwn(exchange: Exchange, server: Server, listened: Listened, ownIds: Span): Span {
  const uris: Span = listened.uris === NONE ? NONE : ownUris(exchange, server, listened.uris);
  if (ownIds === NONE && uris === NONE) return NONE;
  const splices = newSplices(scratch);
  if (ownIds !== NONE) put(splices, exchange, listened.taskIds, ownIds);
  if (uris !== NONE) put(splices, exchange, listened.uris, uris);
  return splices.applied(exchange.message.body, exchange.arena);
}

/** @param place a part of the body */
function put(splices: Splices, exchange: Exchange, place: Span, text: Span): void {
  const from = (pointer(place) - pointer(exchange.message.body)) as u32;
  splices.add(from, from + (length(place) as u32), text);
}
