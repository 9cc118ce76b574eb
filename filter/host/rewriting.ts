import { scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Exchange, Outcome } from '../flow/exchange';
import { completeRefusal } from '../flow/refusal';
import { BUFFERED_BYTES, WORKER_MEMORY } from '../flow/limits';
import { refuseLargeRequest, refuseTrailers } from '../flow/input-requests';
import { refuseUnrewritten, writeReplyEvent, writeReply } from '../flow/rewriting';
import { isAwaited, isUnanswered, refuseUnanswered } from '../flow/success';
import { Reason } from '../mcp/errors';
import { endedWith } from '../mcp/outcomes';
import { InputReader } from '../response/input-reader';
import { Obstacle } from '../response/passage';
import { ResponsePlan } from '../response/plan';
import { Rewriter } from '../response/rewriter';
import { read, replaceAll } from './buffers';
import { isOverdue, refuseCancelled } from './cancelled-streams';
import { act } from './carry';
import { askForInput, awaitInput, awaitTask, mayAwaitTask, respond } from './input-requests';
import { endWithEvents } from './last-events';
import { logFailure } from './server-log';
import { Action, Buffer } from './status';
import { Stream } from './streams';

/** A server's answer that is rewritten in passing: each part is read, and replaced where anything in it changes. */
const EMPTY = literal('');
/** Ends an event whose blank line its server leaves out. */
const BLANK_LINE = literal('\n\n');
/** A part, and what it becomes. */
const COPIES: u64 = 3;

/** @param size of the part @param ended no other one follows */
export function rewritePart(
  stream: Stream,
  exchange: Exchange,
  plan: ResponsePlan,
  rewriter: Rewriter,
  size: u32,
  ended: bool,
): Action {
  const part = size === 0 ? EMPTY : readPart(size);
  if (part === NONE) return giveUp(stream, exchange, plan, rewriter, exchange.overload(WORKER_MEMORY));
  const watcher = plan.watcher;
  if (watcher !== null) watcher.read(part);
  let text = rewriter.write(part, scratch);
  if (rewriter.obstacle !== Obstacle.None) {
    return giveUp(stream, exchange, plan, rewriter, refuseUnrewritten(exchange, rewriter));
  }
  if (isOverdue(stream, exchange.heardAt)) return endWith(stream, exchange, plan, rewriter, refuseCancelled(exchange));
  if (!stream.hold(stream.charged, exchange.gateway.limits.bufferedBytes)) {
    return giveUp(stream, exchange, plan, rewriter, exchange.overload(BUFFERED_BYTES));
  }
  const limiter = plan.limiter;
  if (limiter !== null) text = limiter.write(text, scratch);
  if (ended) {
    text = withEnd(exchange, plan, rewriter, text);
    if (text === NONE) return giveUp(stream, exchange, plan, rewriter, exchange.overload(WORKER_MEMORY));
  }
  const input = plan.input;
  if (input !== null) {
    text = held(input, text, ended);
    if (input.requests !== null) respond(stream, exchange, input.requests!);
    if (input.isTooLarge) return refuseInput(stream, exchange, text, refuseLargeRequest(exchange));
    // The client waits for an event.
    if (ended && input.isCutOff && isAwaited(exchange)) {
      refuseUnanswered(exchange);
      return refuseInput(stream, exchange, EMPTY, Outcome.Reply);
    }
    if (input.isTask && input.required !== NONE) {
      return holdTask(stream, exchange, text, input.required, size, ended);
    }
    if (input.required !== NONE) return ask(stream, exchange, text, input.required, size, ended);
  }
  if (text !== part && (size > 0 || length(text) > 0)) replaceAll(Buffer.ResponseBody, text);
  // Envoy keeps its buffer, empty, so that there is one to be filled where trailers are the end.
  const isKept = limiter !== null && rewriter.events === null && !ended && length(text) === 0;
  return isKept ? Action.Pause : Action.Continue;
}

/** What goes on of it while it may ask the client for input. */
function held(input: InputReader, text: Span, ended: bool): Span {
  const going = input.write(text, scratch);
  const left: Span = ended ? input.end(scratch) : EMPTY;
  if (length(left) === 0) return going;
  return newWriter(scratch, (length(going) + length(left)) as usize)
    .bytes(going)
    .bytes(left).written;
}

/** @param message that asks the client for input. @param text that goes on before it. @param size of the part */
function ask(stream: Stream, exchange: Exchange, text: Span, message: Span, size: u32, ended: bool): Action {
  const going = askForInput(stream, exchange, text, message, ended);
  if (going === NONE) return refuseInput(stream, exchange, text, Outcome.Reply);
  if (size > 0 || length(going) > 0) replaceAll(Buffer.ResponseBody, going);
  return ended ? awaitInput(stream, exchange) : Action.Continue;
}

/**
 * The answer is a task: nothing goes on behind what stands before it, until the task is done. Parameters are those of `ask`.
 */
function holdTask(stream: Stream, exchange: Exchange, text: Span, message: Span, size: u32, ended: bool): Action {
  if (!mayAwaitTask(exchange, message)) return refuseInput(stream, exchange, text, Outcome.Reply);
  if (size > 0 || length(text) > 0) replaceAll(Buffer.ResponseBody, text);
  // What stands before it goes on first. Else the end need not have come: a server may leave its stream open.
  return ended || length(text) === 0 ? awaitTask(stream, exchange) : Action.Continue;
}

