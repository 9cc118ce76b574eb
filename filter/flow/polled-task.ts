import { QUOTE } from '../bytes/ascii';
import { Arena, make, scratch } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { newFanOut, FanOut } from '../federation/fanout';
import { Kind, kindOf, member } from '../json/reader';
import { isString, textOf, writeEscaped } from '../json/text';
import { Capability } from '../mcp/capabilities';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Method } from '../mcp/methods';
import { Upstream } from '../session/token';
import { Answer, Ending, Failure, responseIn } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { Callout, post } from '../upstream/callout';
import { isUnanswered } from '../upstream/faults';
import { judge } from '../upstream/judge';
import { errorMessage, newRequestId, resultMessage } from '../upstream/message';
import { readTask, TaskState, TaskStatus, writeTaskRequest } from '../upstream/task';
import { Stage } from './conversation';
import { Exchange, Outcome } from './exchange';
import { answerWhole } from './relay';

/**
 * The task that a server of 2026-07-28 makes of a call, for a client with a session, which knows none (the extension for
 * tasks, SEP-2663). The server has answered with the task; the gateway asks what has become of it, and gives the client
 * what the task has come to:
 *
 *     client ── tools/call ──▶ gateway ──▶ server
 *                                      ◀─ a task, the end
 *               (the end of the stream waits)
 *                                      ──▶ tasks/get, as often as the server wishes
 *                                      ◀─ working … completed, with the result
 *            ◀─ the result, the end ──
 *
 * Nothing can be sent to the client before the end: what a task asks for cannot be asked, and the task is cancelled.
 */

/** How often in a row a server that has the task may fail to answer. */
const MOST_FAILURES: i32 = 3;

const RESULT = literal('result');
const ERROR = literal('error');
const MESSAGE = literal('message');

const NO_ID = literal(
  'the task that it has made of the call has no id of 1 to 4,096 bytes, so that nobody can ask for it',
);
const ANOTHER = literal('asked for the task of the call, it tells of another one');
const UNKNOWN_STATUS = literal('the task that it has made of the call has a status that there is not');
const NO_TASK = literal('asked for the task of the call, it answers with neither a task nor an error');
const NO_OUTCOME = literal('the task that it has made of the call has ended, and has neither a result nor an error');
const LATE = literal(
  'the task that it has made of the call was not done in time, and the server was told to cancel it',
);
const ASKS = literal(
  'the task that it has made of the call asks for it, when nothing can be sent to the client any more but the end of its answer; the task was cancelled',
);
const CANCELLED = literal('it was cancelled there');
const SAYS = literal('the server says of it: ');

@unmanaged
export class PolledTask {
  /** Its id, and the same as a string token. */
  id: Span;
  token: Span;
  /** The request that asks for it: each has an id of its own, in the same memory. */
  private requestId: Writer;
  private body: Writer;
  private callout: Callout;
  private count: i32;
  /** Nanoseconds since 1970: when it was heard of last, and when it is asked for again; when that ends; when it began. */
  heardAt: u64;
  dueAt: u64;
  endsAt: u64;
  beganAt: u64;
  failures: i32;
  /** Nobody needs to be told that it is not wanted any more. */
  isOver: bool;

  begin(exchange: Exchange, state: TaskState): PolledTask {
    const arena = exchange.arena;
    this.id = arena.copy(state.id);
    const token = newWriter(arena, 64).byte(QUOTE);
    writeEscaped(token, this.id);
    this.token = token.byte(QUOTE).written;
    this.requestId = newWriter(arena, 48);
    this.body = newWriter(arena, 512);
    this.callout = callout(exchange, this, Method.TasksGet, NONE, arena);
    this.beganAt = exchange.now;
    return this;
  }

  /** When it is asked for again. @param most milliseconds from the call on */
  plan(exchange: Exchange, state: TaskState, most: u32): void {
    const since = exchange.sentAt === 0 || exchange.sentAt > this.beganAt ? this.beganAt : exchange.sentAt;
    this.endsAt = since + (most as u64) * MILLISECOND;
    if (state.ttl >= 0) this.endsAt = min(this.endsAt, this.beganAt + (state.ttl as u64) * MILLISECOND);
    this.rest(exchange, state.status === TaskStatus.Working ? state.interval : 0);
  }

