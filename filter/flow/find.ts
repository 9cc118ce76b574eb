import { make, scratch } from '../bytes/arena';
import { Span, equals, NONE } from '../bytes/span';
import { FanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { Item, Page } from '../upstream/page';
import { textOf } from '../json/text';
import { isWeb } from '../mcp/resource-uri';
import { Noun, nounRow } from '../mcp/nouns';
import { expansions } from '../mcp/uri-template';
import { matches } from '../model/glob';
import { Server } from '../model/server';
import { NO_FACTS } from '../model/tool-facts';
import { mayUse } from '../policy/decision';
import { Session } from '../session/token';
import { aim, goToTarget, waitFor } from './aim';
import { askForLists, whenAnswered } from './asking';
import { Exchange, Outcome } from './exchange';
import { Target } from './target';
import { isWithinQuotas } from './quotas';
import { uriMember } from './uri';
import { Stage } from './conversation';

/**
 * The server of a URI on the web, which does not show it: the first one, in the order of the configuration, that lists
 * it; else the first that lists a template which can expand to it. Servers are asked for their lists where those are not
 * in the cache.
 */

/** @param uri which nobody owns by the configuration */
export function beginFind(exchange: Exchange, session: Session, uri: Span): Outcome {
  exchange.conversation.sought = exchange.arena.copy(uri);
  // Nothing will be cut out of the body, whichever server it is; so the host may get it back meanwhile.
  exchange.target = make<Target>(exchange.arena);
  return waitFor(exchange, look(exchange, session, Noun.Resources));
}

/** @param noun whose lists are looked into */
function look(exchange: Exchange, session: Session, noun: Noun): Outcome {
  exchange.conversation.lookedInto = noun;
  const fanOut = askForLists(exchange, session, nounRow(noun));
  return whenAnswered(exchange, fanOut, Stage.Ask, lookOn);
}

/** All have answered. */
function lookOn(exchange: Exchange, fanOut: FanOut): Outcome {
  const session = exchange.caller.session!;
  const uri = exchange.conversation.sought;
  const conversation = exchange.conversation;
  const server = serverThatLists(exchange, fanOut, uri);
  if (conversation.unanswered === null) conversation.unanswered = firstFailed(fanOut);
  if (server === null && conversation.lookedInto === Noun.Resources) return look(exchange, session, Noun.Templates);
  // Where a server did not answer it may be that server's.
  if (server === null && conversation.unanswered !== null) return exchange.refuseFor(conversation.unanswered!);
  const target = aim(exchange, uri, server, uri, exchange.noun.unknown, uriMember(uri));
  return target === null || !isWithinQuotas(exchange) ? Outcome.Reply : goToTarget(exchange, session);
}

function serverThatLists(exchange: Exchange, fanOut: FanOut, uri: Span): Server | null {
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.failed) continue;
    if (!mayUse(exchange.gateway, exchange.noun.noun, call.server, uri, exchange.caller.scope, NO_FACTS)) continue;
    if (lists(call, uri)) return call.server;
  }
  return null;
}

function lists(call: UpstreamCall, uri: Span): bool {
  const isTemplate = call.noun.noun === Noun.Templates;
  for (let p = 0; p < call.pages.count; p++) {
    const page = changetype<Page>(call.pages.at(p) as usize);
    for (let t = 0; t < page.items.count; t++) {
      const listed = textOf(changetype<Item>(page.items.at(t) as usize).name, scratch);
      if (listed === NONE) continue;
      if (equals(listed, uri)) return true;
      // A template whose scheme is not written out is marked, and so is what it expands to.
      if (isTemplate && isWeb(listed) && matches(expansions(listed, scratch), uri)) return true;
    }
  }
  return false;
}

function firstFailed(fanOut: FanOut): UpstreamCall | null {
  for (let i = 0; i < fanOut.calls.count; i++) if (fanOut.at(i).failed) return fanOut.at(i);
  return null;
}
