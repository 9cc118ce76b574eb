import { CLOSING_BRACE, COLON, COMMA, OPENING_BRACE } from '../bytes/ascii';
import { Arena, make, scratch } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, after, contains, equals, first, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { valuesIn } from '../bytes/pairs';
import { FanOut } from '../federation/fanout';
import { Kind, kindOf, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { ASKABLE, ELICITATION, ROOTS, SAMPLING } from '../mcp/client-capabilities';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Method, methodText } from '../mcp/methods';
import { Limit } from '../model/limit';
import { tellStream } from '../ports';
import { inputRequiredIn, InputReader, newInputReader, Takes } from '../response/input-reader';
import { decodeInputRequestId, encodeInputRequestId, Waiter } from '../session/input-request-id';
import { noteResponse } from '../session/input-responses';
import { openSealed, writeSealed } from '../session/sealed-text';
import { decodeServerRequestId } from '../session/server-request-id';
import { Session } from '../session/token';
import { writeMessageEvent } from '../sse/events';
import { Answer, isEventStream } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { Callout, post } from '../upstream/callout';
import { Exchange, Outcome } from './exchange';
import { callAgain } from './relay';
import { tellAsRouted } from './relayed';
import { sendOn } from './send-on';
import { sessionsReader } from './sessions-answer';
import { accept } from './tell';
import { asWritten } from './translation';

/**
 * Input that a server of 2026-07-28 needs for a request of a client with a session. Such a server answers that it needs
 * input, and is asked once more with that (MCP, multi round-trip requests); such a client is asked in the stream of its
 * answer, and responds in a message of its own. Between the two:
 *
 *     client ── tools/call ──▶ gateway ──▶ server
 *            ◀─ elicitation/create ──      ◀─ input_required, the end
 *               (the end of the stream waits)
 *            ── response ──▶ any worker, which tells the one that waits
 *                                    ──▶ the call once more, with the input
 *            ◀─ the result, the end ──     ◀─ result
 *
 * A filter can let go what it has in hand once after a response has ended, so a client is asked once: a server that asks
 * again after that is told to the client as a failure. The response has to come to the Envoy that waits, so nothing is asked
 * where another can have the session.
 */

/** What a server can want to know at once. */
const MOST_REQUESTS: i32 = 16;
/** How often a server is asked again that wants nothing to be known. */
const MOST_ROUNDS: i32 = 8;

const PURPOSE = literal('sluice input response');
const RESULT = literal('result');
const ERROR = literal('error');
const REQUESTS = literal('inputRequests');
const STATE = literal('requestState');
const METHOD = literal('method');
const ID = literal('id');
const PONG = literal(',"result":{}}');
const NO_SUCH_METHOD = literal(
  ',"error":{"code":-32601,"message":"The client has declared that it cannot be asked for this: it speaks MCP 2026-07-28."}}',
);
const PARAMS = literal('params');
const MODE = literal('mode');
const URL = literal('url');
const ELICITATION_ID = literal('elicitationId');
const CREATE_ELICITATION = literal('elicitation/create');
const CREATE_MESSAGE = literal('sampling/createMessage');
const LIST_ROOTS = literal('roots/list');

const REQUEST_OPEN = literal('{"jsonrpc":"2.0","id":');
const REQUEST_METHOD = literal(',"method":');
const REQUEST_PARAMS = literal(',"params":');
const ELICITATION_ID_MEMBER = literal(',"elicitationId":');
const RESPONSES_MEMBER = literal(',"inputResponses":');
const STATE_MEMBER = literal(',"requestState":');
const CANCELLED = literal('{"action":"cancel"}');

const ASKS_AGAIN = literal(
  'it has asked the client once, and asks again; a client with a session can be asked once for each call',
);
const TOO_LARGE = literal('what it asks for is larger than limits.event allows');
const NO_END = literal('it ends its answer together with its question, so that there is no moment to ask the client');
const NOTHING_BEHIND = literal(
  'its answer ends in HTTP trailers behind its question, and nothing can be sent to the client behind those',
);
const REFUSED = literal('the client has answered with an error');
const UNKNOWN = literal('it asks for what the client does not know, or for nothing');
const TOO_MANY = literal('it asks for more than 16 things at once');
const WITHOUT_END = literal('it asks to be called again without end');

