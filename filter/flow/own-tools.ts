import { scratch } from '../bytes/arena';
import { Span, equals, NONE } from '../bytes/span';
import { textOf } from '../json/text';
import { Noun } from '../mcp/nouns';
import { CALL_TOOL, isSearchTool, SEARCH_TOOLS } from '../mcp/search-tools';
import { Session } from '../session/token';
import { beginCall } from './call';
import { unwrapCall } from './call-tool';
import { Exchange, Outcome } from './exchange';
import { refuseWhole } from './limits';
import { beginSearch } from './search-tools';

/**
 * What is named by `params.name`: of tools, some may be the gateway's own, which find and call others. Theirs are read
 * whole, so that nothing goes on before what stands in their arguments is known.
 */
export function beginNamed(exchange: Exchange, session: Session): Outcome {
  const name = ownToolIn(exchange);
  if (name === NONE) return beginCall(exchange, session);
  const message = exchange.message;
  exchange.isForOwnTool = true;
  if (!message.whole) return Outcome.ReadBody;
  // In how few parts a body comes must not decide what is held.
  if (message.size > exchange.gateway.limits.heldBody) return refuseWhole(exchange, message.size);
  exchange.name = name;
  if (equals(name, SEARCH_TOOLS)) return beginSearch(exchange, session);
  if (!unwrapCall(exchange)) return Outcome.Reply;
  // One of ours, or one of a server that is hidden by it.
  const inner = ownToolIn(exchange);
  return inner === NONE ? beginCall(exchange, session) : exchange.refuse(exchange.noun.unknown, inner);
}

/** Whether a name is one of a tool of ours, for this request. There is none in a stream of HTTP+SSE. */
export function isForOwnTool(exchange: Exchange, name: Span): bool {
  return (
    !exchange.isHttpSse &&
    exchange.noun.noun === Noun.Tools &&
    exchange.caller.scope.search !== null &&
    isSearchTool(name)
  );
}

/** The name of a tool of ours that the message calls, or NONE. */
function ownToolIn(exchange: Exchange): Span {
  if (exchange.caller.scope.search === null) return NONE;
  const token = exchange.message.envelope.keyIn(exchange.message.body);
  const name: Span = token === NONE ? NONE : textOf(token, scratch);
  if (name === NONE || !isForOwnTool(exchange, name)) return NONE;
  return equals(name, SEARCH_TOOLS) ? SEARCH_TOOLS : CALL_TOOL;
}
