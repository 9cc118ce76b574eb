import { literal } from '../bytes/span';
import { Method, MethodKind, methodRow } from '../mcp/methods';
import { Session } from '../session/token';
import { beginBroadcast } from './broadcast';
import { Exchange, Outcome } from './exchange';
import { beginDiscover } from './initialize';
import { beginList } from './list';
import { beginListen } from './listen';
import { refuseUnoffered } from './offers';
import { beginNamed } from './own-tools';
import { beginRef } from './ref';
import { beginTask } from './task';
import { beginUnknown } from './unknown-method';
import { beginUri } from './uri';

const EMPTY_OBJECT = literal('{}');

/** Begins what a request in a session asks for: each kind of method has its flow. */
export function beginByKind(exchange: Exchange, session: Session): Outcome {
  const row = methodRow(exchange.message.method);
  if (exchange.message.method === Method.Unknown) return beginUnknown(exchange, session);
  if (!row.isServedIn(exchange.message.era)) return refuseUnoffered(exchange);
  switch (row.kind) {
    case MethodKind.Discover:
      return beginDiscover(exchange);
    case MethodKind.Listen:
      return beginListen(exchange, session);
    case MethodKind.Local:
      return exchange.answerResult(EMPTY_OBJECT);
    case MethodKind.List:
      return beginList(exchange, session);
    case MethodKind.Named:
      return beginNamed(exchange, session);
    case MethodKind.Uri:
      return beginUri(exchange, session);
    case MethodKind.Ref:
      return beginRef(exchange, session);
    case MethodKind.Task:
      return beginTask(exchange, session);
    case MethodKind.Broadcast:
      return beginBroadcast(exchange, session);
    default:
      return refuseUnoffered(exchange);
  }
}