/** What is asked of a client, and what has come of it. */
@unmanaged
export class InputRequests {
  /** Each is a member's name in JSON, and what stands there of the responses, or NONE. */
  private keys: List;
  private responses: List;
  private methods: List;
  private missing: i32;
  /** What its server wants to have back, a string token, or NONE. */
  state: Span;
  /** The server has been asked again so often. */
  rounds: i32;
  /** The answer in which the server has asked has ended, so it can be asked again. */
  hasEnded: bool;
  /** A response was an error that has no place in the responses. */
  isRefused: bool;

  get isAnswered(): bool {
    return this.missing === 0;
  }

  /** Whether anything is asked of the client. */
  get asks(): bool {
    return this.keys.count > 0;
  }

  add(key: Span, method: u32): void {
    this.keys.push(key as u64);
    this.methods.push(method as u64);
    this.responses.push(NONE as u64);
    this.missing++;
  }

  get count(): i32 {
    return this.keys.count;
  }

  /** Takes a response; the first one counts. @param value of its result, or of its error */
  take(index: i32, isError: bool, value: Span): void {
    if (index >= this.count || (this.responses.at(index) as Span) !== NONE) return;
    this.missing--;
    if (!isError) this.responses.set(index, this.keys.arena.copy(value) as u64);
    else if ((this.methods.at(index) as u32) === ELICITATION) this.responses.set(index, CANCELLED as u64);
    else {
      this.responses.set(index, CANCELLED as u64);
      this.isRefused = true;
    }
  }

  /** The members of `params` with which the server is asked again. */
  write(out: Writer): Writer {
    if (this.asks) {
      out.bytes(RESPONSES_MEMBER).byte(OPENING_BRACE);
      for (let i = 0; i < this.count; i++) {
        if (i > 0) out.byte(COMMA);
        out
          .bytes(this.keys.at(i) as Span)
          .byte(COLON)
          .bytes(this.responses.at(i) as Span);
      }
      out.byte(CLOSING_BRACE);
    }
    return this.state === NONE ? out : out.bytes(STATE_MEMBER).bytes(this.state);
  }

  begin(arena: Arena): void {
    this.keys = newList(arena);
    this.responses = newList(arena);
    this.methods = newList(arena);
    this.missing = 0;
  }
}

/** What a server of the other era may be told that the client can be asked for, in bits. Where that leads nowhere: nothing. */
export function askableAcross(exchange: Exchange): u32 {
  const session = exchange.caller.session;
  if (session === null || session.isShared || exchange.message.era !== Era.Sessions) return 0;
  const asked = session.capabilities & ASKABLE;
  if (asked === 0 || !exchange.gateway.keys.isOfOneEnvoy) return 0;
  // The answer comes whole where a message is one of several, or is sent as one of ours.
  if (exchange.batch !== null || exchange.isForOwnTool || exchange.plan.relayed || exchange.isHttpSse) return 0;
  if (!exchange.message.whole || !exchange.message.isKept) return 0;
  return contains(valuesIn(exchange.request.pairs, header.ACCEPT, scratch), header.EVENTS_TYPE) ? asked : 0;
}

/** Null where the server can ask its client for nothing, and makes no tasks. @param contentType of its answer */
export function inputReaderFor(exchange: Exchange, contentType: Span): InputReader | null {
  if (!exchange.isAimed) return null;
  const isStream = isEventStream(contentType);
  if (exchange.message.era === Era.Stateless) return sessionsReader(exchange, contentType);
  const target = exchange.target;
  if (target.asksFor === 0 && !target.takesTasks) return null;
  const staysDocument = !isStream && target.asksFor === 0;
  const takes = target.takesTasks ? Takes.Tasks : Takes.Nothing;
  return newInputReader(isStream, exchange.gateway.limits.event, takes, staysDocument, exchange.arena);
}

/**
 * What the gateway responds to a request of a server whose client is of the era that has no such requests: it is there, and
 * can be asked for nothing. Such a server was told so, and may ask all the same.
 * @param request the message
 */
