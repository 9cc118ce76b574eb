import { Arena, scratch } from '../bytes/arena';
import { Span, between, equals, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { resultMessage } from '../federation/message';
import { Answer } from '../federation/answer';
import { Lane } from '../federation/fanout';
import { hasPassed } from '../federation/via';
import { Shape } from '../mcp/envelope';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Method } from '../mcp/methods';
import { Revision, revisionOf, SUPPORTED_JSON } from '../mcp/revisions';
import { openSession, Session } from '../session/token';
import { beginCall } from './call';
import { atDoor, lacksIdentity, refuseUnidentified } from './door';
import { Exchange, Outcome } from './exchange';
import { beginInitialize, resumeInitialize } from './initialize';
import { beginList, resumeList } from './list';
import { beginTerminate, resumeTerminate } from './terminate';
import { textOf } from '../json/text';

const ALLOWED = literal('POST, DELETE');
const MODERN = literal('2026-07-28');
const EMPTY_OBJECT = literal('{}');
const UNEXPECTED_RESPONSE = literal('it answers a request that was never sent to this client');
const SUPPORTED = literal(',"supported":');
const REQUESTED = literal(',"requested":');

/** By the headers alone. @param behind what follows the endpoint in the path */
export function enter(exchange: Exchange, behind: Span): Outcome {
  const request = exchange.request;
  const door = atDoor(exchange);
  if (door !== Outcome.ReadBody) return door;
  if (request.via !== NONE && hasPassed(request.via)) return exchange.refuse(Reason.Loop, request.via);
  if (lacksIdentity(exchange)) return refuseUnidentified(exchange);
  // Nothing is served under a name that is not configured, and above all not everything.
  if (length(behind) > 0) return exchange.refuse(Reason.UnknownVirtualServer, behind);
  if (request.virtualServer !== NONE) return exchange.refuse(Reason.UnknownVirtualServer, request.virtualServer);
  if (equals(request.method, header.POST)) return Outcome.ReadBody;
  if (equals(request.method, header.DELETE)) return admitSession(exchange);
  const outcome = exchange.refuse(Reason.MethodNotAllowed, request.method);
  exchange.reply.headers.add(header.ALLOW, ALLOWED);
  return outcome;
}

/** By the whole message. The order of the checks is that of what a client must mend first. */
export function admit(exchange: Exchange): Outcome {
  const envelope = exchange.envelope;
  const body = exchange.body;
  envelope.end(body);
  const id = envelope.idIn(body);
  exchange.id = id === NONE ? NONE : exchange.arena.copy(id);
  if (envelope.problem !== Reason.None) return exchange.refuse(envelope.problem, envelope.detail);
  if (envelope.shape === Shape.Response) return exchange.refuse(Reason.InvalidRequest, UNEXPECTED_RESPONSE);
  if (envelope.claim !== 0) return refuseModern(exchange, envelope.text(body, envelope.claim));

  exchange.method = envelope.methodIn(body, scratch);
  if (exchange.method === Method.Initialize && envelope.shape === Shape.Request) return Outcome.Serve;
  const version = exchange.request.protocolVersion;
  if (version !== NONE && revisionOf(version) === Revision.Unknown) {
    return equals(version, MODERN)
      ? refuseModern(exchange, newWriter(scratch, 16).byte(0x22).bytes(version).byte(0x22).written)
      : exchange.refuse(Reason.UnsupportedVersion, version);
  }
  return admitSession(exchange);
}

function admitSession(exchange: Exchange): Outcome {
  const token = exchange.request.sessionId;
  if (token === NONE) return exchange.refuse(Reason.SessionRequired);
  const gateway = exchange.gateway;
  exchange.session = openSession(token, gateway.keys, exchange.seconds, exchange.audience, exchange.arena);
  return exchange.session === null ? exchange.refuse(Reason.SessionUnknown) : Outcome.Serve;
}

/** A client that speaks several eras falls back to `initialize` on this answer, and on no other as surely. */
function refuseModern(exchange: Exchange, requested: Span): Outcome {
  const more = newWriter(scratch, 256).bytes(SUPPORTED).bytes(SUPPORTED_JSON).bytes(REQUESTED).bytes(requested);
  return exchange.refuse(Reason.UnsupportedModernVersion, requested, NONE, more.written);
}

/** Begins what an admitted request asks for. */
export function serve(exchange: Exchange): Outcome {
  const session = exchange.session;
  if (session === null) return beginInitialize(exchange);
  if (!equals(exchange.request.method, header.POST)) return beginTerminate(exchange, session);
  // MCP transports: a notification is accepted with 202 and no body. Upstreams had theirs when the session began.
  if (exchange.envelope.shape === Shape.Notification) return exchange.answer(202, NONE);
  switch (exchange.method) {
    case Method.Ping:
      return exchange.answer(200, resultMessage(exchange.id, EMPTY_OBJECT, exchange.arena));
    case Method.ToolsList:
      return beginList(exchange, session);
    case Method.ToolsCall:
      return beginCall(exchange, session);
    default: {
      const method = exchange.envelope.text(exchange.body, exchange.envelope.method);
      return exchange.refuse(Reason.MethodNotFound, method);
    }
  }
}

/** Gives an answer to the flow that asked for it. */
export function resume(exchange: Exchange, lane: Lane, answer: Answer): Outcome {
  const fanOut = exchange.fanOut!;
  lane.waiting = false;
  lane.callout = null;
  if (exchange.session === null) return resumeInitialize(exchange, fanOut, lane, answer);
  if (exchange.endsSession) return resumeTerminate(exchange, fanOut, lane, answer);
  return resumeList(exchange, fanOut, lane, answer);
}
