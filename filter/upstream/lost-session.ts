import { Arena, make } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { isJson, member, strip } from '../json/reader';
import { mayMeanLostSession, meansLostSession } from '../mcp/lost-session';
import { Answer, Ending, messagesIn, Failure } from './answer';

const RESULT = literal('result');
const ERROR = literal('error');
const MESSAGE = literal('message');

/** A longer answer has more to say than that a session is gone. */
export const MOST_OF_LOST: u32 = 64 << 10;

/** Whether a server says with this answer that it does not know the session that it was asked in. */
export function saysLost(answer: Answer, arena: Arena): bool {
  if (answer.ending !== Ending.Response || (answer.body as u32) > MOST_OF_LOST) return false;
  if (answer.status === 200) return someMessage(answer, arena, isLostError);
  return mayMeanLostSession(answer.status) && !someMessage(answer, arena, isResult);
}

function isResult(message: Span, arena: Arena): bool {
  return member(message, RESULT, arena) !== NONE;
}

function isLostError(message: Span, arena: Arena): bool {
  const text = member(member(message, ERROR, arena), MESSAGE, arena);
  return text !== NONE && meansLostSession(text);
}

/** Whether it is so of one of the JSON-RPC messages in an answer; text that is no JSON holds none. */
function someMessage(answer: Answer, arena: Arena, isSo: (message: Span, arena: Arena) => bool): bool {
  const messages = messagesIn(answer, make<Failure>(arena), arena);
  if (messages === null) return false;
  while (messages.next()) {
    const message: Span = messages.document;
    if (length(message) > 0 && isJson(message, arena) && isSo(strip(message), arena)) return true;
  }
  return false;
}
