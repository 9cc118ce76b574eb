import { make, scratch } from '../bytes/arena';
import { NONE } from '../bytes/span';
import { eraOf } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { Revision } from '../mcp/revisions';
import { HostMode } from '../model/host-mode';
import { Server } from '../model/server';
import { forgetEras } from '../session/server-eras';
import { Answer, Ending, Failure } from '../upstream/answer';
import { MOST_OF_LOST } from '../upstream/lost-session';
import { judgeRefusal } from '../upstream/judge';
import { Exchange } from './exchange';

/**
 * A server that was upgraded, or rolled back, while it is known for an era that it does not speak any more: it refuses a
 * request before it looks at what is asked, so the request can be made once more in the other era.
 */

/** Whether a server may be spoken to in either. A revision in the configuration decides it, and so does host mode headers. */
export function mayChangeEra(exchange: Exchange, server: Server): bool {
  if (server.revision !== Revision.Unknown || !server.dialect.isMcp) return false;
  return exchange.gateway.hostMode !== HostMode.Headers;
}

/** Whether a response with this status to what was sent on, outside of a session, may mean that. */
export function mayBeOfOtherEra(exchange: Exchange, status: u32): bool {
  if (!mayChangeEra(exchange, exchange.target.server)) return false;
  if (!exchange.message.isKept || !exchange.message.whole) return false;
  // Who asks is the matter there.
  return status >= 400 && status < 500 && status !== 401 && status !== 403;
}

/** Whether an answer to what was sent on says that. @param answer with its body, as far as it can be read */
export function saysOtherEra(exchange: Exchange, answer: Answer): bool {
  if (answer.ending !== Ending.Response || answer.body === NONE || (answer.body as u32) > MOST_OF_LOST) return false;
  const era = eraOf(exchange.plan.forward.upstream.revision);
  const failure = judgeRefusal(make<Failure>(scratch), answer, exchange.target.server, era, scratch);
  return failure.reason === Reason.UpstreamEra;
}

/** It is asked anew what it speaks. */
export function doubtEra(exchange: Exchange, server: Server): void {
  forgetEras(server.fingerprint, exchange.gateway.keys, scratch);
}
