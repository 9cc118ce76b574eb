import { Arena } from '../bytes/arena';
import { literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { member } from '../json/reader';
import { Reason } from '../mcp/errors';
import { Method, methodText } from '../mcp/methods';
import { Answer, responseIn } from './answer';
import { UpstreamCall } from './call';
import { judge } from './judge';

const RESULT = literal('result');
const ERROR = literal('error');
const NO_RESPONSE_TO = literal('no response to ');
const IN_ITS_ANSWER = literal(' in its answer');
const REFUSED = literal('it refused ');

/** Takes the answer to a request of which nothing is needed but whether the server did it: the call has failed, or has not. */
export function takeAcknowledgement(
  call: UpstreamCall,
  answer: Answer,
  method: Method,
  scratch: Arena,
  arena: Arena,
): void {
  const failure = judge(answer, call.server, scratch);
  const response = failure.reason === Reason.None ? responseIn(answer, call.id, failure, scratch) : NONE;
  if (failure.reason === Reason.None) {
    if (member(response, RESULT, scratch) !== NONE) return;
    call.error = arena.copy(member(response, ERROR, scratch));
    const detail = newWriter(scratch, 64);
    if (call.error === NONE) detail.bytes(NO_RESPONSE_TO).bytes(methodText(method)).bytes(IN_ITS_ANSWER);
    else detail.bytes(REFUSED).bytes(methodText(method));
    failure.set(Reason.UpstreamProtocol, detail.written);
  }
  call.failure.take(failure, arena);
}
