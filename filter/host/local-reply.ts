import { newHeaderList } from '../bytes/pairs';
import { scratch } from '../bytes/arena';
import { Span, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { errorRow, Reason, statusFor, writeError } from '../mcp/errors';
import * as header from '../mcp/headers';
import { endedWith } from '../mcp/outcomes';
import { OTHER_METHOD } from '../mcp/method-label';
import { PRODUCT } from '../version';
import { proxy_send_local_response } from '../env';
import { UNKNOWN } from './labels';
import { line } from './log';
import { countError, countRequest } from './metrics';

const NO_GRPC_STATUS = -1;
const SERVED = literal('sluice');
const REFUSED = literal('sluice_');

/** @param headers packed pairs */
export function sendLocalReply(status: u32, reason: Reason, body: Span, headers: Span): void {
  const details = detailsOf(reason);
  proxy_send_local_response(
    status as i32,
    pointer(details),
    length(details) as usize,
    pointer(body),
    length(body) as usize,
    pointer(headers),
    length(headers) as usize,
    NO_GRPC_STATUS,
  );
}

/** For a request that nothing is known of but that it must not go on. */
export function refuseUnread(reason: Reason, detail: Span): void {
  const body = newWriter(scratch, 512);
  writeError(body, NONE, reason, detail, NONE, NONE);
  const headers = newHeaderList(scratch).add(header.CONTENT_TYPE, header.JSON_TYPE).add(header.GATEWAY, PRODUCT);
  countRequest(OTHER_METHOD, UNKNOWN, endedWith(reason));
  countError(UNKNOWN, reason);
  sendLocalReply(statusFor(reason, NONE), reason, body.written, headers.packed());
}

/** What the access log shows as RESPONSE_CODE_DETAILS. */
function detailsOf(reason: Reason): Span {
  return reason === Reason.None ? SERVED : line().bytes(REFUSED).bytes(errorRow(reason).name).written;
}