/** Whether its answer is a task, which has come whole. */
export function isTaskFound(plan: ResponsePlan): bool {
  const input = plan.input;
  return input !== null && input.isTask && input.required !== NONE;
}

/**
 * The client cannot be asked: it gets the refusal in the place of its answer, of which nothing has gone on.
 * @param text that goes on before: whole events. @param outcome the refusal is ready
 */
function refuseInput(stream: Stream, exchange: Exchange, text: Span, outcome: Outcome): Action {
  const reply = exchange.plan.reply;
  logFailure(exchange, exchange.target.server, reply.reason, reply.detail);
  const out = newWriter(scratch, (length(text) as usize) + 1024).bytes(text);
  const plan = stream.plan;
  if (plan === null || plan.input === null || !plan.input!.staysDocument) return goOnWithReply(stream, exchange, out);
  writeReply(exchange, out, true);
  endWithEvents(stream, exchange, out);
  return Action.Continue;
}

/**
 * The body has ended with trailers: what was kept of a document for its size goes on.
 * @returns whether that is all; else the refusal is ready
 */
export function endKept(exchange: Exchange, plan: ResponsePlan): bool {
  const rewriter = plan.rewriter;
  if (rewriter === null) return true;
  const input = plan.input;
  if (plan.limiter !== null && rewriter.events === null) {
    const kept = heldToSize(exchange, plan, rewriter.end(scratch));
    replaceAll(Buffer.ResponseBody, input === null ? kept : held(input, kept, true));
  }
  if (input === null) return true;
  if (isTaskFound(plan)) {
    if (mayAwaitTask(exchange, input.required)) return true;
  } else if (input.required !== NONE) refuseTrailers(exchange);
  else if (input.isCutOff && isAwaited(exchange)) refuseUnanswered(exchange);
  else return true;
  const reply = exchange.plan.reply;
  logFailure(exchange, exchange.target.server, reply.reason, reply.detail);
  return false;
}

function readPart(size: u32): Span {
  return hasRoom(COPIES * (size as u64)) ? read(Buffer.ResponseBody, 0, size as usize) : NONE;
}

/**
 * What goes on last: what was kept, and in an event stream the answer that its server owes. NONE: there is no memory for it.
 * @param text that goes on before
 */
function withEnd(exchange: Exchange, plan: ResponsePlan, rewriter: Rewriter, text: Span): Span {
  const kept = heldToSize(exchange, plan, rewriter.end(scratch));
  const events = rewriter.events;
  const out = newWriter(scratch, 1024);
  if (isUnanswered(exchange, plan)) {
    refuseUnanswered(exchange);
    if (events !== null) {
      rewriter.writeEndOfRead(out);
      writeReplyEvent(exchange, out);
    } else if (!plan.begun) {
      completeRefusal(exchange);
      out.bytes(exchange.plan.reply.body);
    }
  } else if (events !== null && events.isInEvent && isWhole(plan)) out.bytes(BLANK_LINE);
  const size = length(kept) + out.size;
  if (size === 0) return text;
  const all = ((length(text) + size) as usize) + 1;
  if (!hasRoom(all as u64)) return NONE;
  return newWriter(scratch, all).bytes(text).bytes(kept).bytes(out.written).written;
}

/** What still goes on of what the rewriter had kept, and of what was kept for its size. */
function heldToSize(exchange: Exchange, plan: ResponsePlan, kept: Span): Span {
  const limiter = plan.limiter;
  if (limiter === null) return kept;
  const going = limiter.write(kept, scratch);
  const left = limiter.end(scratch);
  if (limiter.refused) exchange.ended = endedWith(Reason.ResultTooLarge);
  return newWriter(scratch, (length(going) + length(left)) as usize)
    .bytes(going)
    .bytes(left).written;
}

function isWhole(plan: ResponsePlan): bool {
  const watcher = plan.watcher;
  return watcher !== null && watcher.isWhole;
}

/**
 * It cannot go on. A client that waits for the answer in an event stream gets the refusal as an event, and nothing that
 * follows it; all others see that the response breaks off.
 * @param outcome the refusal is ready
 */
function giveUp(stream: Stream, exchange: Exchange, plan: ResponsePlan, rewriter: Rewriter, outcome: Outcome): Action {
  const reply = exchange.plan.reply;
  logFailure(exchange, exchange.target.server, reply.reason, reply.detail);
  return endWith(stream, exchange, plan, rewriter, outcome);
}

function endWith(stream: Stream, exchange: Exchange, plan: ResponsePlan, rewriter: Rewriter, outcome: Outcome): Action {
  const watcher = plan.watcher;
  const hasAnswer = watcher !== null && watcher.endsEvent;
  if (rewriter.events === null || hasAnswer || !isAwaited(exchange)) return act(stream, exchange, outcome);
  const out = newWriter(scratch, 1024);
  rewriter.writeEndOfSent(out);
  return goOnWithReply(stream, exchange, out);
}

/** The reply, as an event, is the last that goes on. @param out what stands before it */
function goOnWithReply(stream: Stream, exchange: Exchange, out: Writer): Action {
  writeReplyEvent(exchange, out);
  endWithEvents(stream, exchange, out);
  return Action.Continue;
}
