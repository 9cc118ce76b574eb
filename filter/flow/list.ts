import { scratch } from '../bytes/arena';
import { Span, length, NONE } from '../bytes/span';
import { hasRoom } from '../bytes/room';
import { FanOut } from '../federation/fanout';
import { Freshness, freshnessOf } from '../federation/freshness';
import { choosePart, generationOf, ListPart } from '../federation/list-part';
import { FRAME, mergedSize, writeList } from '../federation/merge';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { Noun } from '../mcp/nouns';
import { SEARCH_DEFINITIONS } from '../mcp/search-tools';
import { ToolSearch } from '../model/tool-search';
import { onlyReachable } from '../policy/decision';
import { Session } from '../session/token';
import { beginResult, endResult } from '../upstream/message';
import { askForLists, whenAnswered } from './asking';
import { audit } from './audit';
import { reportBrokenTools } from './broken-tools';
import { refuseForAll } from './all-failed';
import { Exchange, Outcome } from './exchange';
import { Stage } from './conversation';
import { WORKER_MEMORY } from './limits';
import { cursorFor, takeCursor } from './list-cursor';
import { reportNameConflicts } from './name-conflicts';
import { isOffered, refuseUnoffered } from './offers';
import { reportPins } from './pins';

/**
 * `tools/list`, `resources/templates/list`, …: every page of every server, in one answer without a cursor. In the era without
 * sessions one that would be larger than `limits.listBytes` comes in parts of that size.
 */
export function beginList(exchange: Exchange, session: Session): Outcome {
  // A cursor that is not ours, also the empty one, is somebody else's.
  if (exchange.message.envelope.cursor !== 0 && !mayGoOn(exchange)) return exchange.refuse(Reason.BadCursor);
  const noun = exchange.noun;
  const search = searchIn(exchange);
  const fanOut = askForLists(exchange, session, noun, search === null ? null : search.pinned);
  if (fanOut.calls.count === 0 && !isOffered(exchange, session, noun.capability)) return refuseUnoffered(exchange);
  return whenAnswered(exchange, fanOut, Stage.List, finish);
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  // A server that is down does not hide the tools of the others; where none answered, the client must know.
  if (fanOut.calls.count > 0 && fanOut.firstServed() === null) return refuseForAll(exchange, fanOut, fanOut.at(0));
  const all = mergedSize(exchange.gateway, fanOut, exchange.caller.scope);
  const asksForPart = exchange.message.envelope.cursor !== 0;
  const most = exchange.gateway.limits.listBytes as u64;
  const isPart = asksForPart || (exchange.message.era === Era.Stateless && all > most);
  const generation: u64 = isPart ? generationOf(fanOut, scratch) : 0;
  if (asksForPart && exchange.conversation.generation !== generation) return exchange.refuse(Reason.BadCursor);
  const part: ListPart | null = isPart ? choosePart(fanOut, exchange.conversation.itemsBefore, most, scratch) : null;
  const size = part === null ? all : part.size + FRAME;
  if (!hasRoom(size)) return exchange.overload(WORKER_MEMORY);
  audit(exchange, fanOut);
  reportBrokenTools(exchange, fanOut);
  reportPins(exchange, fanOut);
  reportNameConflicts(exchange, fanOut);
  const tells = exchange.message.era === Era.Stateless;
  const scope = exchange.caller.scope;
  const isHeard = onlyReachable(exchange.gateway, scope) !== null;
  const freshness: Freshness | null = tells ? freshnessOf(fanOut, scope, isHeard, scratch) : null;
  // A part is its caller's: so is its cursor.
  if (isPart && freshness !== null) freshness.isPublic = false;
  const own: Span = asksForPart || searchIn(exchange) === null ? NONE : SEARCH_DEFINITIONS;
  const goesOn = part !== null && part.next > 0;
  const cursor: Span = goesOn ? cursorFor(exchange, generation, part!.next) : NONE;
  const bytes = (size as usize) + (length(own) as usize) + (length(cursor) as usize);
  const message = beginResult(exchange.id, bytes, exchange.arena, tells);
  return exchange.answerMessage(endResult(writeList(message, exchange.noun, fanOut, freshness, own, cursor)));
}

function mayGoOn(exchange: Exchange): bool {
  return exchange.message.era === Era.Stateless && takeCursor(exchange);
}

/** What this list shows in the place of most tools; null: it shows all. */
function searchIn(exchange: Exchange): ToolSearch | null {
  return exchange.noun.noun === Noun.Tools ? exchange.caller.scope.search : null;
}
