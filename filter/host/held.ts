import { SPACE } from '../bytes/ascii';
import { hasRoom } from '../bytes/room';
import { Span, first, length, literal, pointer, NONE } from '../bytes/span';
import { BUFFERED_BYTES, WORKER_MEMORY } from '../flow/limits';
import { Envelope } from '../mcp/envelope';
import { read, replaceBeginning } from './buffers';
import { decidesByHeaders, holdsWhileReading } from './role';
import { arenaOf, Phase, Stream } from './streams';
import { Buffer } from './status';

/**
 * How a host shows the part of a body that nothing has been decided on yet (body/kept-body.ts). Where the host holds it,
 * each callback shows it whole. Where it does not, because the body goes on to the holder as it comes (host mode `pair`) or
 * may outgrow what the host holds (modes/hold.ts), a callback shows its own chunk only, and the copy is all there is.
 */
/** A byte of a body: itself, and its place in a copy that doubles while the one before is there. */
export const ROOM_FOR_BODY: u64 = 4;
/** A byte of an answer: itself, a copy, and six for what reading makes of the shortest tool of a list. */
export const ROOM_FOR_ANSWER: u64 = 8;
const SPACES = literal('   ');

/** Bytes of the body that the worker's budget is charged for with this callback. @param size of what the host shows */
export function heldWith(stream: Stream, size: u32): u32 {
  return hostHolds(stream) ? size : stream.body.read + size;
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
  const copy = stream.body.bytes;
  memory.fill(pointer(copy), SPACE, min(kept, length(copy) as u32) as usize);
  replaceBeginning(Buffer.RequestBody, shown, first(SPACES, shown));
}

function takeIn(stream: Stream, size: u32): Span {
  const part = newPart(stream, size);
  if (part !== NONE) stream.body.take(part, !hostHolds(stream), arenaOf(stream));
  return part;
}

/** What is new of a body that is of no other use. @param size of what the host shows */
export function passOver(stream: Stream, size: u32): Span {
  const part = newPart(stream, size);
  stream.body.pass(length(part) as u32);
  return part;
}

function newPart(stream: Stream, size: u32): Span {
  const seen = hostHolds(stream) ? stream.body.read : 0;
  return size === seen ? NONE : read(Buffer.RequestBody, seen as usize, (size - seen) as usize);
}

/**
 * All that was read. Of a size that is worth keeping it lives as long as the stream, else as long as the callback: in
 * how many pieces a body came must not decide whether its call can be made once more.
 */
export function heldWhole(stream: Stream): Span {
  const body = stream.body;
  if (body.isWhole) return body.bytes;
  const whole = hostHolds(stream) ? read(Buffer.RequestBody, 0, body.read as usize) : first(body.bytes, body.read);
  return body.isSmall ? body.copyOf(whole, arenaOf(stream)) : whole;
}

/** Once a request has gone on, or was answered, its body is of no use: the budget has its bytes back. */
export function letGo(stream: Stream): void {
  stream.letGo();
  dropCopy(stream);
}

/**
 * The host has it again. The budget is charged for as long as it waits there. What is kept for the sake of another call
 * ends with the request.
 */
export function dropCopy(stream: Stream): void {
  if (!stream.exchange!.message.isKept) stream.body.release();
}

/** Else the copy is ours, until it is let go. Host mode `headers` holds what is refused, and nothing else. */
export function hostHolds(stream: Stream): bool {
  return holdsRequest(stream) && !stream.keepsBody;
}

/** It keeps the headers, and is shown the body meanwhile. */
export function holdsRequest(stream: Stream): bool {
  return holdsWhileReading(stream.role) || (decidesByHeaders(stream.role) && stream.phase === Phase.Draining);
}
