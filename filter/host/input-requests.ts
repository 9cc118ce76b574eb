import { make, scratch } from '../bytes/arena';
import { List } from '../bytes/list';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { proxy_set_effective_context } from '../env';
import { Exchange, Outcome } from '../flow/exchange';
import { askClient, askServerAgain, responseTo, takeResponse } from '../flow/input-requests';
import { pollTask, takeTask, taskCancellation } from '../flow/polled-task';
import { writeReply } from '../flow/rewriting';
import { Waiter } from '../session/input-request-id';
import { send } from './callouts';
import { act } from './carry';
import { now } from './clock';
import { endWithEvents } from './last-events';
import { rootOf } from './roots';
import { Action, Status } from './status';
import { Held, Moment, Stream } from './streams';
import { vmNonce } from './vm';

/**
 * The response that waits while its client is asked for input, see flow/input-requests.ts, or until the task is done that
 * its server has made of the call, see flow/polled-task.ts. Its end is held, with an empty buffer that the host lets us fill
 * in any later callback; what goes on then is the last of it.
 */
const EMPTY = literal('');

/**
 * A server's answer asks for input, or goes on behind that.
 * @param text that goes on before. @param message that asks
 * @returns NONE: the client cannot be asked, and the refusal is ready; else what goes on now
 */
export function askForInput(stream: Stream, exchange: Exchange, text: Span, message: Span, ended: bool): Span {
  if (exchange.input !== null) return EMPTY;
  const waiter = make<Waiter>(scratch);
  waiter.vm = vmNonce();
  waiter.queue = rootOf(stream.root)!.queue!.token;
  waiter.stream = stream.id;
  const events = askClient(exchange, message, waiter, ended);
  if (events === NONE || length(text) === 0) return events;
  return newWriter(scratch, (length(text) + length(events)) as usize)
    .bytes(text)
    .bytes(events).written;
}

/** Responds to requests of a server in the place of its client. Nobody waits for what it says to that. */
export function respond(stream: Stream, exchange: Exchange, requests: List): void {
  for (let i = 0; i < requests.count; i++) {
    const callout = responseTo(exchange, requests.at(i) as Span);
    send(callout, exchange.gateway.limits.handshakeTimeout, stream.root, stream.id, null);
  }
}

/** The answer that asks has ended. */
export function awaitInput(stream: Stream, exchange: Exchange): Action {
  const input = exchange.input!;
  input.hasEnded = true;
  stream.held = Held.Asking;
  stream.moment = Moment.Midway;
  return input.isAnswered ? act(stream, exchange, askServerAgain(exchange)) : Action.Pause;
}

/** Another request has brought a response of the client. In a callback that is not of the stream. */
export function hearResponse(stream: Stream, text: Span): void {
  const exchange = stream.exchange;
  if (exchange === null || proxy_set_effective_context(stream.id) !== Status.Ok) return;
  exchange.now = now();
  if (!takeResponse(exchange, vmNonce(), text) || stream.held !== Held.Asking) return;
  stream.moment = Moment.Later;
  act(stream, exchange, askServerAgain(exchange));
}

/**
 * A server's answer is a task, or goes on behind that.
 * @returns False: it cannot be asked for, and the refusal is ready
 */
export function mayAwaitTask(exchange: Exchange, message: Span): bool {
  return exchange.task !== null || takeTask(exchange, message);
}

/** Nothing goes on any more of an answer that is a task, whether or not it has ended. */
export function awaitTask(stream: Stream, exchange: Exchange): Action {
  stream.held = Held.Asking;
  stream.moment = Moment.Midway;
  return act(stream, exchange, pollTask(exchange));
}

/** Something else ends the request than what its task has come to: the server is told, and nobody waits for what it says. */
export function leaveTask(stream: Stream, exchange: Exchange): void {
  const callout = taskCancellation(exchange, exchange.arena);
  if (callout === null) return;
  send(callout, exchange.gateway.limits.handshakeTimeout, stream.root, stream.id, null);
}

/** Whether the end of its response is held, for input or for a task. */
export function holdsEnd(stream: Stream, exchange: Exchange): bool {
  const input = exchange.input;
  return stream.held !== Held.Not && (exchange.task !== null || (input !== null && input.hasEnded));
}

/** `plan.reply` is the last of the stream. */
export function endWithReply(stream: Stream, exchange: Exchange): Outcome {
  const out = newWriter(scratch, 1024);
  const plan = stream.plan;
  writeReply(exchange, out, plan !== null && plan.input !== null && plan.input!.staysDocument);
  endWithEvents(stream, exchange, out);
  return Outcome.Pass;
}
