import { Arena, newArena } from '../bytes/arena';
import { Span, NONE } from '../bytes/span';
import { newTable, Table } from '../bytes/table';
import { Exchange } from '../flow/exchange';
import { reserve } from './budget';

/** Where a stream stands. */
export const enum Phase {
  /** Not for us, or not yet looked at: everything passes. */
  Passing,
  /** The body is being read; headers are held. */
  Reading,
  /** The reply is known and is sent once the body has been read. */
  Draining,
  /** Callouts are under way. */
  Waiting,
  /** Sent on to an upstream. */
  Forwarded,
  /** Sent on before its body had come whole: the rest is watched as it passes. */
  Streaming,
  /** Answered by us. */
  Replied,
}

@unmanaged
export class Stream {
  id: u32;
  root: u32;
  phase: Phase;
  /** Of an exchange; null while passing. */
  arena: Arena | null;
  exchange: Exchange | null;
  /** Bytes of the body read so far. */
  scanned: u32;
  /** The first chunk, which mostly is the whole body: kept so that it need not be read twice. */
  kept: Span;
  /** Its server has to be joined first, so the body is not released. */
  staysHeld: bool;
  /** Bytes of the worker's budget. */
  charged: u32;
  /** Of a released body: the brace that closes it and what follows, or NONE. */
  tail: Span;
  /** What the upstream's response is replaced by, or NONE. */
  replacement: Span;
  replaced: bool;

  /** Takes so many bytes of the worker's budget, in all. False: there is no room, and nothing changed. */
  hold(bytes: u32, most: u32): bool {
    if (!reserve(this.charged, bytes, most)) return false;
    this.charged = bytes;
    return true;
  }

  letGo(): void {
    this.hold(0, 0);
  }
}

const streams: Table = newTable();
/** Holds the headers, a small body and the edits of an ordinary call. */
const BLOCK: usize = 8 << 10;

export function streamOf(id: u32): Stream | null {
  return changetype<Stream | null>(streams.get(id));
}

export function openStream(id: u32, root: u32): void {
  const at = heap.alloc(offsetof<Stream>());
  memory.fill(at, 0, offsetof<Stream>());
  const stream = changetype<Stream>(at);
  stream.id = id;
  stream.root = root;
  stream.kept = NONE;
  streams.set(id, at);
}

export function arenaOf(stream: Stream): Arena {
  const arena = stream.arena;
  if (arena !== null) return arena;
  const fresh = newArena(BLOCK);
  stream.arena = fresh;
  return fresh;
}

export function closeStream(id: u32): void {
  const stream = changetype<Stream | null>(streams.take(id));
  if (stream === null) return;
  stream.letGo();
  const arena = stream.arena;
  if (arena !== null) arena.dispose();
  heap.free(changetype<usize>(stream));
}
