import { SPACE } from '../bytes/ascii';
import { hasRoom } from '../bytes/room';
import { Span, between, first, length, literal, pointer, span, NONE } from '../bytes/span';
import { BUFFERED_BYTES, WORKER_MEMORY } from '../flow/limits';
import { Envelope } from '../mcp/envelope';
import { read, replaceBeginning } from './buffers';
import { decidesByHeaders, holdsWhileReading } from './role';
import { arenaOf, Phase, Stream } from './streams';
import { Buffer } from './status';

/**
 * The part of a body that nothing has been decided on yet. Where the host holds it, each callback shows it whole and a
 * copy is kept only where reading it again would cost more than its place. Where the host does not hold it, because it goes
 * on to the holder as it comes (host mode `pair`) or because it may outgrow what the host holds (modes/hold.ts), a callback
 * shows its own chunk only, and the copy is all there is.
 */
const KEPT_CHUNK: u32 = 64 << 10;
/** A byte of a body: itself, and its place in a copy that doubles while the one before is there. */
export const ROOM_FOR_BODY: u64 = 4;
/** A byte of an answer: itself, a copy, and six for what reading makes of the shortest tool of a list. */
export const ROOM_FOR_ANSWER: u64 = 8;
const SPACES = literal('   ');

/** Bytes of the body that the worker's budget is charged for with this callback. @param size of what the host shows */
export function heldWith(stream: Stream, size: u32): u32 {
  return hostHolds(stream) ? size : stream.scanned + size;
}

/**
 * Takes the budget for what is held, an answer that is read included, and makes sure of the memory for it. NONE, or the
 * name of what is full. @param bytes in all. @param times what one of them may need in this callback
 */
export function lacksRoom(stream: Stream, bytes: u32, times: u64, most: u32): Span {
  if (!stream.hold(bytes, most)) return BUFFERED_BYTES;
  return hasRoom((bytes as u64) * times) ? NONE : WORKER_MEMORY;
}

/** Reads what is new of the body, and keeps it. @param size of what the host shows */
export function readIn(stream: Stream, envelope: Envelope, size: u32): Span {
  const before = envelope.markBytes;
  const chunk = takeIn(stream, size);
  envelope.read(chunk);
  const mark = envelope.markBytes;
  if (mark !== before) blank(stream, mark, hostHolds(stream) ? mark : mark - before);
  return chunk;
}

/**
 * The byte order mark of a body becomes white space: a strict server would refuse it (RFC 8259 §8.1), and no offset
 * changes. @param kept its bytes so far @param shown those that the host shows
 */
function blank(stream: Stream, kept: u32, shown: u32): void {
  memory.fill(pointer(stream.kept), SPACE, min(kept, length(stream.kept) as u32) as usize);
  replaceBeginning(Buffer.RequestBody, shown, first(SPACES, shown));
}

function takeIn(stream: Stream, size: u32): Span {
  const isFirst = stream.scanned === 0;
  const chunk = passOver(stream, size);
  if (chunk === NONE) return NONE;
  if (isFirst && (chunk as u32) <= KEPT_CHUNK) stream.kept = copyOf(stream, chunk);
  else if (!hostHolds(stream)) append(stream, chunk);
  return chunk;
}

/** What is new of a body that is of no other use. @param size of what the host shows */
export function passOver(stream: Stream, size: u32): Span {
  const seen = stream.scanned;
  const shown = hostHolds(stream);
  const fresh = shown ? size - seen : size;
  if (fresh === 0) return NONE;
  stream.scanned = seen + fresh;
  return read(Buffer.RequestBody, shown ? (seen as usize) : 0, fresh as usize);
}

/** A part of what was read. */
function heldPart(stream: Stream, from: u32, to: u32): Span {
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
  return isWorthKeeping(stream) ? copyOf(stream, whole) : whole;
}

function copyOf(stream: Stream, part: Span): Span {
  const arena = arenaOf(stream);
  const before = arena.held;
  const copy = arena.copy(part);
  stream.copied += (arena.held - before) as u32;
  return copy;
}

export function isWorthKeeping(stream: Stream): bool {
  return stream.scanned <= KEPT_CHUNK;
}

/** Once a request has gone on, or was answered, its body is of no use: the budget has its bytes back. */
export function letGo(stream: Stream): void {
  stream.letGo();
  dropCopy(stream);
}

/** The host has it again. The budget is charged for as long as it waits there. */
export function dropCopy(stream: Stream): void {
  if (!stream.exchange!.message.isKept) release(stream);
}

/** What is kept for the sake of another call has its place in the arena, and ends with that. */
function release(stream: Stream): void {
  if (stream.copy === 0) return;
  heap.free(stream.copy);
  stream.copy = 0;
  stream.copyCapacity = 0;
  stream.kept = NONE;
}

/** Else the copy is ours, until it is let go. Host mode `headers` holds what is refused, and nothing else. */
export function hostHolds(stream: Stream): bool {
  return holdsRequest(stream) && !stream.keepsBody;
}

/** It keeps the headers, and is shown the body meanwhile. */
export function holdsRequest(stream: Stream): bool {
  return holdsWhileReading(stream.role) || (decidesByHeaders(stream.role) && stream.phase === Phase.Draining);
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
