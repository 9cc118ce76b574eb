import { newArena } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { Events, eventsIn } from '../../../filter/sse/events';

const arena = newArena(4096);
let events: Events = eventsIn(NONE, arena);

export function eventsOpen(stream: usize, count: u32): void {
  arena.reset();
  events = eventsIn(span(stream, count), arena);
}

export function eventsNext(): bool {
  return events.next();
}

export function eventsData(): Span {
  return events.data;
}
