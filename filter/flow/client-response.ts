import { literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { decodeServerRequestId } from '../session/server-request-id';
import { Session } from '../session/token';
import { Exchange, Outcome } from './exchange';
import { tellServers } from './tell';

/**
 * A response of the client. The gateway offers servers no capability of a client, but a request of theirs in the stream of
 * a call passes as it is, and clients answer it. No answer is carried to any server, so each that waits for one under this
 * id is told at once that it gets none: else the call of the client would wait as long as its server does.
 */
const TOLD = literal('those of this session were told that what they asked for failed');
const UNTOLD = literal('no server was told of this one');

const OPEN = literal('{"jsonrpc":"2.0","id":');
const ERROR = literal(
  ',"error":{"code":-32601,"message":"This client cannot be asked: the gateway before it carries no requests of servers, ' +
    'and offers none of the capabilities that they would take. Go on without an answer."}}',
);

export function refuseResponse(exchange: Exchange, session: Session): Outcome {
  const id = exchange.message.envelope.responseId;
  // What answers no certain request concerns no server.
  if (id === NONE) return refuseStrayResponse(exchange);
  exchange.refuse(Reason.UnexpectedResponse, TOLD);
  // The client's id for it has the server's own in it.
  const asked = decodeServerRequestId(session, id, exchange.arena);
  const original = asked === null ? id : asked.original;
  return tellServers(
    exchange,
    session,
    newWriter(exchange.arena, 512).bytes(OPEN).bytes(original).bytes(ERROR).written,
  );
}

/** One that cannot be told to anybody: it is of no session, or too large to be read to its end. */
export function refuseStrayResponse(exchange: Exchange): Outcome {
  return exchange.refuse(Reason.UnexpectedResponse, UNTOLD);
}
