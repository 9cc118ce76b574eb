import { literal } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { Exchange } from '../flow/exchange';
import { endedWith } from '../mcp/outcomes';
import { replacing } from '../response/plan';
import { replaceAll } from './buffers';
import { Buffer } from './status';
import { Stream } from './streams';

const EMPTY = literal('');

/** What is in `out` is the last that goes on of a response, `plan.reply` among it; what its server sends yet does not. */
export function endWithEvents(stream: Stream, exchange: Exchange, out: Writer): void {
  replaceAll(Buffer.ResponseBody, out.written);
  exchange.ended = endedWith(exchange.plan.reply.reason);
  const rest = replacing(EMPTY, exchange.arena);
  rest.begun = true;
  stream.plan = rest;
}
