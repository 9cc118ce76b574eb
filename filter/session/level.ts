import { Arena } from '../bytes/arena';
import { length, literal, Span } from '../bytes/span';
import { KeyRing } from '../model/keyring';
import { owner, slotTable } from './slots';
import { Session } from './token';

/**
 * The log level that a client has set in its session (MCP logging): servers whose part of the session begins later, or
 * anew, are told it then. The session's id cannot change any more, so it lives beside it, for this Envoy; where it is
 * gone, a server logs as it does by default, until its client sets the level again.
 */
const TABLE = slotTable(literal('sluice/level/'), 4096);
/** Bytes; a level and its name have some 30. */
const MOST = 512;

/** @param params of `logging/setLevel`, as JSON. What is longer than any client writes is not kept. */
export function keepLevel(session: Session, params: Span, keys: KeyRing, arena: Arena): void {
  if (length(params) <= MOST) TABLE.write(owner(TABLE, session.id, 0, arena), params, keys, arena);
}

/** The `params` of the request that set it last, or NONE. */
export function levelOf(session: Session, keys: KeyRing, arena: Arena): Span {
  return TABLE.read(owner(TABLE, session.id, 0, arena), keys, arena);
}
