import { literal } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import * as header from '../mcp/headers';
import { Exchange, Outcome } from './exchange';

const ACKNOWLEDGED = literal(
  'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{},',
);
const ENDED = literal('}}}\n\nevent: message\ndata: {"jsonrpc":"2.0","id":');
const RESULT = literal(',"result":{"resultType":"complete",');
const SUBSCRIPTION = literal('"_meta":{"io.modelcontextprotocol/subscriptionId":');
const CLOSE = literal('}}}\n\n');

/** Answers `subscriptions/listen` with a stream that acknowledges nothing, and ends as a server ends one. */
export function endListening(exchange: Exchange): Outcome {
  const id = exchange.id;
  const body = newWriter(exchange.arena, 512)
    .bytes(ACKNOWLEDGED)
    .bytes(SUBSCRIPTION)
    .bytes(id)
    .bytes(ENDED)
    .bytes(id)
    .bytes(RESULT)
    .bytes(SUBSCRIPTION)
    .bytes(id)
    .bytes(CLOSE);
  const outcome = exchange.answer(200, body.written);
  exchange.plan.reply.headers.set(header.CONTENT_TYPE, header.EVENTS_TYPE);
  return outcome;
}
