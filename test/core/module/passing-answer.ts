import { newArena } from '../../../filter/bytes/arena';
import { span } from '../../../filter/bytes/span';
import { newPassingAnswer, PassingAnswer } from '../../../filter/response/passing-answer';

const arena = newArena(4096);
let answer: PassingAnswer = newPassingAnswer(false, 0, arena);

/** @param id of the request, as it was written; none where it is empty and at 0 */
export function passingOpen(isStream: bool, id: usize, count: u32): void {
  arena.reset();
  const kept = arena.copy(span(id, count));
  answer = newPassingAnswer(isStream, kept, arena);
}

/** As a host shows a part: whole while the answer has not begun, then its end. */
export function passingRead(part: usize, count: u32): void {
  if (!answer.begun) answer.read(span(part, count));
  else answer.readTail(span(part, count));
}

export function passingIsWhole(): bool {
  return answer.isWhole;
}
