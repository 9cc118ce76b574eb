import { Arena } from '../bytes/arena';
import { Span, fingerprint, literal, NONE } from '../bytes/span';
import { KeyRing } from '../model/keyring';
import { owner, slotTable } from './slots';
import { Session } from './token';

/**
 * Input requests that their client has responded to, on all workers of an Envoy. A queue whose worker is gone is read by
 * nobody, and keeps what comes: so a client puts one response to each of its requests there, and no more.
 */
const TABLE = slotTable(literal('sluice/input-responses/'), 4096);
const MARK = literal('1');

/** Notes a response. False: it is not the first one to that request. @param id of the request, as its client knows it */
export function noteResponse(session: Session, id: Span, keys: KeyRing, arena: Arena): bool {
  const request = owner(TABLE, session.id, fingerprint(id), arena);
  if (TABLE.read(request, keys, arena) !== NONE) return false;
  TABLE.write(request, MARK, keys, arena);
  return true;
}
