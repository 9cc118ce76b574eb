import { make, scratch } from '../bytes/arena';
import { equals, NONE } from '../bytes/span';
import { Answer } from '../upstream/answer';
import { takeAcknowledgement } from '../upstream/acknowledgement';
import { post } from '../upstream/callout';
import { FanOut, newFanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { keep, keepLasting, keptList, lastingList } from '../federation/list-cache';
import { keepDeclarations } from '../federation/header-params';
import { keepFacts, noteFacts } from '../federation/tool-facts';
import { askForPage, takePage } from '../upstream/listing';
import { saysLost } from '../upstream/lost-session';
import { readPage } from '../upstream/page';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { methodRow } from '../mcp/methods';
import { Noun, NounRow, nounRow } from '../mcp/nouns';
import { Lists } from '../model/dialects';
import { Server } from '../model/server';
import { VirtualServer } from '../model/virtual-server';
import { mayList } from '../policy/decision';
import { onlyReachable } from '../policy/decision';
import { Whom } from '../session/backoff';
import { isFutile, markFutile } from '../session/futile';
import { Session, Upstream } from '../session/token';
import { noteUse } from '../session/used';
import { failForCredential, isRefused } from './credentials';
import { keepUpstream, knownUpstream } from './dialect';
import { Exchange, Outcome } from './exchange';
import { reportLoss } from './report-loss';
import { Proceed, Stage, whenSettled } from './conversation';
import { doubtEra, mayChangeEra } from './other-era';
import { continueOpening, isLeftAlone, open, Opening } from './opening';
import { withoutSession } from './rest-call';

/**
 * Messages of our own to several servers, for the sake of one request of the client's: each in the session with its
 * server, which is opened first where it is not there, and renewed once where the server has lost it. What is asked is a
 * list, page by page, or the client's request once, see broadcast.ts.
 */

/**
 * Asks for the lists of a noun all servers that have something to show there: another neither learns of the request nor
 * delays it.
 * @param shown what alone is going to be shown, or null
 */
export function askForLists(
  exchange: Exchange,
  session: Session,
  noun: NounRow,
  shown: VirtualServer | null = null,
): FanOut {
  const gateway = exchange.gateway;
  const fanOut = newFanOut(gateway.limits.fanOut, gateway.limits.listTimeout, exchange.arena);
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (shown !== null && !shown.reaches(noun.noun, i)) continue;
    if (mayList(noun.noun, server, exchange.caller.scope)) askForList(exchange, session, fanOut, server, noun);
  }
  return fanOut;
}

/** Asks a server for a list of a noun, from the cache where it is there. One that does not have any is not asked. */
export function askForList(exchange: Exchange, session: Session, fanOut: FanOut, server: Server, noun: NounRow): void {
  const arena = exchange.arena;
  const gateway = exchange.gateway;
  if (server.dialect.lists === Lists.Configured) return listRest(exchange, session, fanOut, server, noun);
  if (isRefused(server)) {
    const call = fanOut.add(server, freshUpstream(exchange, server), arena);
    call.noun = noun;
    return failForCredential(fanOut, call);
  }
  const upstream = knownUpstream(exchange, session, server);
  if (upstream !== null) {
    if ((upstream.offers & noun.capability) === 0) return;
    const call = fanOut.add(server, upstream, arena);
    call.noun = noun;
    call.capability = noun.capability;
    const client = exchange.request.pairs;
    let list = keptList(noun, server, session, client, exchange.seconds, gateway.keys);
    if (list === null && mayLast(exchange, upstream)) {
      list = lastingList(noun, server, session, client, exchange.seconds, gateway.keys);
      if (list !== null) call.left = (list.expires - exchange.seconds) * 1000;
    }
    if (list !== null) {
      exchange.borrow(list, call, session.revision);
      noteFacts(call, gateway.pins, scratch);
      fanOut.finish(call);
    } else ask(exchange, call);
  } else if (!isLeftAlone(exchange, server, Whom.Unreachable)) {
    const call = fanOut.add(server, freshUpstream(exchange, server), arena);
    call.noun = noun;
    call.capability = noun.capability;
    if (joinFirst(exchange, session, call)) fanOut.finish(call);
  }
}

