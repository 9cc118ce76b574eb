import { make, scratch } from '../bytes/arena';
import { Span, after, first, length, literal, startsWith, NONE } from '../bytes/span';
import { Gateway, Server } from '../config/gateway';
import { offsetBehind, textOf } from '../json/text';
import { Range } from '../mcp/envelope';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import { mayUse } from '../policy/decision';
import { upstreamOf } from '../session/overlay';
import { Session } from '../session/token';
import { Exchange, Outcome, Stage, Target } from './exchange';
import { beginJoin } from './join';
import { sendOn } from './send-on';

const NO_NAME = literal('params.name is missing or not a string');
/** MCP says that names of tools have 128 characters at most; what a client sends may have any number. */
const MAX_LOGGED_NAME = 128;

/** `tools/call`: to the server that the prefix names, with the prefix cut out of the bytes of the name. */
export function beginCall(exchange: Exchange, session: Session): Outcome {
  const token = exchange.envelope.nameIn(exchange.body);
  if (token === NONE) return exchange.refuse(Reason.UnknownTool, NO_NAME);
  const name = textOf(token, scratch);
  // No name that is not text can be in a list (a lone surrogate has no UTF-8 form).
  if (name === NONE) return exchange.refuse(Reason.UnknownTool, token);
  const target = aimAt(exchange, name);
  if (target === null) return Outcome.Reply;
  const server = target.server;
  cutPrefix(target, exchange.envelope.name, token);

  const upstream = upstreamOf(session, server.fingerprint, exchange.gateway.keys, exchange.arena);
  if (upstream !== null) return sendOn(exchange, upstream);
  // Of a released body the rest cannot wait: it is held until its server is known, see `release`.
  if (!exchange.whole) return Outcome.ReadBody;
  // The answer comes in another callback.
  if (!exchange.lasts) exchange.body = exchange.arena.copy(first(exchange.body, target.cutTo));
  return beginJoin(exchange, session, Stage.Join);
}

/**
 * What a tool's name is for: its server, and its name there. Null where this request may call none of that name;
 * `exchange.reply` then says so.
 */
export function aimAt(exchange: Exchange, name: Span): Target | null {
  exchange.tool = exchange.arena.copy(clipped(name, MAX_LOGGED_NAME));
  const server = serverOf(exchange.gateway, name);
  exchange.server = server;
  const upstreamName: Span = server === null ? NONE : after(name, server.prefix as u32);
  // What is hidden gets the very answer of what does not exist, before anything else is said about its server.
  if (server === null || !mayUse(server, upstreamName, exchange.scope)) {
    exchange.refuse(Reason.UnknownTool, name);
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
