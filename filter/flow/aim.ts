import { make, scratch } from '../bytes/arena';
import { Span, first, NONE } from '../bytes/span';
import { Server } from '../model/server';
import { clipped } from '../mcp/header-text';
import { Reason } from '../mcp/errors';
import { hiddenBy, Hider, ruleOn, stepUpFor } from '../policy/decision';
import { NO_FACTS } from '../model/tool-facts';
import { isOfRequest } from '../session/request-session';
import { Session, Upstream } from '../session/token';
import { noteUse, wasUsed } from '../session/used';
import { refuseScopes } from './challenge';
import { isRefused, refuseCredential } from './credentials';
import { knownUpstream } from './dialect';
import { Exchange, Outcome } from './exchange';
import { Target } from './target';
import { Probe } from './conversation';
import { joinToSend } from './join';
import { probe } from './lost-session';
import { sendToOffering } from './offers';
import { refusesByPins } from './pins';
import { crosses } from './translation';

/** What a client asks one server for: which server that is, and how the message gets there. */

/** MCP says that names of tools have 128 characters at most; what a client sends may have any number. */
const MAX_LOGGED_NAME = 128;

/**
 * Sets `exchange.target`. Null where this request may call none of that name; `plan.reply` then says so.
 * @param facts of a tool, bits of Hint and Fact. @param name as the client calls it. @param server that it belongs to, or null. @param upstreamName what it is called there
 */
export function aim(
  exchange: Exchange,
  name: Span,
  server: Server | null,
  upstreamName: Span,
  unknown: Reason,
  more: Span = NONE,
  facts: u32 = NO_FACTS,
): Target | null {
  exchange.name = exchange.arena.copy(clipped(name, MAX_LOGGED_NAME));
  exchange.server = server;
  // What is hidden gets the very answer of what does not exist, before anything else is said about its server.
  const scope = exchange.caller.scope;
  const noun = exchange.noun.noun;
  exchange.hider =
    server === null ? Hider.Server : hiddenBy(exchange.gateway, noun, server, upstreamName, scope, facts);
  if (exchange.gateway.audit !== null && server !== null) {
    exchange.rule = ruleOn(exchange.gateway, noun, server, upstreamName, scope, facts);
  }
  if (server === null || exchange.hider !== Hider.Nothing) {
    if (exchange.hider === Hider.Pins && refusesByPins(exchange, server!, name, facts)) return null;
    exchange.refuse(unknown, name, NONE, more);
    return null;
  }
  const rule = stepUpFor(exchange.gateway, noun, server, upstreamName, scope, facts);
  if (rule !== null) {
    refuseScopes(exchange, server, rule);
    return null;
  }
  const target = make<Target>(exchange.arena);
  exchange.target = target;
  target.server = server;
  target.name = exchange.arena.copy(upstreamName);
  target.facts = facts;
  return target;
}

/** To the server of `exchange.target`, in the session with it. */
export function goToTarget(exchange: Exchange, session: Session): Outcome {
  const server = exchange.target.server;
  if (isRefused(server)) return refuseCredential(exchange, server);
  const keys = exchange.gateway.keys;
  const upstream = knownUpstream(exchange, session, server);
  if (server.dialect.isOverHttpSse) {
    return upstream === null ? exchange.refuse(Reason.SessionUnknown) : sendToOffering(exchange, session, upstream);
  }
  // The rest of a released body may not be able to wait: it is held until its server is known, see `release`.
  if (upstream === null) {
    // It may be of the other era, and the message has to be made anew.
    if (isOfRequest(session) && !exchange.message.whole) return Outcome.ReadBody;
    return exchange.mayWait ? waitFor(exchange, joinToSend(exchange, session)) : Outcome.ReadBody;
  }
  // The message is made anew.
  if (crosses(exchange, upstream) && !exchange.message.whole) return Outcome.ReadBody;
  if (isProbed(exchange, session, upstream)) {
    noteUse(session, server.fingerprint, exchange.seconds, keys, scratch);
    return sendToOffering(exchange, session, upstream);
  }
  let outcome: Outcome = Outcome.Wait;
  if (exchange.conversation.probe === Probe.None) {
    exchange.conversation.probe = Probe.UnderWay;
    outcome = probe(exchange, upstream);
  }
  // Else the body is read on meanwhile; it is released with the part that comes after the answer.
  return exchange.mayWait ? waitFor(exchange, outcome) : Outcome.ReadBody;
}

/**
 * Whether a call may go on in this session. One that cannot be repeated, should the server have lost the session, does
 * so only where that was used a moment ago; else the server is asked.
 */
function isProbed(exchange: Exchange, session: Session, upstream: Upstream): bool {
  if (exchange.message.isKept || upstream.sessionId === NONE || exchange.conversation.probe === Probe.Done) return true;
  if (exchange.conversation.probe === Probe.UnderWay) return false;
  return wasUsed(session, upstream.fingerprint, exchange.seconds, exchange.gateway.keys, scratch);
}

/** The answer comes in another callback, when the body is there no longer; what the edits need of it is kept. */
export function waitFor(exchange: Exchange, outcome: Outcome): Outcome {
  const message = exchange.message;
  // All of it, should the server turn out to be of another era.
  if (!message.lasts)
    message.body = exchange.arena.copy(message.whole ? message.body : first(message.body, exchange.target.cutTo));
  return outcome;
}
