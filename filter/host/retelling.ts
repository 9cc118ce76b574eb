import { COLON } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { newHeaderList, readPairs } from '../bytes/pairs';
import { literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { MOST_OF_REFUSAL } from '../upstream/refusal';
import { shareReply } from '../flow/cors';
import { Exchange } from '../flow/exchange';
import { completeRefusal } from '../flow/refusal';
import { respondToError } from '../flow/response';
import * as header from '../mcp/headers';
import { endedWith } from '../mcp/outcomes';
import { replacing, ResponsePlan } from '../response/plan';
import { PRODUCT } from '../version';
import { read } from './buffers';
import { edit, pairsOf, replace } from './headers';
import { logFailure } from './server-log';
import { Buffer, HeaderMap } from './status';
import { Stream } from './streams';

/**
 * An upstream's error that becomes a row of ours in passing, where the host shows the body of a response only when its
 * headers have gone on (without `allow_on_headers_stop_iteration`): the headers are those of the row at once, its
 * message has the words that come first, and the rest of the body is left out.
 */
const EMPTY = literal('');

/** While the headers can be edited. */
export function beginRetelling(stream: Stream, exchange: Exchange): void {
  respondToError(exchange, stream.error!);
  completeRefusal(exchange);
  const reply = exchange.plan.reply;
  const removals = newHeaderList(scratch);
  for (const pairs = readPairs(pairsOf(HeaderMap.Response), scratch); pairs.next();) {
    if (load<u8>(pointer(pairs.name)) !== COLON) removals.add(pairs.name, NONE);
  }
  edit(HeaderMap.Response, removals);
  if (exchange.caller.page !== NONE) shareReply(reply.headers, exchange.caller.page);
  replace(HeaderMap.Response, header.STATUS, newWriter(scratch, 4).decimal(reply.status as u64).written);
  edit(HeaderMap.Response, reply.headers.add(header.GATEWAY, PRODUCT));
  exchange.ended = endedWith(reply.reason);
  stream.plan = replacing(NONE, exchange.arena);
}

/** Makes the row: with the first bytes, or at the end of a body without any. False: it takes more of the body. */
export function retell(stream: Stream, exchange: Exchange, plan: ResponsePlan, size: u32, ended: bool): bool {
  if (size === 0 && !ended) return false;
  const answer = stream.error!;
  answer.body = size === 0 ? EMPTY : read(Buffer.ResponseBody, 0, min(size, MOST_OF_REFUSAL) as usize);
  respondToError(exchange, answer);
  completeRefusal(exchange);
  answer.body = NONE;
  const reply = exchange.plan.reply;
  exchange.ended = endedWith(reply.reason);
  plan.text = reply.body;
  logFailure(exchange, exchange.target.server, reply.reason, reply.detail);
  return true;
}
