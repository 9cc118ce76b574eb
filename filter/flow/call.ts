import { Arena, scratch } from '../bytes/arena';
import { Span, after, equals, length, literal, startsWith, NONE } from '../bytes/span';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { mayExist } from '../federation/list-cache';
import { newWriter } from '../bytes/writer';
import { offsetBehind, textOf, writeEscaped } from '../json/text';
import { Range } from '../mcp/envelope';
import { Reason } from '../mcp/errors';
import { Noun } from '../mcp/nouns';
import { asksForArguments, Hider } from '../policy/decision';
import { Scope } from '../policy/scope';
import { Session } from '../session/token';
import { allowsArguments } from './argument-rules';
import { aim, goToTarget } from './aim';
import { keepArguments } from './audited-arguments';
import { Exchange, Outcome, Target } from './exchange';
import { isWithinQuotas } from './quotas';
import { beginRestCall } from './rest-call';

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
  const target = aimAt(exchange, name, noun.unknown);
  if (target === null) return Outcome.Reply;
  const client = exchange.request.pairs;
  const keys = exchange.gateway.keys;
  if (!mayExist(noun, target.server, target.name, session, client, exchange.seconds, keys)) {
    return exchange.refuse(noun.unknown, name);
  }
  toServerName(target, envelope.key, token, exchange.arena);
  if (noun.noun === Noun.Tools && asksForArguments(target.server, target.name, exchange.caller.scope)) {
    target.asksForArguments = true;
    if (!exchange.message.whole) return Outcome.ReadBody;
    if (!allowsArguments(exchange)) return Outcome.Reply;
  }
  if (!isWithinQuotas(exchange)) return Outcome.Reply;
  const rest = target.server.rest;
  // Its request is made of the whole message.
  if (rest !== null) return exchange.message.whole ? beginRestCall(exchange, rest, name) : Outcome.ReadBody;
  return goToTarget(exchange, session);
}

/**
 * What a name is for: its server, and its name there. Null where this request may call none of that name;
 * `exchange.reply` then says so.
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
