import { newArena } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { Field, newParser, Parser, Part, Separator } from '../../../filter/sse/parser';

const arena = newArena(4096);
let parser: Parser = newParser(arena);

/** Begins another stream. */
export function parserOpen(): void {
  arena.reset();
  parser = newParser(arena);
}

export function parserFeed(chunk: usize, count: u32): void {
  parser.feed(span(chunk, count));
}

export function parserNext(): Part {
  return parser.next();
}

export function parserField(): Field {
  return parser.field;
}

export function parserSeparator(): Separator {
  return parser.separator;
}

export function parserValue(): Span {
  return parser.value;
}

export function parserBegins(): bool {
  return parser.begins;
}

export function parserEnds(): bool {
  return parser.ends;
}
