import { Batch } from './batch';
import { Conversation, newConversation } from './conversation';
import { InputRequests } from './input-requests';
import { Caller, newCaller } from './caller';
import { Message, newMessage } from './message';
import { newPlan, Plan } from './plan';
import { PolledTask } from './polled-task';
import { writeRefusal } from './refusal';
import { Reply } from './reply';
import { Target } from './target';
import { Arena, make } from '../bytes/arena';
import { HeaderList, newHeaderList } from '../bytes/pairs';
import { List, newList } from '../bytes/list';
import { Span, equals, literal, NONE } from '../bytes/span';
import { AuthorizationRule } from '../model/authorization';
import { Gateway } from '../model/gateway';
import { Key } from '../model/keyring';
import { Limit, limitBehind, limitName } from '../model/limit';
import { Server } from '../model/server';
import { OpenedList } from '../federation/opened-lists';
import { Failure } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { resultMessage } from '../upstream/message';
import { Era } from '../mcp/eras';
import { inStatelessEra, Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { MethodKind, methodRow } from '../mcp/methods';
import { Noun, NounRow, nounRow } from '../mcp/nouns';
import { Ended } from '../mcp/outcomes';
import { Revision } from '../mcp/revisions';
import { Hider } from '../policy/decision';
import { LimitSet } from '../session/limits-met';
import { Session } from '../session/token';
import { catalogNeed, isOfCatalog } from './catalog-need';
import { forgetRefusedToken } from './credentials';
import { Request } from './request';

/**
 * What is to happen next with a request; with what is in its plan. `host/carry.ts` carries it out, nothing else does.
 */
export const enum Outcome {
  /** Read the body, then ask `admit`. */
  ReadBody,
  /** Admitted: ask `serve`. */
  Serve,
  /** Send it on with the edits in `plan.forward`. */
  Forward,
  /** Answer it with `plan.reply`. */
  Reply,
  /** Send the callouts that `conversation.fanOut` has ready, and give each answer to `resume`; with each tick, ask `poll`. */
  Wait,
  /** Let the response of the upstream pass as it came, which was held. */
  Pass,
  /** Do nothing: the host has answered it by itself meanwhile. */
  Leave,
}

/** One request from its first header to its last response byte. Lives in the stream's arena. */
@unmanaged
export class Exchange {
  arena: Arena;
  gateway: Gateway;
  request: Request;
  caller: Caller;
  message: Message;
  /** Nanoseconds since 1970, of the current callback. */
  now: u64;
  /** The revision of the session, and what servers can ask of the client in it, once `initialize` has settled them. */
  revision: Revision;
  clientCapabilities: u32;
  conversation: Conversation;
  /** Headers that say the trace which the message says, and its own do not; NONE removes one. Null: there are none. */
  trace: HeaderList | null;
  /** The batch that `message` is one of, or null. */
  batch: Batch | null;
  target: Target;
  /** What the client is asked for in its stead, see input-requests.ts; null: nothing. */
  input: InputRequests | null;
  /** What its server has made of the call in the place of an answer, see polled-task.ts; null: nothing. */
  task: PolledTask | null;
  plan: Plan;
  /** The id of the event behind which a stream is to go on, as its server wrote it, or NONE. */
  lastEventId: Span;
  /** Kept lists whose pages its calls have (OpenedList), or null. */
  private borrowed: List | null;
  /** The one server that it is about, or null. */
  server: Server | null;
  /** The name that the headers say, where they decide. */
  named: Span;
  /** The name that the client asked for, of a tool or another noun, cut; NONE where it asked for none. */
  name: Span;
  ended: Ended;
  /** What keeps what it names from existing for it; and, where a record is kept, the rule that decided, or null. */
  hider: Hider;
  rule: AuthorizationRule | null;
  /** Arguments of its call as the record shows them, or NONE. */
  auditedArguments: Span;
  /** It has been counted in the budgets of requests. */
  isCounted: bool;
  /** Leases of its call (key, then id), see quotas.ts; null: it has none. */
  leases: List | null;
  /** Limits that it has met, a bit each (`meet`). */
  limitsMet: LimitSet;
  /** Its messages have been recorded one by one. */
  isAudited: bool;
  /** Nanoseconds since 1970 at which its headers came. */
  beganAt: u64;
  /** Nanoseconds since 1970 at which it was sent on. */
  sentAt: u64;
  /** Nanoseconds since 1970 at which something of its answer came last. */
  heardAt: u64;
  /** It calls a tool of the gateway's own, see own-tools.ts; then `message` may be what that has made of it. */
  isForOwnTool: bool;
  /** It comes over HTTP+SSE, see http-sse.ts. */
  isHttpSse: bool;
  /** The address that a message came to, without what stands before it; NONE: it asks for the stream. */
  address: Span;
  /** What the address of this stream was sealed with, which is the client's session; null: it has none yet, or is no such stream. */
  stream: Session | null;
  /** The key of the task that it names, or null. */
  repeatedUnder: Key | null;

  /** What the method is about. */
  get noun(): NounRow {
    const row = methodRow(this.message.method);
    return nounRow(row.kind === MethodKind.Ref ? this.message.envelope.noun : row.noun);
  }

  /** It is a response of the client, to what a server has asked. */
  get isResponse(): bool {
    return this.message.envelope.isResponse;
  }

  /** It is a GET: a stream is asked for, no message is sent. */
  get isForEvents(): bool {
    return equals(this.request.method, header.GET);
  }

  /** Its server is known. */
  get isAimed(): bool {
    return changetype<usize>(this.target) !== 0;
  }

  /** Whether it may wait for an answer of a server before it is decided on. */
  get mayWait(): bool {
    return this.message.whole || this.message.canHoldBack;
  }

  /** The request's, as the client wrote it; NONE where it has none, or it has not come. */
  get id(): Span {
    return this.message.envelope.requestId;
  }

  /** The id that the message has at its server. */
  get idAtServer(): Span {
    return this.isAimed && this.target.id !== NONE ? this.target.id : this.id;
  }

  /** The key for what a caller is to repeat: that of what it has repeated itself, so that a task keeps its id. */
  get sealing(): Key {
    const key = this.repeatedUnder;
    return key === null ? this.gateway.keys.sealing : key;
  }

  get seconds(): u32 {
    return (this.now / 1_000_000_000) as u32;
  }

  /** Milliseconds until the response to what is sent to its target must have begun. */
  get callTimeout(): u32 {
    const server = this.target.server;
    if (this.noun.noun !== Noun.Tools) return server.callTimeout;
    return server.rulesOf(Noun.Tools).timeoutOf(this.target.name, server.callTimeout);
  }

  /** Its number in metrics. */
  get label(): u32 {
    const server = this.server;
    return server === null ? this.gateway.label : server.label;
  }

  /** Gives a call the pages of a list that is kept, for as long as the exchange lives. */
  borrow(list: OpenedList, call: UpstreamCall, revision: Revision): void {
    if (this.borrowed === null) this.borrowed = newList(this.arena);
    this.borrowed!.push(changetype<usize>(list) as u64);
    list.lend(call.pages, call.noun, revision, this.arena);
    call.cached = true;
  }

  /** At its end. */
  giveBack(): void {
    const borrowed = this.borrowed;
    if (borrowed === null) return;
    for (let i = 0; i < borrowed.count; i++) changetype<OpenedList>(borrowed.at(i) as usize).release();
    this.borrowed = null;
  }

  /** Notes that a limit has kept it from what it asked for; `None` is none. */
  meet(limit: Limit): void {
    this.limitsMet |= (1 << limit) & ~1;
  }

  /** Answers with a body that is JSON, or without one. */
  answer(status: u32, body: Span): Outcome {
    const reply = make<Reply>(this.arena);
    reply.status = status;
    reply.headers = newHeaderList(this.arena);
    if (body !== NONE) reply.headers.add(header.CONTENT_TYPE, header.JSON_TYPE);
    reply.body = body;
    this.plan.reply = reply;
    return Outcome.Reply;
  }

  /** The response to the request, as the client's era has it. */
  messageOf(result: Span): Span {
    return resultMessage(this.id, result, this.arena, this.message.era === Era.Stateless);
  }

  /** Answers with a row of the error table. @param detail of any length and content: it is cut and escaped */
  refuse(reason: Reason, detail: Span = NONE, server: Span = NONE, more: Span = NONE): Outcome {
    if (this.gateway.awaitsCatalog && isOfCatalog(reason)) return this.awaitCatalog();
    this.answer(0, NONE);
    this.meet(limitBehind(reason));
    const reply = this.plan.reply;
    reply.headers.add(header.CONTENT_TYPE, header.JSON_TYPE);
    reply.reason = this.message.era === Era.Stateless ? inStatelessEra(reason) : reason;
    reply.detail = this.copied(clipped(detail, MAX_DETAIL));
    reply.server = server;
    reply.more = this.copied(more);
    writeRefusal(this);
    return Outcome.Reply;
  }

  /** Refuses what the catalog has to decide on, or to name, and has not come. */
  awaitCatalog(): Outcome {
    const outcome = this.refuse(Reason.CatalogUnready, catalogNeed(this.gateway, this.arena));
    this.plan.reply.headers.add(header.RETRY_AFTER, A_SECOND);
    return outcome;
  }

  /** Answers with a result. @param reason of a failure that the result tells, or None */
  answerResult(result: Span, reason: Reason = Reason.None): Outcome {
    return this.answerMessage(this.messageOf(result), reason);
  }

  /** Answers with the response to the request, whole. */
  answerMessage(message: Span, reason: Reason = Reason.None): Outcome {
    this.answer(200, message);
    const reply = this.plan.reply;
    reply.reason = reason;
    reply.hasId = true;
    return Outcome.Reply;
  }

  private copied(text: Span): Span {
    return text === NONE ? NONE : this.arena.copy(text);
  }

  /** Answers that a limit of ours is reached. @param limit its name in the configuration */
  overload(limit: Span): Outcome {
    const isBudget = equals(limit, limitName(Limit.BufferedBytes));
    this.meet(isBudget ? Limit.BufferedBytes : Limit.WorkerMemory);
    const outcome = this.refuse(Reason.Overloaded, limit);
    this.plan.reply.headers.add(header.RETRY_AFTER, A_SECOND);
    return outcome;
  }

  /** Answers with what a server failed at. */
  refuseFor(call: UpstreamCall): Outcome {
    return this.refuseWith(call.failure, call.server);
  }

  /** @param failure on an answer of the server's */
  refuseWith(failure: Failure, server: Server): Outcome {
    this.meet(failure.limit);
    const outcome = this.refuse(failure.reason, failure.detail, server.name);
    if (failure.reason === Reason.UpstreamUnauthorized) forgetRefusedToken(this, server);
    if (failure.retryAfter !== NONE)
      this.plan.reply.headers.add(header.RETRY_AFTER, this.arena.copy(failure.retryAfter));
    return outcome;
  }
}

const MAX_DETAIL = 256;
const A_SECOND = literal('1');

export function newExchange(gateway: Gateway, request: Request, arena: Arena): Exchange {
  const exchange = make<Exchange>(arena);
  exchange.arena = arena;
  exchange.gateway = gateway;
  exchange.request = request;
  exchange.conversation = newConversation(arena);
  exchange.caller = newCaller(arena);
  exchange.message = newMessage(arena);
  exchange.plan = newPlan(arena);
  return exchange;
}
