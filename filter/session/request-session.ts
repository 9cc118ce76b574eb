import { Arena, make } from '../bytes/arena';
import { Span } from '../bytes/span';
import { Revision } from '../mcp/revisions';
import { Key } from '../model/keyring';
import { Session } from './token';

/**
 * What stands for a session where a request has none (MCP 2026-07-28). No server is part of it to begin with, and servers of
 * the same era need nothing more. With one that keeps sessions a session is opened: for this request alone, or for all that
 * the same caller makes, see pool.ts.
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

/** Makes a stand-in that of all requests which know the same id. @param id of TOKEN_ID_SIZE bytes */
export function share(session: Session, id: Span): void {
  session.id = id;
  session.isShared = true;
  // When the sessions began that it stands for is not known.
  session.issued = 0;
}
