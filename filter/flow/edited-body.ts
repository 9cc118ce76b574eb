import { Span, after, first, length } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Exchange } from './exchange';

/** The message as the server of `exchange.target` gets it, copied. */
export function editedBody(exchange: Exchange): Span {
  const body = exchange.message.body;
  const target = exchange.target;
  return newWriter(exchange.arena, (length(body) + length(target.put)) as usize)
    .bytes(first(body, target.cutFrom))
    .bytes(target.put)
    .bytes(after(body, target.cutTo)).written;
}
