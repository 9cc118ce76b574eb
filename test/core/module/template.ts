import { Arena, newArena, scratch } from '../../../filter/bytes/arena';
import { NONE, Span, span } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { compile } from '../../../filter/template/compile';
import { Way } from '../../../filter/template/program';
import { connect } from '../../../filter/ports';
import { render } from '../../../filter/template/run';

/** Slots stay empty; randomness is bytes that count. */
connect(
  (key: Span): Span => NONE,
  (key: Span, value: Span): void => {},
  (key: Span, value: Span): bool => true,
  (count: usize, arena: Arena): Span => {
    const at = arena.allocate(count);
    for (let i: usize = 0; i < count; i++) store<u8>(at + i, i as u8);
    return span(at, count as u32);
  },
  (queue: u32, stream: u32, text: Span): void => {},
);

/** `P`, the position, a space and the reason where it does not compile; `E` and the reason where it fails; `=` and the text. */
export function renderTemplate(source: usize, sourceSize: u32, data: usize, dataSize: u32, way: i32, most: u32): Span {
  scratch.reset();
  const arena = newArena(64 << 10);
  const result = newWriter(scratch, 256);
  const template = compile(arena.copy(span(source, sourceSize)), way as Way, null, arena);
  const program = template.program;
  if (program === null) {
    result
      .byte(0x50)
      .decimal(template.position as u64)
      .byte(0x20)
      .bytes(template.fault);
  } else {
    const rendering = render(program, span(data, dataSize), way as Way, most, 1_700_000_000_123_456_789, scratch);
    if (rendering.text === NONE) result.byte(0x45).bytes(rendering.fault);
    else result.byte(0x3d).bytes(rendering.text);
  }
  const bytes = result.written;
  arena.dispose();
  return bytes;
}
