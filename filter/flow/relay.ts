import { make, scratch } from '../bytes/arena';
import { editedPairs } from '../bytes/pairs';
import { Span, NONE } from '../bytes/span';
import { completed } from '../sse/events';
import { Answer, isEventStream } from '../upstream/answer';
import { Callout } from '../upstream/callout';
import { newFanOut } from '../federation/fanout';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Upstream } from '../session/token';
import { editedBody } from './edited-body';
import { Exchange, Outcome } from './exchange';
import { Resume, Stage } from './conversation';
import { resumeRelay } from './relayed';
import { rewritten } from './rewriting';
import { inClientsEra } from './sessions-answer';

/**
 * A call that cannot be sent on as it is becomes a message of our own, with the same edits: where the client's stream
 * already has an answer that it must not see, and where the host mode cannot send it on.
 */

/** Milliseconds: the longest `stream_idle_timeout` that the shipped listeners have. */
const IDLE: u32 = 600_000;

/**
 * In the place of `Outcome.Forward`.
 * @param reason of the refusal, should the answer be a stream that stays open: such a one cannot be relayed
 * @param why its detail
 */
export function relay(exchange: Exchange, reason: Reason, why: Span): Outcome {
  exchange.plan.relayed = true;
  exchange.plan.unstreamed = reason;
  exchange.plan.whyUnstreamed = why;
  return ask(exchange, exchange.plan.forward.upstream, Stage.Relay, exchange.callTimeout, resumeRelay);
}

/**
 * `callTimeout` ends with the first byte of an answer, which a callout does not show: what bounds it is how long the
 * listener lets its client's stream be idle.
 */
export function callAgain(exchange: Exchange, upstream: Upstream, resume: Resume): Outcome {
  return ask(exchange, upstream, Stage.CallAgain, max(IDLE, exchange.callTimeout), resume);
}

function ask(exchange: Exchange, upstream: Upstream, stage: Stage, timeout: u32, resume: Resume): Outcome {
  const arena = exchange.arena;
  const target = exchange.target;
  const fanOut = newFanOut(1, timeout, arena);
  exchange.conversation.begin(stage, fanOut, resume);
  const call = fanOut.add(target.server, upstream, arena);
  const callout = make<Callout>(arena);
  callout.cluster = target.server.cluster;
  // Framing is Envoy's.
  exchange.plan.forward.headers.add(header.CONTENT_LENGTH, NONE).add(header.TRANSFER_ENCODING, NONE);
  callout.headers = editedPairs(exchange.request.pairs, exchange.plan.forward.headers, arena);
  callout.body = target.replacesBody ? target.body : editedBody(exchange);
  call.callout = callout;
  return Outcome.Wait;
}

/** The client gets the whole answer at once, event stream or not. */
export function answerWhole(exchange: Exchange, answer: Answer): Outcome {
  const said: Span = isEventStream(answer.contentType) ? completed(answer.body, scratch) : answer.body;
  const body = rewritten(exchange, answer.contentType, said);
  if (body === NONE && answer.body !== NONE) return Outcome.Reply;
  const outcome = exchange.answer(answer.status, NONE);
  exchange.plan.reply.body = inClientsEra(exchange, answer.contentType, body);
  if (answer.contentType !== NONE)
    exchange.plan.reply.headers.add(header.CONTENT_TYPE, exchange.arena.copy(answer.contentType));
  return outcome;
}