export function responseTo(exchange: Exchange, request: Span): Callout {
  const arena = exchange.arena;
  const method = member(request, METHOD, scratch);
  const name = method === NONE || kindOf(method) !== Kind.String ? NONE : textOf(method, scratch);
  // As the client would have got it.
  const id = member(request, ID, scratch);
  const asked = decodeServerRequestId(exchange.caller.session!, id, scratch);
  const body = newWriter(arena, 256)
    .bytes(REQUEST_OPEN)
    .bytes(asked === null ? id : asked.original);
  body.bytes(name !== NONE && equals(name, methodText(Method.Ping)) ? PONG : NO_SUCH_METHOD);
  return post(exchange.target.server, exchange.plan.forward.upstream, body.written, exchange.request.pairs, arena);
}

/**
 * Asks the client for what the server needs.
 * @param message the answer that asks for it. @param ended nothing more can be sent before the client has answered
 * @returns the events that ask it; NONE: it cannot be asked, and the refusal is ready
 */
export function askClient(exchange: Exchange, message: Span, waiter: Waiter, ended: bool): Span {
  const input = newInput(exchange);
  exchange.input = input;
  const result = member(message, RESULT, scratch);
  takeState(exchange, input, result);
  const requests = member(result, REQUESTS, scratch);
  const out = newWriter(scratch, 1024);
  if (requests !== NONE && kindOf(requests) === Kind.Object) {
    for (const walk = walkThrough(requests, scratch); walk.next();) {
      if (input.count === MOST_REQUESTS) return cannot(exchange, TOO_MANY);
      if (!writeRequest(exchange, input, walk.name, walk.value, waiter, out)) return cannot(exchange, UNKNOWN);
    }
  }
  if (!input.asks && input.state === NONE) return cannot(exchange, UNKNOWN);
  return ended && input.asks ? cannot(exchange, NO_END) : out.written;
}

function cannot(exchange: Exchange, why: Span): Span {
  refuse(exchange, why);
  return NONE;
}

function refuse(exchange: Exchange, why: Span): Outcome {
  return exchange.refuse(Reason.InputUnanswered, why, exchange.target.server.name);
}

/** What asks for input is more than may be kept. */
export function refuseLargeRequest(exchange: Exchange): Outcome {
  exchange.meet(Limit.Event);
  return refuse(exchange, TOO_LARGE);
}

/** What asks for input ends in trailers: the result can reach the client no more. */
export function refuseTrailers(exchange: Exchange): Outcome {
  return refuse(exchange, NOTHING_BEHIND);
}

function newInput(exchange: Exchange): InputRequests {
  const input = make<InputRequests>(exchange.arena);
  input.begin(exchange.arena);
  return input;
}

function takeState(exchange: Exchange, input: InputRequests, result: Span): void {
  const state = member(result, STATE, scratch);
  input.state = state === NONE || kindOf(state) !== Kind.String ? NONE : exchange.arena.copy(state);
}

/** False: a client with this session is not asked that. @param key as a token of JSON */
function writeRequest(
  exchange: Exchange,
  input: InputRequests,
  key: Span,
  request: Span,
  waiter: Waiter,
  out: Writer,
): bool {
  const method = member(request, METHOD, scratch);
  const capability = capabilityFor(method);
  if (capability === 0 || (exchange.target.asksFor & capability) === 0) return false;
  const arena = exchange.arena;
  const id = encodeInputRequestId(exchange.caller.session!, waiter, input.count, scratch);
  input.add(arena.copy(key), capability);
  const params = member(request, PARAMS, scratch);
  const text = newWriter(scratch, ((length(request) + length(id)) as usize) + 256);
  text.bytes(REQUEST_OPEN).bytes(id).bytes(REQUEST_METHOD).bytes(method);
  if (params !== NONE) {
    text.bytes(REQUEST_PARAMS);
    if (lacksElicitationId(params)) {
      const end = (length(params) as u32) - 1;
      text.bytes(first(params, end)).bytes(ELICITATION_ID_MEMBER).bytes(id).byte(CLOSING_BRACE);
    } else text.bytes(params);
  }
  writeMessageEvent(out, text.byte(CLOSING_BRACE).written);
  return true;
}

