import { scratch } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { FanOut, newFanOut } from '../federation/fanout';
import { textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import { Noun, nounRow } from '../mcp/nouns';
import { NO_FACTS } from '../model/tool-facts';
import { Session } from '../session/token';
import { UpstreamCall } from '../upstream/call';
import { Item, Page } from '../upstream/page';
import { knownUpstream } from './dialect';
import { askForList, whenAnswered } from './asking';
import { goOnWithFacts } from './call';
import { Stage } from './conversation';
import { Exchange, Outcome } from './exchange';
import { refuseWhole } from './limits';
import { reportPins } from './pins';

const LEFT_ALONE = literal('it could not be reached a moment ago, and its list of tools is needed for this call');

/**
 * Asks the server of a call for its tools, where the definition of the one that is called decides and nothing is known of
 * it. `exchange.target` says which one it is, and `exchange.conversation.sought` what the client calls it.
 */
export function askForFacts(exchange: Exchange, session: Session): Outcome {
  const fanOut = newFanOut(1, exchange.gateway.limits.listTimeout, exchange.arena);
  askForList(exchange, session, fanOut, exchange.target.server, nounRow(Noun.Tools));
  return whenAnswered(exchange, fanOut, Stage.Ask, finish);
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  const session = exchange.caller.session!;
  let facts = NO_FACTS;
  if (fanOut.calls.count === 0) {
    // It has no tools, or nobody asks it for a while.
    const server = exchange.target.server;
    if (knownUpstream(exchange, session, server) === null) {
      return exchange.refuse(Reason.UpstreamUnreachable, LEFT_ALONE, server.name);
    }
  } else {
    const call = fanOut.at(0);
    if (call.failed) return exchange.refuseFor(call);
    reportPins(exchange, fanOut);
    facts = factsIn(call, exchange.target.name);
  }
  const outcome = goOnWithFacts(exchange, session, exchange.target, exchange.conversation.sought, facts);
  return outcome === Outcome.ReadBody ? refuseWhole(exchange, exchange.message.size) : outcome;
}

function factsIn(call: UpstreamCall, name: Span): u32 {
  for (let p = 0; p < call.pages.count; p++) {
    const items = changetype<Page>(call.pages.at(p) as usize).items;
    for (let i = 0; i < items.count; i++) {
      const item = changetype<Item>(items.at(i) as usize);
      const own = textOf(item.name, scratch);
      if (own !== NONE && equals(own, name)) return item.facts;
    }
  }
  return NO_FACTS;
}
