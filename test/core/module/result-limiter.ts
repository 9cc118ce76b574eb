import { Arena, newArena, scratch } from '../../../filter/bytes/arena';
import { Span, literal, span } from '../../../filter/bytes/span';
import { newResultLimiter, ResultLimiter } from '../../../filter/response/result-limiter';

const arena: Arena = newArena(16 << 10);
const NOTE = literal('[cut]');
const REFUSAL = literal('{"content":[{"type":"text","text":"[refused]"}],"isError":true}');
const ID = literal('7');
let limiter: ResultLimiter = newResultLimiter(false, 1024, true, false, NOTE, REFUSAL, ID, arena);

export function limiterOpen(isStream: bool, most: u32): void {
  arena.reset();
  limiter = newResultLimiter(isStream, most, true, false, NOTE, REFUSAL, ID, arena);
}

export function limiterWrite(bytes: usize, count: u32): Span {
  scratch.reset();
  return limiter.write(span(bytes, count), scratch);
}

export function limiterEnd(): Span {
  scratch.reset();
  return limiter.end(scratch);
}

/** Bytes that it has taken and not given back. */
export function limiterHeld(): usize {
  return arena.held;
}
