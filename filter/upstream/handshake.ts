import { Arena } from '../bytes/arena';
import { Span, NONE } from '../bytes/span';
import { Capability } from '../mcp/capabilities';
import { Reason } from '../mcp/errors';
import { Method, methodText } from '../mcp/methods';
import { Revision } from '../mcp/revisions';
import { Dialect } from '../model/dialects';
import { Answer, Ending, responseIn, Failure } from './answer';
import { UpstreamCall } from './call';
import { post } from './callout';
import { messageDialect, MessageDialect, messageDialectOf } from './dialects';
import { hangs, isFault } from './faults';
import { Introduction } from './introduction';
import { judge, saysMethodUnknown } from './judge';
import { requestMessage } from './message';

/**
 * The beginning of a conversation with one server, in its dialect (dialects.ts): with sessions `initialize`, its answer,
 * `notifications/initialized`, its acceptance. Strict servers refuse every request that comes before the last. Where the
 * client has set a log level before, the server is told it at once.
 */
const CONFIRMED = 2;
const LEVEL_SET = 3;

/**
 * Prepares the call's first callout.
 * @param dialect in which the server is asked first: Session or Stateless
 * @param like another call that begins at the same time with the same introduction and revision of its server, and has
 * sent nothing yet: the two share one message, however large it is
 */
export function beginHandshake(
  call: UpstreamCall,
  dialect: Dialect,
  introduction: Introduction,
  client: Span,
  now: u64,
  arena: Arena,
  like: UpstreamCall | null = null,
): void {
  messageDialect(dialect).open(call, introduction, client, now, arena, like);
}

/**
 * Takes the answer to the call's callout. True: the handshake is over, and the call holds what came of it. A server that
 * does not speak the dialect in which it was asked is asked in the other one, once, unless the configuration fixes it.
 */
export function continueHandshake(
  call: UpstreamCall,
  answer: Answer,
  client: Span,
  now: u64,
  scratch: Arena,
  arena: Arena,
): bool {
  // The session is there, whatever it says to the level.
  if (call.step === LEVEL_SET) return true;
  const dialect = messageDialectOf(call.upstream.revision);
  const failure = judge(answer, call.server, scratch, call.upstream.dialect.era);
  if (failure.reason === Reason.None && call.step === dialect.opening) {
    const response = responseIn(answer, call.id, failure, scratch);
    if (failure.reason === Reason.None) dialect.take(call, answer, response, failure, scratch, arena);
    if (failure.reason === Reason.None && dialect.confirmation !== NONE) {
      call.step = CONFIRMED;
      call.callout = post(call.server, call.upstream, dialect.confirmation, client, arena);
      return false;
    }
  }
  if (failure.reason === Reason.None && call.level !== NONE && (call.upstream.offers & Capability.Logging) !== 0) {
    call.step = LEVEL_SET;
    const message = requestMessage(call.id, methodText(Method.SetLevel), call.level, arena);
    call.callout = post(call.server, call.upstream, message, client, arena);
    return false;
  }
  call.faulty = isFault(answer);
  call.hangs = hangs(answer);
  if (!call.faulty && mayFallBack(call, dialect, failure, answer, scratch)) {
    call.fellBack = true;
    messageDialect(dialect.other).open(call, call.introduction, client, now, arena, null);
    return false;
  }
  call.failure.take(failure, arena);
  return true;
}

/**
 * What a server of sessions makes of `server/discover` differs much; one without says what it refuses `initialize` for, or
 * that it does not have it.
 */
function mayFallBack(
  call: UpstreamCall,
  dialect: MessageDialect,
  failure: Failure,
  answer: Answer,
  scratch: Arena,
): bool {
  if (failure.reason === Reason.None || call.fellBack || call.server.revision !== Revision.Unknown) return false;
  if (call.step !== dialect.opening) return false;
  if (dialect.isUncertain) return answer.ending === Ending.Response;
  return failure.reason === Reason.UpstreamEra || saysMethodUnknown(answer, scratch);
}
