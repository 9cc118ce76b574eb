import { scratch } from '../bytes/arena';
import { Span, NONE } from '../bytes/span';
import { hasRoom } from '../bytes/room';
import { FanOut } from '../federation/fanout';
import { Freshness, freshnessOf } from '../federation/freshness';
import { mergedSize, mergedList } from '../federation/merge';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { Noun } from '../mcp/nouns';
import { SEARCH_DEFINITIONS } from '../mcp/search-tools';
import { ToolSearch } from '../model/tool-search';
import { Session } from '../session/token';
import { askForLists, whenAnswered } from './asking';
import { audit } from './audit';
import { reportBrokenTools } from './broken-tools';
import { refuseForAll } from './all-failed';
import { Exchange, Outcome } from './exchange';
import { Stage } from './conversation';
import { WORKER_MEMORY } from './limits';
import { reportNameConflicts } from './name-conflicts';
import { isOffered, refuseUnoffered } from './offers';
import { reportPins } from './pins';

/** `tools/list`, `resources/templates/list`, …: every page of every server, in one answer without a cursor. */
export function beginList(exchange: Exchange, session: Session): Outcome {
  // Ours has one page: a cursor, also the empty one, is somebody else's.
  if (exchange.message.envelope.cursor !== 0) return exchange.refuse(Reason.BadCursor);
  const noun = exchange.noun;
  const search = searchIn(exchange);
  const fanOut = askForLists(exchange, session, noun, search === null ? null : search.pinned);
  if (fanOut.calls.count === 0 && !isOffered(exchange, session, noun.capability)) return refuseUnoffered(exchange);
  return whenAnswered(exchange, fanOut, Stage.List, finish);
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  // A server that is down does not hide the tools of the others; where none answered, the client must know.
  if (fanOut.calls.count > 0 && fanOut.firstServed() === null) return refuseForAll(exchange, fanOut, fanOut.at(0));
  // The list, then the message that it is in.
  const size = mergedSize(exchange.gateway, fanOut, exchange.caller.scope);
  if (!hasRoom(2 * size)) return exchange.overload(WORKER_MEMORY);
  audit(exchange, fanOut);
  reportBrokenTools(exchange, fanOut);
  reportPins(exchange, fanOut);
  reportNameConflicts(exchange, fanOut);
  const tells = exchange.message.era === Era.Stateless;
  const freshness: Freshness | null = tells ? freshnessOf(fanOut, exchange.caller.scope, scratch) : null;
  const own: Span = searchIn(exchange) === null ? NONE : SEARCH_DEFINITIONS;
  return exchange.answerResult(mergedList(exchange.noun, fanOut, size, freshness, exchange.arena, own));
}

/** What this list shows in the place of most tools; null: it shows all. */
function searchIn(exchange: Exchange): ToolSearch | null {
  return exchange.noun.noun === Noun.Tools ? exchange.caller.scope.search : null;
}