  /** @param interval milliseconds */
  rest(exchange: Exchange, interval: u32): void {
    this.heardAt = exchange.now;
    this.dueAt = min(exchange.now + (interval as u64) * MILLISECOND, max(this.endsAt, exchange.now));
  }

  /** Whether it is time to ask. A clock that was set back is no reason to wait for longer. */
  isDue(now: u64): bool {
    return now >= this.dueAt || now < this.heardAt;
  }

  next(exchange: Exchange): Callout {
    this.requestId.truncate(0);
    this.requestId.bytes(newRequestId(exchange.now, ++this.count, scratch));
    this.body.truncate(0);
    this.callout.body = writeTaskRequest(
      this.body,
      this.requestId.written,
      Method.TasksGet,
      this.token,
      scratch,
    ).written;
    return this.callout;
  }

  /** The response to what was asked last, or NONE. */
  responseIn(answer: Answer, failure: Failure): Span {
    return responseIn(answer, this.requestId.written, failure, scratch);
  }
}

const MILLISECOND: u64 = 1_000_000;

function callout(exchange: Exchange, task: PolledTask, method: Method, body: Span, arena: Arena): Callout {
  const upstream = exchange.plan.forward.upstream;
  return post(exchange.target.server, upstream, body, exchange.request.pairs, arena, method, task.id);
}

/** Whether a server of the other era is told that it may make a task of the call. */
export function takesTasksAcross(exchange: Exchange, upstream: Upstream): bool {
  const message = exchange.message;
  if (message.method !== Method.ToolsCall || message.era !== Era.Sessions || !message.whole) return false;
  if ((upstream.offers & Capability.Tasks) === 0 || exchange.caller.session === null) return false;
  return exchange.batch === null && !exchange.isHttpSse;
}

/** Takes the task that a server has answered with. False: it cannot be asked for, and the refusal is ready. @param message its answer */
export function takeTask(exchange: Exchange, message: Span): bool {
  const state = readTask(member(message, RESULT, scratch), scratch);
  if (state.id === NONE) {
    exchange.refuse(Reason.UpstreamProtocol, NO_ID, exchange.target.server.name);
    return false;
  }
  const task = make<PolledTask>(exchange.arena).begin(exchange, state);
  exchange.task = task;
  task.plan(exchange, state, exchange.callTimeout);
  return true;
}

/** Asks for it, until there is what the client gets. */
export function pollTask(exchange: Exchange): Outcome {
  const fanOut = newFanOut(1, exchange.gateway.limits.handshakeTimeout, exchange.arena);
  exchange.conversation.begin(Stage.Poll, fanOut, hear, look);
  const call = fanOut.add(exchange.target.server, exchange.plan.forward.upstream, exchange.arena);
  call.parkedAt = exchange.now;
  return look(exchange, fanOut);
}

/** With each tick. */
function look(exchange: Exchange, fanOut: FanOut): Outcome {
  const task = exchange.task!;
  const call = fanOut.at(0);
  if (call.parkedAt === 0 || !task.isDue(exchange.now)) return Outcome.Wait;
  call.parkedAt = 0;
  call.callout = task.next(exchange);
  call.deadline = exchange.now + (fanOut.timeout as u64) * MILLISECOND;
  return Outcome.Wait;
}

function park(exchange: Exchange, call: UpstreamCall): Outcome {
  call.parkedAt = exchange.now;
  return Outcome.Wait;
}

