import { Arena, make } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { isJson, kindOf, Kind, member, strip, walkThrough } from '../json/reader';
import { mayMeanLostSession, meansLostSession } from '../mcp/lost-session';
import { Answer, documentsIn, Ending, Verdict } from './answer';

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
  const documents = documentsIn(answer, make<Verdict>(arena), arena);
  if (documents === null) return false;
  while (documents.next()) {
    const document: Span = documents.document;
    if (length(document) === 0 || !isJson(document, arena)) continue;
    const value = strip(document);
    if (kindOf(value) !== Kind.Array) {
      if (isSo(value, arena)) return true;
      continue;
    }
    for (const walk = walkThrough(value, arena); walk.next();) if (isSo(walk.value, arena)) return true;
  }
  return false;
}
