import { scratch } from '../bytes/arena';
import { newHeaderList, readPairs } from '../bytes/pairs';
import { Span, equals, literal, pointer, startsWith, NONE } from '../bytes/span';
import { COLON } from '../bytes/ascii';
import { hearFrom } from './answer-progress';
import { Exchange } from '../flow/exchange';
import { Response } from '../flow/response';
import { newRestAnswer } from '../flow/rest-answer';
import * as header from '../mcp/headers';
import { endedWith } from '../mcp/outcomes';
import { collecting } from '../response/plan';
import { read, replaceAll } from './buffers';
import { act } from './carry';
import { now } from './clock';
import { edit, replace } from './headers';
import { Action, Buffer, HeaderMap } from './status';
import { Stream } from './streams';

/**
 * The response of a REST service on its way to the client: its headers go on at once as those of a result, its body is
 * kept here, and at its end the result goes on in its place. The same in every host mode.
 */
const OK = literal('200');
const EMPTY = literal('');
const ACCESS_CONTROL = literal('access-control-');
const X_ENVOY = literal('x-envoy-');

/** @param headers of the response, in the ABI's form. @param ended it has no body */
export function beginRest(
  stream: Stream,
  exchange: Exchange,
  status: u32,
  response: Response,
  headers: Span,
  ended: bool,
): Action {
  const tool = exchange.target.tool!;
  hearFrom(exchange, exchange.sentAt, exchange.now);
  const answer = newRestAnswer(tool, status, response.contentType, response.contentEncoding, headers, exchange.arena);
  stream.restAnswer = answer;
  exchange.ended = endedWith(answer.reason);
  if (ended) {
    return act(stream, exchange, exchange.answerResult(answer.result(exchange), answer.reason));
  }
  stream.plan = collecting(exchange.arena);
  editHeaders(headers);
  return Action.Continue;
}

/** What the service says of its own response says nothing of the result. */
function editHeaders(headers: Span): void {
  const edits = newHeaderList(scratch);
  for (const pairs = readPairs(headers, scratch); pairs.next();) {
    const name = pairs.name;
    const isOurs = equals(name, header.GATEWAY) || startsWith(name, ACCESS_CONTROL) || startsWith(name, X_ENVOY);
    if (load<u8>(pointer(name)) !== COLON && !isOurs) edits.set(name, NONE);
  }
  edit(HeaderMap.Response, edits);
  replace(HeaderMap.Response, header.STATUS, OK);
  replace(HeaderMap.Response, header.CONTENT_TYPE, header.JSON_TYPE);
}

export function collectRest(stream: Stream, exchange: Exchange, size: u32, ended: bool): Action {
  const answer = stream.restAnswer!;
  if (size > 0) {
    hearFrom(exchange, exchange.heardAt, now());
    const wanted = answer.wanted(size, exchange.gateway.limits.restResponse);
    if (wanted > 0) answer.take(read(Buffer.ResponseBody, 0, wanted as usize));
  }
  if (ended) {
    endRest(stream, exchange);
    return Action.Continue;
  }
  // Envoy keeps its buffer, empty, so that there is one to be filled where trailers are the end.
  replaceAll(Buffer.ResponseBody, EMPTY);
  return Action.Pause;
}

/** All of it is here. */
export function endRest(stream: Stream, exchange: Exchange): void {
  exchange.now = now();
  stream.plan = null;
  exchange.ended = endedWith(stream.restAnswer!.reason);
  replaceAll(Buffer.ResponseBody, stream.restAnswer!.message(exchange));
}
