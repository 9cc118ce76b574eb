import { scratch } from '../bytes/arena';
import { literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Exchange } from '../flow/exchange';
import { Stage } from '../flow/conversation';
import { Reason } from '../mcp/errors';
import { ABORTED, endedText, reasonOf } from '../mcp/outcomes';
import { OTHER_METHOD, methodLabel, methodLabelText } from '../mcp/method-label';
import { countLimits } from '../session/limits-met';
import { leaveAnswer } from './answer-progress';
import { auditRequest } from './audit';
import {
  CacheResult,
  countError,
  countForward,
  countListCache,
  countRequest,
  countSession,
  SessionEvent,
  Way,
} from './metrics';
import { setProperty } from './properties';
import { hasHolder } from './role';
import { Stream } from './streams';

/**
 * What is left behind of a request: counters, and attributes for the access log, which Envoy writes right after this.
 * A name that a client sent goes into the log as it is; log it as JSON, which escapes what would forge a line.
 */
const MCP_METHOD = literal('mcp_method');
const MCP_SERVER = literal('mcp_server');
const MCP_VIRTUAL_SERVER = literal('mcp_virtualserver');
const MCP_SESSION = literal('mcp_session');
const MCP_OUTCOME = literal('mcp_outcome');

/** The stream has ended, however it did. */
export function writeTelemetry(stream: Stream): void {
  const exchange = stream.exchange;
  if (exchange === null) return;
  leaveAnswer(stream, exchange);
  const audit = exchange.gateway.audit;
  if (audit !== null) auditRequest(exchange, audit);
  const method = methodLabel(exchange.message.method, exchange.request.method);
  const server = exchange.server;
  countRequest(method, exchange.label, exchange.ended);
  if (exchange.plan.relayed) countForward(exchange.gateway.label, Way.Callout);
  else if (exchange.sentAt !== 0 && (!hasHolder(stream.role) || stream.resumed))
    countForward(exchange.gateway.label, Way.Route);
  countErrors(exchange);
  if (exchange.limitsMet !== 0) keepLimits(exchange);
  countSessions(exchange);
  countCache(exchange);

  setProperty(MCP_OUTCOME, endedText(exchange.ended));
  if (method !== OTHER_METHOD) setProperty(MCP_METHOD, methodLabelText(method));
  if (server !== null) setProperty(MCP_SERVER, server.name);
  if (exchange.name !== NONE) setProperty(exchange.noun.attribute, exchange.name);
  if (exchange.caller.scoped !== NONE) setProperty(MCP_VIRTUAL_SERVER, exchange.caller.scoped);
  if (exchange.caller.sessionTag !== 0)
    setProperty(MCP_SESSION, newWriter(scratch, 16).hex(exchange.caller.sessionTag).written);
}

/** Every failure once, where it happened: a server that was left out of an answer, or a request that was refused. */
function countErrors(exchange: Exchange): void {
  let found = false;
  const fanOut = exchange.conversation.fanOut;
  if (fanOut !== null) {
    for (let i = 0; i < fanOut.calls.count; i++) {
      const call = fanOut.at(i);
      if (!call.failed) continue;
      countError(exchange.gateway.label, call.failure.reason);
      exchange.meet(call.failure.limit);
      found = true;
    }
  }
  const reason = exchange.ended === ABORTED ? Reason.None : reasonOf(exchange.ended);
  if (reason !== Reason.None && !found) countError(exchange.gateway.label, reason);
}

/** For the status, where there is one. */
function keepLimits(exchange: Exchange): void {
  const gateway = exchange.gateway;
  if (gateway.statusToken === NONE || gateway.keys.keys.count === 0) return;
  countLimits(exchange.limitsMet, exchange.seconds, gateway.keys, scratch);
}

function countSessions(exchange: Exchange): void {
  if (exchange.ended === (Reason.SessionUnknown as i32)) countSession(exchange.gateway.label, SessionEvent.Refused);
  else if (exchange.conversation.stage === Stage.Terminate) countSession(exchange.gateway.label, SessionEvent.Ended);
  else if (exchange.caller.session === null && exchange.caller.sessionTag !== 0)
    countSession(exchange.gateway.label, SessionEvent.Opened);
}

function countCache(exchange: Exchange): void {
  const fanOut = exchange.conversation.fanOut;
  if (fanOut === null || exchange.conversation.stage !== Stage.List) return;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.server.cacheTtl > 0) countListCache(call.server.label, call.cached ? CacheResult.Hit : CacheResult.Miss);
  }
}
