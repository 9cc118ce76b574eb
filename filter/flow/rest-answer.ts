import { scratch, Arena, make } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, NONE } from '../bytes/span';
import { Answer } from '../upstream/answer';
import { withoutMark } from '../json/byte-order-mark';
import { newWriter, Writer } from '../bytes/writer';
import { isCompressed } from '../upstream/judge';
import { compressedResult, headersJson, isSuccess, restResult, tooLargeResult } from '../upstream/rest-result';
import { Reason } from '../mcp/errors';
import { Limit } from '../model/limit';
import { RestTool } from '../model/rest';
import * as header from '../mcp/headers';
import { Exchange, Outcome } from './exchange';
import { withinLimit } from './result-limit';

/** The response of a REST service as it comes: its body is kept up to a limit, and becomes the result of the call. */
@unmanaged
export class RestAnswer {
  status: u32;
  contentType: Span;
  contentEncoding: Span;
  /** A JSON object, or NONE where no template asks for it. */
  headers: Span;
  private body: Writer;
  /** More came than may be kept. */
  private isTooLarge: bool;

  /** How much of a part is to be read, bytes. */
  wanted(size: u32, most: u32): u32 {
    if (this.isTooLarge) return 0;
    const kept = this.body.size as u32;
    if (size <= most - kept && hasRoom(((kept + size) as u64) * ROOM_FOR_BYTE)) return size;
    this.isTooLarge = true;
    return 0;
  }

  take(part: Span): void {
    this.body.bytes(part);
  }

  /** The JSON-RPC message for the client. */
  message(exchange: Exchange): Span {
    return withinLimit(exchange, header.JSON_TYPE, exchange.messageOf(this.result(exchange)));
  }

  /** What the call has for a result. */
  result(exchange: Exchange): Span {
    const target = exchange.target;
    const most = exchange.gateway.limits.restResponse;
    if (this.isTooLarge) {
      exchange.meet(Limit.RestResponse);
      return tooLargeResult(most, scratch);
    }
    if (isCompressed(this.contentEncoding)) return compressedResult(this.contentEncoding, scratch);
    return restResult(
      target.tool!,
      target.server.name,
      this.status,
      this.contentType,
      this.headers,
      withoutMark(this.body.written),
      most,
      exchange.now,
      scratch,
    );
  }

  /** How the call is counted. */
  get reason(): Reason {
    if (this.isTooLarge || isCompressed(this.contentEncoding)) return Reason.UpstreamProtocol;
    return isSuccess(this.status) ? Reason.None : Reason.UpstreamStatus;
  }

  begin(arena: Arena): void {
    this.body = newWriter(arena, 1024);
  }
}

/** What a byte of a body may need: itself, its copies while it grows, and what a result makes of it. */
const ROOM_FOR_BYTE: u64 = 24;

/** @param headers of the response, in the ABI's form */
export function newRestAnswer(
  tool: RestTool,
  status: u32,
  contentType: Span,
  contentEncoding: Span,
  headers: Span,
  arena: Arena,
): RestAnswer {
  const answer = make<RestAnswer>(arena);
  answer.status = status;
  answer.contentType = arena.copy(contentType);
  answer.contentEncoding = arena.copy(contentEncoding);
  if (tool.errorResponse !== null && !isSuccess(status)) answer.headers = arena.copy(headersJson(headers, scratch));
  answer.begin(arena);
  return answer;
}

/** Answers the client where the whole response is here. */
export function answerRest(exchange: Exchange, answer: Answer): Outcome {
  const tool = exchange.target.tool!;
  const made = newRestAnswer(
    tool,
    answer.status,
    answer.contentType,
    answer.contentEncoding,
    answer.headers,
    exchange.arena,
  );
  const size = answer.body as u32;
  if (answer.body !== NONE && made.wanted(size, exchange.gateway.limits.restResponse) === size) made.take(answer.body);
  const outcome = exchange.answerResult(made.result(exchange), made.reason);
  exchange.plan.reply.body = withinLimit(exchange, header.JSON_TYPE, exchange.plan.reply.body);
  return outcome;
}
