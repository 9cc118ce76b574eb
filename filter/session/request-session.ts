import { Arena, make } from '../bytes/arena';
import { Revision } from '../mcp/revisions';
import { Key } from '../model/keyring';
import { Session } from './token';

/**
 * What stands for a session where a request has none (MCP 2026-07-28). No server is part of it to begin with, and servers of
 * the same era need nothing more. With one that keeps sessions a session is opened for this request alone: in one that
 * several requests share, their ids would meet, and one client would see what another has left there.
 */
export function requestSession(key: Key, now: u32, arena: Arena): Session {
  const session = make<Session>(arena);
  session.revision = Revision.V2026_07_28;
  session.key = key;
  session.issued = now;
  session.expires = u32.MAX_VALUE;
  return session;
}

/** Whether a session is the stand-in for one. */
export function isOfRequest(session: Session): bool {
  return session.revision === Revision.V2026_07_28;
}
