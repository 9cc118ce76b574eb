import { make, scratch } from '../bytes/arena';
import { Span, after, first, length, literal, startsWith, NONE } from '../bytes/span';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { mayExist } from '../federation/list-cache';
import { offsetBehind, textOf } from '../json/text';
import { Range } from '../mcp/envelope';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import { mayUse, stepUpFor } from '../policy/decision';
import { upstreamOf } from '../session/overlay';
import { Session, Upstream } from '../session/token';
import { noteUse, wasUsed } from '../session/used';
import { refuseScopes } from './challenge';
import { Exchange, Outcome, Target } from './exchange';
import { Probe, Stage } from './conversation';
import { beginJoin } from './join';
import { beginPing } from './lost-session';
import { sendOn } from './send-on';

const NO_NAME = literal('params.name is missing or not a string');
/** MCP says that names of tools have 128 characters at most; what a client sends may have any number. */
const MAX_LOGGED_NAME = 128;

/** `tools/call`, `prompts/get`: to the server that the prefix names, with the prefix cut out of the bytes of the name. */
export function beginCall(exchange: Exchange, session: Session): Outcome {
  const unknown = exchange.noun.unknown;
  const token = exchange.message.envelope.nameIn(exchange.message.body);
  if (token === NONE) return exchange.refuse(unknown, NO_NAME);
  const name = textOf(token, scratch);
  // No name that is not text can be in a list (a lone surrogate has no UTF-8 form).
  if (name === NONE) return exchange.refuse(unknown, token);
  const target = aimAt(exchange, name, unknown);
  if (target === null) return Outcome.Reply;
  const server = target.server;
  const client = exchange.request.pairs;
  if (
    !mayExist(
      exchange.noun.noun,
      server,
      target.name,
      session,
      client,
      exchange.seconds,
      exchange.gateway.keys,
      scratch,
    )
  ) {
    return exchange.refuse(unknown, name);
  }
  cutPrefix(target, exchange.message.envelope.name, token);
  return sendInSession(exchange, session);
}

/** To the server of `exchange.target`, in a session with it that is there, as far as that can be known. */
export function sendInSession(exchange: Exchange, session: Session): Outcome {
  const server = exchange.target.server;
  const keys = exchange.gateway.keys;
  const upstream = upstreamOf(session, server.fingerprint, keys, exchange.arena);
  // The rest of a released body may not be able to wait: it is held until its server is known, see `release`.
  if (upstream === null) {
    return exchange.mayWait ? wait(exchange, beginJoin(exchange, session, Stage.Join)) : Outcome.ReadBody;
  }
  if (isProbed(exchange, session, upstream)) {
    noteUse(session, server.fingerprint, exchange.seconds, keys, scratch);
    return sendOn(exchange, upstream);
  }
  let outcome: Outcome = Outcome.Wait;
  if (exchange.conversation.probe === Probe.None) {
    exchange.conversation.probe = Probe.UnderWay;
    outcome = beginPing(exchange, upstream, Stage.Probe);
  }
  // Else the body is read on meanwhile; it is released with the part that comes after the answer.
  return exchange.mayWait ? wait(exchange, outcome) : Outcome.ReadBody;
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

/** The answer comes in another callback. */
function wait(exchange: Exchange, outcome: Outcome): Outcome {
  if (!exchange.message.lasts)
    exchange.message.body = exchange.arena.copy(first(exchange.message.body, exchange.target.cutTo));
  return outcome;
}

/**
 * What a name is for: its server, and its name there. Null where this request may call none of that name;
 * `exchange.reply` then says so.
 */
export function aimAt(exchange: Exchange, name: Span, unknown: Reason): Target | null {
  exchange.name = exchange.arena.copy(clipped(name, MAX_LOGGED_NAME));
  const server = serverOf(exchange.gateway, name);
  exchange.server = server;
  const upstreamName: Span = server === null ? NONE : after(name, server.prefix as u32);
  // What is hidden gets the very answer of what does not exist, before anything else is said about its server.
  if (server === null || !mayUse(exchange.noun.noun, server, upstreamName, exchange.caller.scope)) {
    exchange.refuse(unknown, name);
    return null;
  }
  const rule = stepUpFor(exchange.noun.noun, server, upstreamName, exchange.caller.scope);
  if (rule !== null) {
    refuseScopes(exchange, server, rule);
    return null;
  }
  const target = make<Target>(exchange.arena);
  exchange.target = target;
  target.server = server;
  target.name = exchange.arena.copy(upstreamName);
  return target;
}

/** @param token of the name, as it stands in the body at `range` */
export function cutPrefix(target: Target, range: Range, token: Span): void {
  const start = (range >> 32) as u32;
  target.cutFrom = start + 1;
  target.cutTo = start + offsetBehind(token, length(target.server.prefix));
}

/** Prefixes are prefix-free, so at most one matches. */
function serverOf(gateway: Gateway, name: Span): Server | null {
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (startsWith(name, server.prefix)) return server;
  }
  return null;
}
