import { Arena, make, scratch } from '../bytes/arena';
import { Span, after, equals, length, literal, startsWith, NONE } from '../bytes/span';
import { Lists } from '../model/dialects';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { mayExist } from '../federation/list-cache';
import { keptFacts } from '../federation/tool-facts';
import { newWriter } from '../bytes/writer';
import { offsetBehind, textOf, writeEscaped } from '../json/text';
import { Range } from '../mcp/envelope';
import { Reason } from '../mcp/errors';
import { Noun } from '../mcp/nouns';
import { NO_FACTS } from '../model/tool-facts';
import { asksForArguments, Hider, mayList } from '../policy/decision';
import { Scope } from '../policy/scope';
import { isOfRequest } from '../session/request-session';
import { Session } from '../session/token';
import { allowsArguments } from './argument-rules';
import { aim, goToTarget, waitFor } from './aim';
import { keepArguments } from './audited-arguments';
import { Exchange, Outcome } from './exchange';
import { Target } from './target';
import { isWithinQuotas } from './quotas';
import { beginRestCall } from './rest-call';
import { beginRestPrompt } from './rest-prompt';
import { askForFacts } from './tool-facts';

const NO_NAME = literal('params.name is missing or not a string');

/** `tools/call`, `prompts/get`: to the server that the prefix names, with the prefix cut out of the bytes of the name. */
export function beginCall(exchange: Exchange, session: Session): Outcome {
  const noun = exchange.noun;
  const envelope = exchange.message.envelope;
  const token = envelope.keyIn(exchange.message.body);
  if (token === NONE) return exchange.refuse(noun.unknown, NO_NAME);
  const name = textOf(token, scratch);
  // No name that is not text can be in a list (a lone surrogate has no UTF-8 form).
  if (name === NONE) return exchange.refuse(noun.unknown, token);
  const audit = exchange.gateway.audit;
  if (audit !== null && noun.noun === Noun.Tools) keepArguments(exchange, audit);
  if (noun.noun === Noun.Tools) {
    const plainName = plainNameIn(exchange.caller.scope, exchange.gateway, name);
    const server: Server | null = plainName === NONE ? null : serverOf(exchange.gateway, plainName);
    if (server !== null && server.asksForFacts) {
      return beginWithFacts(exchange, session, server, name, plainName, token);
    }
  }
  const target = aimAt(exchange, name, noun.unknown);
  if (target === null) return Outcome.Reply;
  const client = exchange.request.pairs;
  const keys = exchange.gateway.keys;
  if (!mayExist(noun, target.server, target.name, session, client, exchange.seconds, keys)) {
    return exchange.refuse(noun.unknown, name);
  }
  toServerName(target, envelope.key, token, exchange.arena);
  return goOn(exchange, session, target, name);
}

/** The same of a tool whose definition decides: what is known of it has to be here first. @param plainName see `plainNameIn` */
function beginWithFacts(
  exchange: Exchange,
  session: Session,
  server: Server,
  name: Span,
  plainName: Span,
  token: Span,
): Outcome {
  const target = make<Target>(exchange.arena);
  target.server = server;
  target.name = exchange.arena.copy(after(plainName, server.prefix as u32));
  target.isRenamed = !equals(plainName, name);
  toServerName(target, exchange.message.envelope.key, token, exchange.arena);
  // What is not whole when the answer comes is read no further.
  if (!exchange.message.whole && asksForArguments(server, target.name, exchange.caller.scope)) {
    target.asksForArguments = true;
    exchange.target = target;
    return Outcome.ReadBody;
  }
  const client = exchange.request.pairs;
  const keys = exchange.gateway.keys;
  const facts = keptFacts(server, target.name, client, exchange.seconds, keys, scratch);
  if (
    facts !== NO_FACTS ||
    !mayList(Noun.Tools, server, exchange.caller.scope) ||
    server.dialect.lists === Lists.Unheard
  ) {
    return goOnWithFacts(exchange, session, target, name, facts);
  }
  if (!exchange.message.whole && (isOfRequest(session) || !exchange.mayWait)) return Outcome.ReadBody;
  exchange.target = target;
  exchange.conversation.sought = exchange.arena.copy(name);
  return waitFor(exchange, askForFacts(exchange, session));
}

/** @param found what is known of a tool, and where it stands in the body. @param name as the client calls it */
export function goOnWithFacts(exchange: Exchange, session: Session, found: Target, name: Span, facts: u32): Outcome {
  const target = aim(exchange, name, found.server, found.name, exchange.noun.unknown, NONE, facts);
  if (target === null) return Outcome.Reply;
  target.cutFrom = found.cutFrom;
  target.cutTo = found.cutTo;
  target.put = found.put;
  target.isRenamed = found.isRenamed;
  return goOn(exchange, session, target, name);
}

/** What may be called is counted, and goes to its server. @param name as the client calls it */
function goOn(exchange: Exchange, session: Session, target: Target, name: Span): Outcome {
  if (exchange.noun.noun === Noun.Tools && asksForArguments(target.server, target.name, exchange.caller.scope)) {
    target.asksForArguments = true;
    if (!exchange.message.whole) return Outcome.ReadBody;
    if (!allowsArguments(exchange)) return Outcome.Reply;
  }
  if (!isWithinQuotas(exchange)) return Outcome.Reply;
  const rest = target.server.rest;
  if (rest !== null) {
    // What it asks for is made of the whole message.
    if (!exchange.message.whole) return Outcome.ReadBody;
    const noun = exchange.noun.noun;
    if (noun === Noun.Tools) return beginRestCall(exchange, rest, name);
    return noun === Noun.Prompts ? beginRestPrompt(exchange, rest, name) : exchange.refuse(exchange.noun.unknown, name);
  }
  return goToTarget(exchange, session);
}

/**
 * What a name is for: its server, and its name there. Null where this request may call none of that name;
 * `plan.reply` then says so.
 */
export function aimAt(exchange: Exchange, name: Span, unknown: Reason): Target | null {
  const isTool = exchange.noun.noun === Noun.Tools;
  const plainName = isTool ? plainNameIn(exchange.caller.scope, exchange.gateway, name) : name;
  const server: Server | null = plainName === NONE ? null : serverOf(exchange.gateway, plainName);
  const upstreamName: Span = server === null ? NONE : after(plainName, server.prefix as u32);
  const target = aim(exchange, name, server, upstreamName, unknown);
  if (plainName === NONE) exchange.hider = Hider.Override;
  else if (target !== null && !equals(plainName, name)) target.isRenamed = true;
  return target;
}

/** What a client means by the name of a tool, with the prefix of its server; NONE: nothing is called so. */
export function plainNameIn(scope: Scope, gateway: Gateway, name: Span): Span {
  const overrides = scope.overrides;
  return overrides === null ? name : overrides.plainNameOf(gateway, name);
}

/** Puts the name at the server in the place of the client's. @param token of that, as it stands in the body at `range` */
export function toServerName(target: Target, range: Range, token: Span, arena: Arena): void {
  const start = (range >> 32) as u32;
  target.cutFrom = start + 1;
  if (target.isRenamed) {
    target.cutTo = (range as u32) - 1;
    const name = newWriter(arena, (length(target.name) as usize) + 16);
    writeEscaped(name, target.name);
    target.put = name.written;
    return;
  }
  target.cutTo = start + offsetBehind(token, length(target.server.prefix));
}

/** Prefixes are prefix-free, so at most one matches. */
export function serverOf(gateway: Gateway, name: Span): Server | null {
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (startsWith(name, server.prefix)) return server;
  }
  return null;
}
