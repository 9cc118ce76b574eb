import { scratch } from '../bytes/arena';
import { Span, literal, NONE } from '../bytes/span';
import { member } from '../json/reader';
import { ROOTS } from '../mcp/client-capabilities';
import { MethodKind } from '../mcp/methods';
import { markCancelled } from '../session/cancelled';
import { Session } from '../session/token';
import { askerOf } from './asker';
import { Exchange, Outcome } from './exchange';
import { accept, tellAsker, tellServers } from './tell';

const REQUEST_ID = literal('requestId');
const PROGRESS_TOKEN = literal('progressToken');

/** A notification of the client. @param kind of its method; one that no server has to hear of is accepted all the same */
export function beginNotification(exchange: Exchange, session: Session, kind: MethodKind): Outcome {
  switch (kind) {
    case MethodKind.Cancel:
      return cancel(exchange, session);
    case MethodKind.Progress:
      return reportProgress(exchange, session);
    case MethodKind.RootsChanged:
      // Servers were told of roots where the client has some.
      return (session.capabilities & ROOTS) !== 0 ? tellServers(exchange, session) : accept(exchange);
    default:
      return accept(exchange);
  }
}

/**
 * The id of a client's own request is the same at its server as here, and unique in the session, so every server of it is
 * told; one that does not know the id ignores it (MCP cancellation). Some leave the event stream of the request open then:
 * the worker that has the stream ends it, see host/cancelled-streams.ts.
 */
function cancel(exchange: Exchange, session: Session): Outcome {
  const requestId = parameter(exchange, REQUEST_ID);
  // Without it, it cancels nothing.
  if (requestId === NONE) return accept(exchange);
  const asker = askerOf(exchange, session, requestId);
  if (asker !== null) return tellAsker(exchange, asker, requestId);
  markCancelled(session, requestId, exchange.now, exchange.gateway.keys, scratch);
  return tellServers(exchange, session);
}

/**
 * Progress of what a server has asked for. Its token came to the client with the server sealed into it: servers number
 * their tokens from 0, so under a bare one another server would take it for progress of its own request.
 */
function reportProgress(exchange: Exchange, session: Session): Outcome {
  const token = parameter(exchange, PROGRESS_TOKEN);
  const asker = askerOf(exchange, session, token);
  return asker === null ? accept(exchange) : tellAsker(exchange, asker, token);
}

/** A member of `params` as it stands in the body, or NONE. */
function parameter(exchange: Exchange, name: Span): Span {
  const message = exchange.message;
  return member(message.envelope.text(message.body, message.envelope.params), name, scratch);
}
