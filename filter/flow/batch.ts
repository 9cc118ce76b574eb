import { CLOSING_BRACKET, COMMA, OPENING_BRACKET } from '../bytes/ascii';
import { make, scratch } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { isJson, kindOf, Kind, member, strip, walkThrough } from '../json/reader';
import { isString, textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { MethodKind, methodRow } from '../mcp/methods';
import { Era } from '../mcp/eras';
import { Revision } from '../mcp/revisions';
import { Shape } from '../mcp/shape';
import { Limit } from '../model/limit';
import { Hider } from '../policy/decision';
import { Session } from '../session/token';
import { Answer, Failure, messagesIn } from '../upstream/answer';
import { newConversation } from './conversation';
import { Exchange, Outcome } from './exchange';
import { completeRefusal } from './refusal';
import { Target } from './target';
import { Lifetime, Message, newMessage } from './message';
import { endLeases } from './quotas';
import { relay } from './relay';
import { NO_RESPONSE } from './success';

/**
 * A batch (JSON-RPC 2.0 §6, MCP 2025-03-26; no other revision has them). Its messages are served one after the other, each
 * as if it had come alone: the same policy, the same edits, the same refusals. A call is sent as a message of our own, as
 * the client's request can go to one server only; the answers become one array.
 */
const NOT_JSON = literal('it is not JSON');
const EMPTY = literal('the batch is empty');
const TOO_MANY = literal('the batch has more messages than limits.batch allows');
const OPENS = literal('initialize stands in a batch');
const MODERN = literal('a message of a batch claims another protocol era than its session');
const STREAM = literal('its server keeps the event stream of the answer open, which a batch cannot carry');
const METHOD = literal('method');
const ID = literal('id');

@unmanaged
export class Batch {
  /** The message that all of them came in. */
  private whole: Message;
  /** The messages (Span). */
  private messages: List;
  private served: i32;
  private answers: Writer;

  open(whole: Message, messages: List, answers: Writer): void {
    this.whole = whole;
    this.messages = messages;
    this.answers = answers;
  }

  /** Each of them was begun. */
  get isServed(): bool {
    return this.served === this.messages.count;
  }

  /** Makes the next one that of the exchange. `Serve`, or `Reply` where it is refused as it stands. */
  next(exchange: Exchange): Outcome {
    const text = this.messages.at(this.served++);
    leave(exchange);
    const message = newMessage(exchange.arena);
    exchange.message = message;
    message.whole = true;
    message.body = text;
    message.size = text as u32;
    message.lifetime = Lifetime.Stream;
    message.era = Era.Sessions;
    const envelope = message.envelope;
    envelope.read(text);
    envelope.end();
    if (envelope.problem !== Reason.None) return exchange.refuse(envelope.problem, envelope.detail);
    if (methodRow(envelope.method).kind === MethodKind.Open) return exchange.refuse(Reason.InvalidRequest, OPENS);
    if (envelope.claim !== 0) return exchange.refuse(Reason.InvalidRequest, MODERN);
    message.method = envelope.method;
    return Outcome.Serve;
  }

  /** Keeps what answers the message that is served. A notification and a response have no answer, but for a refusal. */
  take(exchange: Exchange): void {
    completeRefusal(exchange);
    if (exchange.message.envelope.shape !== Shape.Request && exchange.plan.reply.reason === Reason.None) return;
    let answer = responseIn(exchange);
    if (answer === NONE) {
      const server = exchange.server;
      exchange.refuse(Reason.UpstreamProtocol, NO_RESPONSE, server === null ? NONE : server.name);
      answer = exchange.plan.reply.body;
    }
    this.answers.byte(this.answers.size === 0 ? OPENING_BRACKET : COMMA).bytes(answer);
  }

  /** Gives the whole up, as a limit is reached. @param limit its name in the configuration */
  overload(exchange: Exchange, limit: Span): Outcome {
    this.close(exchange);
    return exchange.overload(limit);
  }

  private close(exchange: Exchange): void {
    leave(exchange);
    exchange.message = this.whole;
    exchange.batch = null;
  }

  /** The answer to the whole. */
  finish(exchange: Exchange): Outcome {
    this.close(exchange);
    // MCP transports: only what has requests in it has an answer.
    if (this.answers.size === 0) return exchange.answer(202, NONE);
    return exchange.answer(200, this.answers.byte(CLOSING_BRACKET).written);
  }
}

/** Whether the body is a batch that this session may send. `Serve`, or `Reply` where it is none. */
export function openBatch(exchange: Exchange, session: Session): Outcome {
  const arena = exchange.arena;
  const envelope = exchange.message.envelope;
  if (session.revision !== Revision.V2025_03_26) return exchange.refuse(envelope.problem, envelope.detail);
  if (!isJson(exchange.message.body, scratch)) return exchange.refuse(Reason.ParseError, NOT_JSON);
  const most = exchange.gateway.limits.batch as i32;
  const messages = newList(arena);
  const body = strip(arena.copy(exchange.message.body));
  for (const walk = walkThrough(body, scratch); walk.next();) {
    if (messages.count === most) {
      exchange.meet(Limit.Batch);
      return exchange.refuse(Reason.InvalidRequest, TOO_MANY);
    }
    messages.push(walk.value);
  }
  if (messages.count === 0) return exchange.refuse(Reason.InvalidRequest, EMPTY);
  const batch = make<Batch>(arena);
  batch.open(exchange.message, messages, newWriter(arena, 1024));
  exchange.batch = batch;
  return Outcome.Serve;
}

/** What becomes of a message of a batch that could be sent on. */
export function sendFromBatch(exchange: Exchange): Outcome {
  return relay(exchange, Reason.InvalidRequest, STREAM);
}

/** What was known of the message before: answers that still come for it are for nobody. */
function leave(exchange: Exchange): void {
  endLeases(exchange);
  const before = exchange.conversation;
  const fanOut = before.fanOut;
  if (fanOut !== null) for (let i = 0; i < fanOut.calls.count; i++) fanOut.at(i).waiting = false;
  exchange.conversation = newConversation(exchange.arena);
  exchange.conversation.abandoned = before.abandoned;
  exchange.target = changetype<Target>(0);
  exchange.server = null;
  exchange.name = NONE;
  exchange.hider = Hider.Nothing;
  exchange.isCounted = false;
  exchange.rule = null;
  exchange.auditedArguments = NONE;
  exchange.beganAt = exchange.now;
}

/** The JSON-RPC response in the reply, or NONE. */
function responseIn(exchange: Exchange): Span {
  const reply = exchange.plan.reply;
  const id = exchange.id;
  if (reply.reason !== Reason.None) return reply.body;
  const answer = make<Answer>(scratch);
  const type = reply.headers.indexOf(header.CONTENT_TYPE);
  answer.contentType = type < 0 ? NONE : reply.headers.valueAt(type);
  answer.body = reply.body;
  const messages = messagesIn(answer, make<Failure>(scratch), scratch);
  if (messages === null) return NONE;
  while (messages.next()) {
    const document = messages.document;
    if (isJson(document, scratch) && answers(id, strip(document))) return strip(document);
  }
  return NONE;
}

function answers(id: Span, message: Span): bool {
  if (kindOf(message) !== Kind.Object || member(message, METHOD, scratch) !== NONE) return false;
  const found = member(message, ID, scratch);
  if (found === NONE || isString(found) !== isString(id)) return false;
  return isString(id) ? equals(textOf(found, scratch), textOf(id, scratch)) : equals(found, id);
}
