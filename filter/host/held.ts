import { Span, between, length, pointer, span, NONE } from '../bytes/span';
import { read } from './buffers';
import { Role } from './role';
import { arenaOf, Stream } from './streams';
import { Buffer } from './status';

/**
 * The part of a body that nothing has been decided on yet. Where the host holds it, each callback shows it whole and a
 * copy is kept only where reading it again would cost more than its place. Where it goes on to the holder as it comes
 * (host mode `pair`), a callback shows its own chunk only, and the copy is all there is.
 */
const KEPT_CHUNK: u32 = 64 << 10;

/** Bytes of the body that the worker's budget is charged for with this callback. @param size of what the host shows */
export function heldWith(stream: Stream, size: u32): u32 {
  return hostHolds(stream) ? size : stream.scanned + size;
}

/** What is new of the body. @param size of what the host shows */
export function takeIn(stream: Stream, size: u32): Span {
  const seen = stream.scanned;
  const shown = hostHolds(stream);
  const fresh = shown ? size - seen : size;
  if (fresh === 0) return NONE;
  const chunk = read(Buffer.RequestBody, shown ? (seen as usize) : 0, fresh as usize);
  if (seen === 0 && (fresh <= KEPT_CHUNK || !shown)) stream.kept = arenaOf(stream).copy(chunk);
  else if (!shown) append(stream, chunk);
  stream.scanned = seen + fresh;
  return chunk;
}

/** Lets a part of the body go by unread; returns how much has come of it. @param size of what the host shows */
export function passOver(stream: Stream, size: u32): u32 {
  stream.scanned = heldWith(stream, size);
  return stream.scanned;
}

/** A part of what was read. */
export function heldPart(stream: Stream, from: u32, to: u32): Span {
  if (hostHolds(stream)) return read(Buffer.RequestBody, from as usize, (to - from) as usize);
  const start = pointer(stream.kept);
  return between(start + (from as usize), start + (to as usize));
}

/**
 * All that was read. Of a size that is worth keeping it lives as long as the stream, else as long as the callback: in
 * how many pieces a body came must not decide whether its call can be made once more.
 */
export function heldWhole(stream: Stream): Span {
  if ((stream.kept as u32) === stream.scanned) return stream.kept;
  const whole = heldPart(stream, 0, stream.scanned);
  return isWorthKeeping(stream) ? arenaOf(stream).copy(whole) : whole;
}

export function isWorthKeeping(stream: Stream): bool {
  return stream.scanned <= KEPT_CHUNK;
}

/** The copy of a large body is of no use once it has gone on. */
export function release(stream: Stream): void {
  if (stream.copy === 0) return;
  heap.free(stream.copy);
  stream.copy = 0;
  stream.copyCapacity = 0;
  stream.kept = NONE;
}

/** Else the copy is ours, until it is let go. */
export function hostHolds(stream: Stream): bool {
  return stream.role === Role.Hold;
}

/** Grows by doubling, outside of the arena: that would keep every size that it once had. */
function append(stream: Stream, chunk: Span): void {
  const before = stream.kept as u32;
  const after = before + (chunk as u32);
  if (after > stream.copyCapacity) {
    const capacity = max(after, stream.copyCapacity * 2);
    const grown = heap.alloc(capacity as usize);
    memory.copy(grown, pointer(stream.kept), before as usize);
    if (stream.copy !== 0) heap.free(stream.copy);
    stream.copy = grown;
    stream.copyCapacity = capacity;
  }
  memory.copy(stream.copy + (before as usize), pointer(chunk), length(chunk) as usize);
  stream.kept = span(stream.copy, after);
}
