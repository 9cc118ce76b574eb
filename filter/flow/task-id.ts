import { scratch } from '../bytes/arena';
import { Span, literal, NONE } from '../bytes/span';
import { member } from '../json/reader';
import { isString, textOf } from '../json/text';
import { EXTENSIONS, TASKS_EXTENSION } from '../mcp/capabilities';
import { Reason } from '../mcp/errors';
import { Noun } from '../mcp/nouns';
import { CLIENT_CAPABILITIES_KEY } from '../mcp/request-meta';
import { Server } from '../model/server';
import { mayList } from '../policy/decision';
import { CallerText, openCallerText, TextKind } from '../session/caller-text';
import { Exchange, Outcome } from './exchange';

/**
 * Ids of tasks (the extension for tasks of MCP 2026-07-28, SEP-2663). Clients get them sealed (response/replacements.ts), so
 * that each says which server has the task, and is of use to the caller alone that it was given to.
 */
const REQUIRED = literal(',"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}');
const NO_ID = literal('params.taskId is missing or not a string');

/** Whether the client is capable of tasks, as it has to be for whatever names one. If not, `plan.reply` says so. */
export function declaresTasks(exchange: Exchange): bool {
  const message = exchange.message;
  const meta = message.envelope.text(message.body, message.envelope.meta);
  const capabilities = member(meta, CLIENT_CAPABILITIES_KEY, scratch);
  if (member(member(capabilities, EXTENSIONS, scratch), TASKS_EXTENSION, scratch) !== NONE) return true;
  exchange.refuse(Reason.MissingCapability, TASKS_EXTENSION, NONE, REQUIRED);
  return false;
}

/**
 * What a sealed id names, whose server the caller may know of. Null: there is no such task for it, and `plan.reply` says
 * so.
 * @param token as the client sends it, or NONE
 */
export function openTaskId(exchange: Exchange, token: Span): CallerText | null {
  const id: Span = token === NONE || !isString(token) ? NONE : textOf(token, scratch);
  const keys = exchange.gateway.keys;
  const audience = exchange.caller.audience;
  const text: CallerText | null = id === NONE ? null : openCallerText(TextKind.TaskId, keys, audience, id, scratch);
  if (text !== null && serverOfTask(exchange, text) !== null) {
    exchange.repeatedUnder = text.key;
    return text;
  }
  refuseTask(exchange, token === NONE ? NO_ID : id === NONE ? token : id);
  return null;
}

/** The server that has the task, or null: it is gone, or hidden from the caller. */
export function serverOfTask(exchange: Exchange, text: CallerText): Server | null {
  const gateway = exchange.gateway;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (!text.isOf(server.fingerprint)) continue;
    return server.dialect.isMcp && mayList(Noun.Tools, server, exchange.caller.scope) ? server : null;
  }
  return null;
}

/** @param id as it is told to the client */
export function refuseTask(exchange: Exchange, id: Span): Outcome {
  return exchange.refuse(Reason.UnknownTask, id);
}
