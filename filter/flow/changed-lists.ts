import { LINE_FEED } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { headerIn } from '../bytes/pairs';
import { Span, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { LISTED, capabilityText } from '../mcp/capabilities';
import * as header from '../mcp/headers';
import { Revision } from '../mcp/revisions';
import { Gateway } from '../model/gateway';
import {
  OTHER_GENERATION,
  TOLD_ONCE,
  UP_TO_DATE,
  countAfter,
  countIn,
  listEventId,
  listGeneration,
} from '../session/list-event';
import { Session } from '../session/token';
import { refuseStream } from './access';
import { Exchange, Outcome } from './exchange';
import { offersOf } from './offers';

/**
 * GET where the stream of no server can pass. A filter cannot keep a stream of its own open, so the gateway answers with one
 * that ends at once: it says when to ask again, and whether lists have changed since the id that the client sends. A client
 * that asks in turns so learns of an edit without asking for its lists.
 */
const RETRY = literal('retry: 30000\n');
const ID = literal('id: ');
/** MCP transports: an event with an id and empty data gives a client where to go on, and nothing to read. */
const NO_DATA = literal('\ndata:\n\n');
const CHANGED = literal('data: {"jsonrpc":"2.0","method":"notifications/');
const CHANGED_END = literal('/list_changed"}\n\n');
const NO_STORE = literal('no-store');

/**
 * Whether a GET in such a session is told of changed lists. Not before revision 2025-11-25: an event without data is no
 * message, and clients of earlier revisions take each for one.
 */
export function tellsOfLists(gateway: Gateway, revision: Revision): bool {
  return gateway.tellsOfLists && revision >= Revision.V2025_11_25;
}

/** What GET is answered with where the stream of no server can pass. */
export function answerWithoutStream(exchange: Exchange): Outcome {
  const session = exchange.caller.session;
  if (session === null || !tellsOfLists(exchange.gateway, session.revision)) return refuseStream(exchange);
  const outcome = exchange.answer(200, NONE);
  const reply = exchange.plan.reply;
  reply.headers.add(header.CONTENT_TYPE, header.EVENTS_TYPE).add(header.CACHE_CONTROL, NO_STORE);
  reply.body = eventsFor(exchange, session);
  return outcome;
}

function eventsFor(exchange: Exchange, session: Session): Span {
  const generation = listGeneration(exchange.gateway, session, scratch);
  const last = headerIn(exchange.request.pairs, header.LAST_EVENT_ID, scratch);
  const known = last === NONE ? UP_TO_DATE : countIn(last, generation, scratch);
  const count = last === NONE ? UP_TO_DATE : countAfter(known);
  const id = listEventId(generation, count, scratch);
  const events = newWriter(exchange.arena, 512).bytes(RETRY);
  // Twice: at the first time another worker, or a replica, may still have answered with the lists from before.
  let changed = known === OTHER_GENERATION || known === TOLD_ONCE ? offersOf(exchange, session) & LISTED : 0;
  if (changed === 0) return events.bytes(ID).bytes(id).bytes(NO_DATA).written;
  for (; changed !== 0; changed &= changed - 1) {
    const capability = changed & -changed;
    // With the last one: a client that loses the connection before it is told again.
    if (capability === changed) events.bytes(ID).bytes(id).byte(LINE_FEED);
    events.bytes(CHANGED).bytes(capabilityText(capability)).bytes(CHANGED_END);
  }
  return events.written;
}
