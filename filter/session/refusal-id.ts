import { QUOTE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isString, textOf } from '../json/text';
import { openSealed, sealedLength, writeSealed } from './sealed-text';
import { Session } from './token';

/**
 * The id of a `ping` that a server of HTTP+SSE gets in the place of a request that is refused: its response comes in the
 * client's stream, on whichever worker that is, and the answer that belongs there is in the id. A JSON string,
 * sealed-text.ts of the whole answer.
 */
/** Bytes of an answer that is carried at most. */
export const MOST_OF_REFUSAL: i32 = 4 << 10;
/** Characters of a JSON string that may be such an id, quotes included. */
export const MOST_OF_REFUSAL_ID: i32 = 6 << 10;
/** The shortest answer has some 40 bytes. */
export const LEAST_OF_REFUSAL_ID: i32 = 64;

const PURPOSE = literal('sluice refusal');

/** The id, quotes included; NONE where the answer is longer than MOST_OF_REFUSAL. @param answer a JSON-RPC response */
export function sealRefusal(session: Session, answer: Span, arena: Arena): Span {
  if (length(answer) > MOST_OF_REFUSAL) return NONE;
  const id = newWriter(arena, (sealedLength(length(answer)) + 2) as usize).byte(QUOTE);
  writeSealed(id, session, PURPOSE, answer);
  return id.byte(QUOTE).written;
}

/** The answer; NONE where the id was not made here for this session. @param id a token of JSON */
export function openRefusal(session: Session, id: Span, arena: Arena): Span {
  if (!isString(id) || length(id) < LEAST_OF_REFUSAL_ID || length(id) > MOST_OF_REFUSAL_ID) return NONE;
  const characters = textOf(id, arena);
  return characters === NONE ? NONE : openSealed(session, PURPOSE, characters, arena);
}
