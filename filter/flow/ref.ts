import { literal } from '../bytes/span';
import { Reason } from '../mcp/errors';
import { Session } from '../session/token';
import { beginCall } from './call';
import { Exchange, Outcome } from './exchange';
import { beginUri } from './uri';

const NO_REF = literal('params.ref must have either a name or a uri, as a string');

/** `completion/complete`: to the server of the prompt, or of the resource template, whose arguments are completed. */
export function beginRef(exchange: Exchange, session: Session): Outcome {
  if (exchange.message.envelope.key === 0) return exchange.refuse(Reason.InvalidRequest, NO_REF);
  return exchange.noun.isUri ? beginUri(exchange, session) : beginCall(exchange, session);
}