/**
 * Whether its server says how long a list lasts, and nobody can learn earlier that it changed: of one server alone the
 * stream of `subscriptions/listen` passes, and who hears there of a change asks for the list that there is now.
 */
function mayLast(exchange: Exchange, upstream: Upstream): bool {
  if (upstream.dialect.hasSessions) return false;
  return onlyReachable(exchange.gateway, exchange.caller.scope) === null;
}

/** The tools and prompts of a REST service are configured: nobody is asked. */
function listRest(exchange: Exchange, session: Session, fanOut: FanOut, server: Server, noun: NounRow): void {
  const page = server.rest!.pageOf(noun.noun);
  if (page === NONE) return;
  const call = fanOut.add(server, withoutSession(server, exchange), exchange.arena);
  call.noun = noun;
  call.pages.push(changetype<usize>(readPage(page, noun, session.revision, exchange.arena)) as u64);
  noteFacts(call, exchange.gateway.pins, scratch);
  fanOut.finish(call);
}

/** Asks a server of the session once, for what all are asked. */
export function askServer(exchange: Exchange, fanOut: FanOut, server: Server, upstream: Upstream): void {
  const call = fanOut.add(server, upstream, exchange.arena);
  call.noun = nounRow(Noun.None);
  call.capability = methodRow(exchange.message.method).capability;
  ask(exchange, call);
}

/** Goes on with `next` once all servers that are asked have answered, which may be now. */
export function whenAnswered(exchange: Exchange, fanOut: FanOut, stage: Stage, next: Proceed): Outcome {
  exchange.conversation.begin(stage, fanOut, resumeAsking, pollAsking, next);
  return whenSettled(exchange, fanOut);
}

function resumeAsking(exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer): Outcome {
  const session = exchange.caller.session!;
  const done = call.joining
    ? afterOpening(exchange, call, continueOpening(exchange, session, call, answer))
    : answered(exchange, session, call, answer);
  if (done) fanOut.finish(call);
  return whenSettled(exchange, fanOut);
}

/** Whether the sessions are there that other requests open. */
function pollAsking(exchange: Exchange, fanOut: FanOut): Outcome {
  const session = exchange.caller.session!;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.parkedAt !== 0 && afterOpening(exchange, call, open(exchange, session, call))) fanOut.finish(call);
  }
  return whenSettled(exchange, fanOut);
}

function freshUpstream(exchange: Exchange, server: Server): Upstream {
  const fresh = make<Upstream>(exchange.arena);
  fresh.fingerprint = server.fingerprint;
  return fresh;
}

/**
 * A server that was not there when the session began, or lost its part of it, is asked for a session first. True: the
 * call is done.
 */
function joinFirst(exchange: Exchange, session: Session, call: UpstreamCall): bool {
  call.joining = true;
  return afterOpening(exchange, call, open(exchange, session, call));
}

/** True: the call is done. */
function afterOpening(exchange: Exchange, call: UpstreamCall, opening: Opening): bool {
  if (opening === Opening.Failed) return true;
  if (opening !== Opening.Ready) return false;
  call.joining = false;
  if ((call.upstream.offers & call.capability) === 0) return true;
  ask(exchange, call);
  return false;
}

function ask(exchange: Exchange, call: UpstreamCall): void {
  const client = exchange.request.pairs;
  if (isForList(call)) {
    askForPage(call, NONE, client, exchange.now, exchange.arena);
    return;
  }
  // One message for all, however large it is; in a session that was renewed its id is new as well.
  call.id = exchange.conversation.broadcastId;
  call.callout = post(call.server, call.upstream, exchange.conversation.broadcast, client, exchange.arena);
}

