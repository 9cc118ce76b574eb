import { make, scratch } from '../bytes/arena';
import { HeaderList, readPairs } from '../bytes/pairs';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { member } from '../json/reader';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Revision } from '../mcp/revisions';
import { Rest, RestTool } from '../model/rest';
import { Server } from '../model/server';
import { endsHere } from '../policy/client-headers';
import { Upstream } from '../session/token';
import { readRestArguments } from '../upstream/rest-arguments';
import { RestRequest, restRequest } from '../upstream/rest-request';
import { directResult } from '../upstream/rest-result';
import { isRefused, refuseCredential } from './credentials';
import { Exchange, Outcome } from './exchange';
import { refuseWhole } from './limits';
import { routed } from './send-on';

/**
 * A call of a tool that is made from a request to a REST service: the client's message becomes that request, by route,
 * and its response becomes the answer (rest-answer.ts). No session comes first.
 */
const ARGUMENTS = literal('arguments');
const EMPTY = literal('');

/** What stands for a session with a service, which has none: it offers the tools and prompts that are made here. */
export function withoutSession(server: Server, exchange: Exchange): Upstream {
  const upstream = make<Upstream>(exchange.arena);
  upstream.fingerprint = server.fingerprint;
  upstream.revision = Revision.Unknown;
  upstream.offers = server.rest!.offers;
  return upstream;
}

/** The exchange's target is known, and has no prefix any more. @param name that the client asked for */
export function beginRestCall(exchange: Exchange, rest: Rest, name: Span): Outcome {
  const target = exchange.target;
  const tool = rest.tool(target.name);
  if (tool === null) return exchange.refuse(exchange.noun.unknown, name);
  const message = exchange.message;
  const limits = exchange.gateway.limits;
  // In how few parts a body comes must not decide what is held.
  if (message.size > limits.heldBody) return refuseWhole(exchange, message.size);
  const params = message.envelope.text(message.body, message.envelope.params);
  if (tool.path !== null && isRefused(target.server)) return refuseCredential(exchange, target.server);
  const values = readRestArguments(rest, tool, member(params, ARGUMENTS, scratch), scratch);
  if (values.fault !== NONE) return exchange.refuse(Reason.InvalidArguments, values.fault, target.server.name);
  if (tool.path === null) {
    const result = directResult(tool, values.data, limits.restResponse, exchange.now, scratch);
    return exchange.answerResult(result, Reason.None);
  }
  const request = restRequest(tool, values, exchange.request.pairs, limits.heldBody, exchange.now, scratch);
  if (request.fault !== NONE) {
    return request.lacksCredential
      ? exchange.refuse(Reason.UpstreamCredential, request.fault, target.server.name)
      : exchange.refuse(Reason.InvalidArguments, request.fault, target.server.name);
  }
  target.tool = tool;
  target.body = request.body === NONE ? EMPTY : exchange.arena.copy(request.body);
  send(exchange, tool, request);
  return Outcome.Forward;
}

function send(exchange: Exchange, tool: RestTool, request: RestRequest): void {
  const arena = exchange.arena;
  const server = exchange.target.server;
  const forward = routed(exchange, withoutSession(server, exchange));
  const edits = forward.headers;
  edits
    .set(header.PATH, arena.copy(request.path))
    .set(header.AUTHORITY, tool.authority === NONE ? server.authority : tool.authority)
    .set(header.METHOD, tool.method);
  for (let i: u32 = 0; i < request.headers.count; i++) {
    edits.set(arena.copy(request.headers.nameAt(i)), arena.copy(request.headers.valueAt(i)));
  }
  edits.set(header.CONTENT_LENGTH, newWriter(arena, 16).decimal(length(exchange.target.body) as u64).written);
  removeClientHeaders(edits, exchange);
}

/** A service is not told what the client says of MCP, and gets no credential that its configuration does not name. */
function removeClientHeaders(edits: HeaderList, exchange: Exchange): void {
  const table = exchange.gateway.clientHeaders;
  const credentials = exchange.target.server.credentials;
  for (const pairs = readPairs(exchange.request.pairs, scratch); pairs.next();) {
    const name = pairs.name;
    if (edits.names(name)) continue;
    const isOfMcp = equals(name, header.PROTOCOL_VERSION) || equals(name, header.ACCEPT);
    if (isOfMcp || endsHere(table, name, credentials, Revision.Unknown)) edits.add(name, NONE);
  }
}
