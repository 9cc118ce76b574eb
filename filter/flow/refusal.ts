import { Span, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Era } from '../mcp/eras';
import { errorRow, Reason, statusFor, writeError, writeMessage } from '../mcp/errors';
import { Method } from '../mcp/methods';
import { typedResult } from '../upstream/message';
import { Exchange } from './exchange';

/** What a refusal looks like to the client: a JSON-RPC error, or the result of a tool that says what went wrong. */
const RESULT_OPEN = literal('{"content":[{"type":"text","text":"');
const RESULT_CLOSE = literal('"}],"isError":true}');

/** Writes body and status of `plan.reply`, whose reason and texts are there. With an id both may be others than without. */
export function writeRefusal(exchange: Exchange): void {
  const reply = exchange.plan.reply;
  const id = exchange.id;
  const isCall = id !== NONE && exchange.message.method === Method.ToolsCall;
  reply.body =
    isCall && errorRow(reply.reason).isResult
      ? exchange.messageOf(resultText(exchange, reply.reason, reply.detail))
      : errorText(exchange);
  // Over HTTP+SSE the answer would come in the event stream: a client waits there for what its POST was accepted with.
  reply.status = statusFor(reply.reason, exchange.isHttpSse ? NONE : id);
  reply.hasId = id !== NONE;
}

/** Writes it once more where the id of the request has come behind what it was refused for. */
export function completeRefusal(exchange: Exchange): void {
  const reply = exchange.plan.reply;
  if (reply.reason !== Reason.None && !reply.hasId && exchange.id !== NONE) writeRefusal(exchange);
}

/** A result that tells a failure, as results of the client's era are. */
export function refusalResult(exchange: Exchange, reason: Reason, detail: Span): Span {
  const result = resultText(exchange, reason, detail);
  return exchange.message.era === Era.Stateless ? typedResult(result, exchange.arena) : result;
}

function errorText(exchange: Exchange): Span {
  const reply = exchange.plan.reply;
  const text = newWriter(exchange.arena, 512);
  writeError(text, exchange.id, reply.reason, reply.detail, reply.server, reply.more);
  return text.written;
}

function resultText(exchange: Exchange, reason: Reason, detail: Span): Span {
  const result = newWriter(exchange.arena, 256).bytes(RESULT_OPEN);
  writeMessage(result, reason, detail);
  return result.bytes(RESULT_CLOSE).written;
}