/** Else the client's own request. */
function isForList(call: UpstreamCall): bool {
  return call.noun.noun !== Noun.None;
}

/** True: the call is done. */
function answered(exchange: Exchange, session: Session, call: UpstreamCall, answer: Answer): bool {
  const keys = exchange.gateway.keys;
  if (!take(exchange, session, call, answer)) return false;
  // Only an answer that serves nobody is read once more: a list is long.
  if (call.failed && call.upstream.sessionId !== NONE && saysLost(answer, scratch)) {
    if (mayRenew(exchange, session, call)) return renew(exchange, session, call);
    if (call.before !== null) takeBack(exchange, session, call);
  }
  if (call.before === null && isOfOtherEra(exchange, call)) {
    doubtEra(exchange, call.server);
    return renew(exchange, session, call);
  }
  if (call.failed) return true;
  noteUse(session, call.server.fingerprint, exchange.seconds, keys, scratch);
  if (isForList(call)) {
    keep(call, session, exchange.request.pairs, exchange.seconds, keys, scratch);
    if (mayLast(exchange, call.upstream)) {
      keepLasting(call, session, exchange.request.pairs, exchange.seconds, keys, scratch);
    }
    noteFacts(call, exchange.gateway.pins, scratch);
    keepFacts(call, exchange.request.pairs, exchange.seconds, keys, scratch);
    if (areDeclarationsOfUse(exchange, call)) {
      keepDeclarations(call, exchange.request.pairs, exchange.seconds, keys, scratch);
    }
  }
  return true;
}

/** Whether calls of clients such as this one will ask which arguments headers repeat, see header-params.ts. */
function areDeclarationsOfUse(exchange: Exchange, call: UpstreamCall): bool {
  if (exchange.message.era !== Era.Sessions || call.noun.noun !== Noun.Tools) return false;
  return !call.upstream.dialect.hasSessions;
}

/** Whether it has refused as a server of another era than it is known for, see other-era.ts. */
function isOfOtherEra(exchange: Exchange, call: UpstreamCall): bool {
  return call.failure.reason === Reason.UpstreamEra && mayChangeEra(exchange, call.server);
}

/** Once, and not where it was of no use a moment ago. */
function mayRenew(exchange: Exchange, session: Session, call: UpstreamCall): bool {
  if (call.before !== null) return false;
  const fingerprint = call.server.fingerprint;
  return !isFutile(session, fingerprint, call.upstream.sessionId, exchange.seconds, exchange.gateway.keys, scratch);
}

/** Asks anew in a new session, in the place of the one that the server has lost. True: the call is done. */
function renew(exchange: Exchange, session: Session, call: UpstreamCall): bool {
  const lost = call.upstream;
  reportLoss(exchange, call.server, lost);
  call.before = lost;
  call.lost = lost.sessionId;
  call.forgetAnswer();
  call.upstream = freshUpstream(exchange, call.server);
  return joinFirst(exchange, session, call);
}

/** True: that was all. */
function take(exchange: Exchange, session: Session, call: UpstreamCall, answer: Answer): bool {
  if (!isForList(call)) {
    takeAcknowledgement(call, answer, exchange.message.method, scratch, exchange.arena);
    return true;
  }
  const limits = exchange.gateway.limits;
  const client = exchange.request.pairs;
  return takePage(call, answer, session.revision, limits, client, exchange.now, scratch, exchange.arena);
}

/** The new session was of no use: things are as they were, and it ends. */
function takeBack(exchange: Exchange, session: Session, call: UpstreamCall): void {
  const keys = exchange.gateway.keys;
  markFutile(session, call.server.fingerprint, exchange.seconds, keys, scratch);
  if (!call.opened || equals(call.upstream.sessionId, call.lost)) return;
  keepUpstream(exchange, session, call.before!);
  exchange.conversation.abandon(call.server, call.upstream);
}
