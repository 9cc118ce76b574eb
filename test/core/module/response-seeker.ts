import { newArena } from '../../../filter/bytes/arena';
import { span } from '../../../filter/bytes/span';
import { newResponseSeeker, ResponseSeeker } from '../../../filter/sse/response-seeker';

const arena = newArena(4096);
let seeker: ResponseSeeker = newResponseSeeker(arena);

export function seekerOpen(): void {
  arena.reset();
  seeker = newResponseSeeker(arena);
}

export function seekerRead(chunk: usize, count: u32): void {
  seeker.read(span(chunk, count));
}

export function seekerEnd(): bool {
  seeker.end();
  return seeker.isFound;
}
