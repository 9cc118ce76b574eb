import { Arena } from '../bytes/arena';
import { Span, after, first, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Answer } from '../upstream/answer';
import { UpstreamCall } from '../upstream/call';
import { Callout, post } from '../upstream/callout';
import { FanOut, newFanOut } from '../federation/fanout';
import { Server } from '../model/server';
import { ABORTED } from '../mcp/outcomes';
import { mayReach } from '../policy/decision';
import { upstreamOf } from '../session/overlay';
import { Session, Upstream } from '../session/token';
import { Asker } from './asker';
import { Exchange, Outcome } from './exchange';
import { Stage } from './conversation';

/**
 * Notifications of the client that servers are told. What they answer changes nothing: the client's reply is 202 (MCP
 * transports). `limits.fanOut` bounds how many are under way at once.
 */

/** Bytes: a reason may be long, a copy for each server must not be. What is longer is accepted, and told to nobody. */
const MOST_OF_NOTICE: u32 = 16 << 10;

const CANCELLED_OPEN = literal('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":');
const CANCELLED_END = literal('}}');
const CANCELLED_CLOSE = literal(
  ',"reason":"the gateway answers this call whole, so what a server asks in its event stream does not reach the client"}}',
);

/** Told to nobody. */
export function accept(exchange: Exchange): Outcome {
  return exchange.answer(202, NONE);
}

/**
 * To every server of the session, because which of them it concerns is not known here, or it concerns all. Nobody waits for
 * them: the client has its reply once the last one was sent.
 */
export function tellServers(exchange: Exchange, session: Session): Outcome {
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  if (exchange.message.size > MOST_OF_NOTICE) return accept(exchange);
  const message = arena.copy(exchange.message.body);
  const fanOut = begin(exchange);
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (!server.dialect.isMcp || !mayReach(server, exchange.caller.scope)) continue;
    const upstream = upstreamOf(session, server.fingerprint, gateway.keys, arena);
    // Without a session it has nothing that this could be about.
    if (upstream !== null && upstream.dialect.hasSessions) add(exchange, fanOut, server, upstream, message);
  }
  return send(exchange, fanOut, Stage.Tell);
}

/**
 * To the server that has asked for something, with its own id or token. The client has its reply when the server has the
 * message, or its time is up: the response that may come next goes another way, and must not be there before.
 * @param token of the body, in the place of which that stands then
 */
export function tellAsker(exchange: Exchange, asker: Asker, token: Span): Outcome {
  const body = exchange.message.body;
  if (exchange.message.size > MOST_OF_NOTICE) return accept(exchange);
  const from = (pointer(token) - pointer(body)) as u32;
  const message = newWriter(exchange.arena, length(body) as usize)
    .bytes(first(body, from))
    .bytes(asker.original)
    .bytes(after(body, from + (token as u32))).written;
  const fanOut = begin(exchange);
  add(exchange, fanOut, asker.server, asker.upstream, message);
  return send(exchange, fanOut, Stage.Deliver);
}

/**
 * A server keeps the answer to a request open that is answered whole here, mostly as it asks the client something which the
 * client cannot see: it is told that nobody waits for it any more. `plan.reply` is the client's.
 */
export function callOff(exchange: Exchange, server: Server, upstream: Upstream): Outcome {
  if (exchange.id === NONE) return Outcome.Reply;
  const message = newWriter(exchange.arena, 192)
    .bytes(CANCELLED_OPEN)
    .bytes(exchange.idAtServer)
    .bytes(CANCELLED_CLOSE).written;
  const fanOut = begin(exchange);
  add(exchange, fanOut, server, upstream, message);
  exchange.conversation.begin(Stage.Tell, fanOut, resume);
  return Outcome.Wait;
}

/**
 * What a server is to be told when the client goes away before the answer; null: nothing. In the era without sessions that
 * cancels a request (MCP 2026-07-28, cancellation), in the other one it does not, and the session lives on.
 */
export function cancellation(exchange: Exchange, arena: Arena): Callout | null {
  const session = exchange.caller.session;
  if (session === null || !session.isShared || !exchange.isAimed || exchange.target.id === NONE) return null;
  if (changetype<usize>(exchange.plan.forward) === 0) return null;
  // What was answered before was of the session that the server had lost.
  const isAskedAgain = exchange.conversation.stage === Stage.CallAgain && exchange.conversation.fanOut!.at(0).waiting;
  if (exchange.ended !== ABORTED && !isAskedAgain) return null;
  const message = newWriter(arena, 128).bytes(CANCELLED_OPEN).bytes(exchange.target.id).bytes(CANCELLED_END).written;
  return post(exchange.target.server, exchange.plan.forward.upstream, message, exchange.request.pairs, arena);
}

function begin(exchange: Exchange): FanOut {
  const limits = exchange.gateway.limits;
  return newFanOut(limits.fanOut, limits.handshakeTimeout, exchange.arena);
}

function add(exchange: Exchange, fanOut: FanOut, server: Server, upstream: Upstream, message: Span): void {
  const call = fanOut.add(server, upstream, exchange.arena);
  call.callout = post(server, upstream, message, exchange.request.pairs, exchange.arena);
}

function send(exchange: Exchange, fanOut: FanOut, stage: Stage): Outcome {
  const accepted = accept(exchange);
  if (fanOut.settled) return accepted;
  exchange.conversation.begin(stage, fanOut, resume);
  return Outcome.Wait;
}

/** A server has it, or does not take it. */
function resume(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, _answer: Answer): Outcome {
  fanOut.finish(call);
  return exchange.conversation.stage === Stage.Deliver && fanOut.settled ? Outcome.Reply : Outcome.Wait;
}
