import { newArena } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { newWriter, Writer } from '../../../filter/bytes/writer';

const arena = newArena(256);
let writer: Writer = newWriter(arena, 0);

export function writerOpen(capacity: usize): void {
  arena.reset();
  writer = newWriter(arena, capacity);
}

export function writerBytes(text: usize, count: u32): void {
  writer.bytes(span(text, count));
}

export function writerByte(value: u32): void {
  writer.byte(value as u8);
}

export function writerDecimal(value: u64): void {
  writer.decimal(value);
}

export function writerSigned(value: i64): void {
  writer.signed(value);
}

export function writerU16(value: u32): void {
  writer.u16(value);
}

export function writerU32(value: u32): void {
  writer.u32(value);
}

export function writerU64(value: u64): void {
  writer.u64(value);
}

export function writerTruncate(size: i32): void {
  writer.truncate(size);
}

export function writerWritten(): Span {
  return writer.written;
}
