import { scratch } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { offsetBehind, textOf, writeEscaped } from '../../../filter/json/text';

export function textText(token: usize, count: u32): Span {
  scratch.reset();
  return textOf(span(token, count), scratch);
}

export function textOffsetBehind(token: usize, count: u32, characters: i32): u32 {
  return offsetBehind(span(token, count), characters);
}

export function textEscaped(text: usize, count: u32): Span {
  scratch.reset();
  const writer = newWriter(scratch, 16);
  writeEscaped(writer, span(text, count));
  return writer.written;
}
