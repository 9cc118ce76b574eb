import { make, scratch } from '../bytes/arena';
import { fingerprint, first, literal, NONE } from '../bytes/span';
import { Answer, Ending } from '../federation/answer';
import { Lane } from '../federation/fanout';
import { shareReply } from '../flow/cors';
import { Exchange, Outcome } from '../flow/exchange';
import { resume, serve } from '../flow/dispatch';
import { errorRow } from '../mcp/errors';
import * as header from '../mcp/headers';
import { endedWith } from '../mcp/outcomes';
import { ENTROPY_SIZE, TOKEN_ID_SIZE } from '../session/token';
import { PRODUCT } from '../version';
import { send } from './callouts';
import { release } from './held';
import { sendLocalReply } from './local-reply';
import { Level, line, log } from './log';
import { forward } from './modes/verbs';
import { ensureKey } from './process-key';
import { random } from './random';
import { rootOf } from './roots';
import { Phase, Stream } from './streams';
import { Action } from './status';

const SEPARATOR = literal(': ');

/** The one place where an outcome becomes host calls. Returns what is left to do: Forward, Reply or Wait. */
function carry(stream: Stream, exchange: Exchange, outcome: Outcome): Outcome {
  if (outcome === Outcome.Serve) outcome = serve(exchange);
  if (outcome === Outcome.Wait) outcome = wait(stream, exchange);
  if (outcome === Outcome.Forward) {
    exchange.sentAt = exchange.now;
    outcome = forward(stream, exchange);
    if (outcome === Outcome.Forward) stream.phase = exchange.whole ? Phase.Forwarded : Phase.Streaming;
    else if (outcome === Outcome.Wait) outcome = wait(stream, exchange);
  }
  if (outcome === Outcome.Reply) {
    reply(exchange);
    stream.phase = Phase.Replied;
  }
  return outcome;
}

/** Carries it out, and says what the host is to do with the headers or the chunk that it asks about. */
export function act(stream: Stream, exchange: Exchange, outcome: Outcome): Action {
  const done = carry(stream, exchange, outcome);
  if (done !== Outcome.Wait) {
    stream.letGo();
    if (!exchange.kept) release(stream);
  }
  return done === Outcome.Forward ? Action.Continue : Action.Pause;
}

function wait(stream: Stream, exchange: Exchange): Outcome {
  stream.phase = Phase.Waiting;
  return sendCallouts(stream, exchange);
}

/** All that may be sent now. A callout that fails at once is answered at once, which may settle the whole. */
function sendCallouts(stream: Stream, exchange: Exchange): Outcome {
  const fanOut = exchange.fanOut!;
  let outcome: Outcome = Outcome.Wait;
  for (let lane = fanOut.next(exchange.now); lane !== null; lane = fanOut.next(exchange.now)) {
    const timeout = fanOut.remaining(lane, exchange.now);
    const ending = timeout === 0 ? Ending.NotAsked : send(lane.callout!, timeout, stream.id, lane);
    if (ending === Ending.Response) {
      lane.waiting = true;
      continue;
    }
    const answer = make<Answer>(scratch);
    answer.ending = ending;
    outcome = settle(exchange, lane, answer);
    if (outcome !== Outcome.Wait) break;
  }
  return outcome;
}

/** Gives an answer to its flow, and a failure to the log. */
export function settle(exchange: Exchange, lane: Lane, answer: Answer): Outcome {
  const outcome = resume(exchange, lane, answer);
  if (lane.done && lane.failed) {
    const text = line().bytes(lane.server.name).bytes(SEPARATOR).bytes(errorRow(lane.verdict.reason).name);
    log(Level.Warn, text.bytes(SEPARATOR).bytes(lane.verdict.detail).written, exchange.gateway.logLevel);
  }
  return outcome;
}

function reply(exchange: Exchange): void {
  warn(exchange);
  const answer = exchange.reply;
  const draft = answer.draft;
  if (draft !== null) {
    const gateway = exchange.gateway;
    const entropy = random(ENTROPY_SIZE, scratch);
    const key = gateway.keys.sealing;
    const token = draft.sealed(key, entropy, exchange.seconds, gateway.sessionTtl, exchange.audience, exchange.arena);
    answer.headers.add(header.SESSION_ID, token);
    exchange.sessionTag = fingerprint(first(entropy, TOKEN_ID_SIZE as u32));
  }
  if (exchange.page !== NONE) shareReply(answer.headers, exchange.page);
  exchange.ended = endedWith(answer.reason);
  answer.headers.add(header.GATEWAY, PRODUCT);
  sendLocalReply(answer.status, answer.reason, answer.body, answer.headers.packed());
}

function warn(exchange: Exchange): void {
  const warnings = exchange.warnings;
  if (warnings === null) return;
  for (let i = 0; i < warnings.count; i++) log(Level.Warn, warnings.at(i), exchange.gateway.logLevel);
}

/** The key must be there before the first session is opened or sealed. */
export function prepare(exchange: Exchange, stream: Stream): void {
  const root = rootOf(stream.root);
  if (root !== null) ensureKey(exchange.gateway, root.arena);
}