/** What the server says of it. */
function hear(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  const task = exchange.task!;
  const server = exchange.target.server;
  const failure = judge(answer, server, scratch, Era.Stateless);
  const isLate = exchange.now >= task.endsAt;
  if (isPassing(answer, failure) && !isLate && ++task.failures < MOST_FAILURES) {
    task.rest(exchange, RETRY);
    return park(exchange, call);
  }
  const response: Span = failure.reason === Reason.None ? task.responseIn(answer, failure) : NONE;
  if (failure.reason === Reason.None && response === NONE) failure.set(Reason.UpstreamProtocol, NO_TASK);
  if (failure.reason !== Reason.None) return fail(exchange, fanOut, call, failure);
  task.failures = 0;
  const result = member(response, RESULT, scratch);
  const error = member(response, ERROR, scratch);
  // It has forgotten it, or never knew it: there is nothing to be cancelled.
  if (result === NONE && error !== NONE) {
    task.isOver = true;
    return end(exchange, fanOut, call, Reason.TaskFailed, wordsOf(error));
  }
  const state = readTask(result, scratch);
  if (state.id === NONE || !equals(state.id, task.id)) {
    return end(exchange, fanOut, call, Reason.UpstreamProtocol, state.id === NONE ? NO_TASK : ANOTHER);
  }
  switch (state.status) {
    case TaskStatus.Working:
      if (isLate) return end(exchange, fanOut, call, Reason.UpstreamTimeout, LATE);
      task.plan(exchange, state, exchange.callTimeout);
      return park(exchange, call);
    case TaskStatus.InputRequired:
      return end(exchange, fanOut, call, Reason.InputUnanswered, ASKS);
    case TaskStatus.Completed:
      task.isOver = true;
      return give(exchange, fanOut, call, member(result, RESULT, scratch), false);
    case TaskStatus.Failed:
      task.isOver = true;
      return give(exchange, fanOut, call, member(result, ERROR, scratch), true);
    case TaskStatus.Cancelled:
      task.isOver = true;
      return end(exchange, fanOut, call, Reason.TaskFailed, CANCELLED);
    default:
      return end(exchange, fanOut, call, Reason.UpstreamProtocol, UNKNOWN_STATUS);
  }
}

/** Milliseconds until a server is asked again that has not answered. */
const RETRY: u32 = 1000;

/** Whether it may be another matter in a moment. */
function isPassing(answer: Answer, failure: Failure): bool {
  if (isUnanswered(answer) || answer.ending !== Ending.Response) return true;
  if (failure.reason === Reason.UpstreamUnreachable || failure.reason === Reason.UpstreamTimeout) return true;
  return failure.reason === Reason.UpstreamStatus && (answer.status === 429 || answer.status >= 500);
}

function end(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, reason: Reason, why: Span): Outcome {
  return fail(exchange, fanOut, call, make<Failure>(scratch).set(reason, why));
}

function fail(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, failure: Failure): Outcome {
  fanOut.fail(call, failure, exchange.arena);
  return exchange.refuseFor(call);
}

/** The client gets what it would have got from a server that makes no tasks. @param value a result, or a JSON-RPC error */
function give(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, value: Span, isError: bool): Outcome {
  if (value === NONE || kindOf(value) !== Kind.Object) {
    return end(exchange, fanOut, call, Reason.UpstreamProtocol, NO_OUTCOME);
  }
  fanOut.finish(call);
  const answer = make<Answer>(scratch);
  answer.ending = Ending.Response;
  answer.status = 200;
  answer.contentType = header.JSON_TYPE;
  answer.body = isError ? errorMessage(exchange.id, value, scratch) : resultMessage(exchange.id, value, scratch);
  return answerWhole(exchange, answer);
}

/** What an error says, for the refusal. */
function wordsOf(error: Span): Span {
  const message = member(error, MESSAGE, scratch);
  const words = message === NONE || !isString(message) ? NONE : textOf(message, scratch);
  return words === NONE ? NO_TASK : newWriter(scratch, 256).bytes(SAYS).bytes(words).written;
}

/** What tells the server that nobody waits for the task any more; once. Null: nobody has to be told. */
export function taskCancellation(exchange: Exchange, arena: Arena): Callout | null {
  const task = exchange.task;
  if (task === null || task.isOver) return null;
  task.isOver = true;
  const id = newRequestId(exchange.now, 0, arena);
  const body = writeTaskRequest(newWriter(arena, 512), id, Method.TasksCancel, task.token, arena).written;
  return callout(exchange, task, Method.TasksCancel, body, arena);
}