/** Until 2025-11-25 what asks for a page to be opened has an id of its own, by which its server could tell that it was. */
function lacksElicitationId(params: Span): bool {
  const mode = member(params, MODE, scratch);
  if (mode === NONE || member(params, ELICITATION_ID, scratch) !== NONE) return false;
  const text = kindOf(mode) === Kind.String ? textOf(mode, scratch) : NONE;
  return text !== NONE && equals(text, URL);
}

function capabilityFor(method: Span): u32 {
  if (method === NONE || kindOf(method) !== Kind.String) return 0;
  const name = textOf(method, scratch);
  if (name === NONE) return 0;
  if (equals(name, CREATE_ELICITATION)) return ELICITATION;
  if (equals(name, CREATE_MESSAGE)) return SAMPLING;
  return equals(name, LIST_ROOTS) ? ROOTS : 0;
}

/**
 * A response of the client to such a request: the stream that waits is told. `ReadBody`: the rest of it has to come first.
 */
export function passToWaiter(exchange: Exchange, session: Session): Outcome {
  const envelope = exchange.message.envelope;
  const asked = decodeInputRequestId(session, envelope.responseId, scratch);
  if (asked === null) return exchange.refuse(Reason.UnexpectedResponse);
  if (!exchange.message.whole) return Outcome.ReadBody;
  const body = exchange.message.body;
  const result = member(body, RESULT, scratch);
  const value = result === NONE ? member(body, ERROR, scratch) : result;
  if (value === NONE) return exchange.refuse(Reason.UnexpectedResponse);
  // The first one counts.
  const id = textOf(envelope.responseId, scratch);
  if (!noteResponse(session, id, exchange.gateway.keys, scratch)) return accept(exchange);
  const plain = newWriter(scratch, (length(value) as usize) + HEAD)
    .u64(asked.waiter.vm)
    .u8(asked.index as u8)
    .u8(result === NONE ? 1 : 0)
    .bytes(value).written;
  const text = newWriter(scratch, (length(plain) as usize) * 2);
  // Any plugin of this Envoy could put something into the queue.
  writeSealed(text, session, PURPOSE, plain);
  tellStream(asked.waiter.queue, asked.waiter.stream, text.written);
  return accept(exchange);
}

const HEAD: usize = 8 + 1 + 1;

/** Takes what `passToWaiter` has sealed. Whether the server can be asked again now. @param vm that this is */
export function takeResponse(exchange: Exchange, vm: u64, text: Span): bool {
  const input = exchange.input;
  const session = exchange.caller.session;
  if (input === null || session === null || input.isAnswered) return false;
  const plain = openSealed(session, PURPOSE, text, scratch);
  if (length(plain) <= (HEAD as i32) || load<u64>(pointer(plain)) !== vm) return false;
  input.take(load<u8>(pointer(plain), 8) as i32, load<u8>(pointer(plain), 9) !== 0, after(plain, HEAD as u32));
  return input.isAnswered && input.hasEnded;
}

/** Asks the server again, with all that the client has said. */
export function askServerAgain(exchange: Exchange): Outcome {
  const input = exchange.input!;
  if (input.isRefused) return refuse(exchange, REFUSED);
  input.rounds++;
  asWritten(exchange.target);
  const upstream = exchange.plan.forward.upstream;
  sendOn(exchange, upstream);
  return callAgain(exchange, upstream, resumeInput);
}

function resumeInput(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  fanOut.finish(call);
  const body = answer.body;
  const message = body === NONE ? NONE : inputRequiredIn(body, isEventStream(answer.contentType), scratch);
  if (message === NONE) return tellAsRouted(exchange, call, answer);
  const result = member(message, RESULT, scratch);
  if (member(result, REQUESTS, scratch) !== NONE) return refuse(exchange, ASKS_AGAIN);
  const rounds = exchange.input!.rounds;
  if (rounds === MOST_ROUNDS) return refuse(exchange, WITHOUT_END);
  const input = newInput(exchange);
  exchange.input = input;
  input.rounds = rounds;
  input.hasEnded = true;
  takeState(exchange, input, result);
  return input.state === NONE ? refuse(exchange, UNKNOWN) : askServerAgain(exchange);
}
