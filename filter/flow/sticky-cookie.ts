import { scratch } from '../bytes/arena';
import { Span, equals, NONE } from '../bytes/span';
import { Server } from '../model/server';
import { cookieAfter } from '../session/cookie';
import { Upstream } from '../session/token';
import { renewUpstream } from './dialect';
import { Exchange } from './exchange';

/**
 * Takes over the cookie that a balancer sets in an answer of a session that has begun: it may be good for a shorter time
 * than the session, so balancers renew it.
 * @param upstream that the message was for
 * @param headers of the answer, packed, or NONE
 */
export function followCookie(exchange: Exchange, server: Server, upstream: Upstream, headers: Span): void {
  if (server.stickyCookie === NONE || upstream.sessionId === NONE) return;
  const before = upstream.cookie;
  const cookie = cookieAfter(headers, server.stickyCookie, before, scratch);
  if (cookie === before || (cookie !== NONE && equals(cookie, before))) return;
  upstream.cookie = exchange.arena.copy(cookie);
  const session = exchange.caller.session;
  if (session !== null) renewUpstream(exchange, session, upstream);
}
