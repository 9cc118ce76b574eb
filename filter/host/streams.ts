import { Arena, newArena } from '../bytes/arena';
import { Span, NONE } from '../bytes/span';
import { newTable, Table } from '../bytes/table';
import { Writer } from '../bytes/writer';
import { Answer } from '../federation/answer';
import { Exchange } from '../flow/exchange';
import { reserve } from './budget';
import { Role } from './role';

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

/** What becomes of an upstream's error that is heard before the client is told. */
export const enum Held {
  /** Nothing is held: it passes, or none has come. */
  Not,
  /** Its body is read. */
  Reading,
  /** It has been read at the holder; a message to oneself is under way. */
  Read,
  /** Callouts are under way. */
  Waiting,
}

/** In which callback of the request an outcome is carried out. */
export const enum Moment {
  /** One that is not the last of the request. */
  Midway,
  /** The last one: of the headers where there is no body, of the body, of the trailers. */
  Last,
  /** One that is not of the request: an answer to a callout, a queue, a tick. */
  Later,
}

@unmanaged
export class Stream {
  id: u32;
  root: u32;
  role: Role;
  phase: Phase;
  moment: Moment;
  /** Of the response; the request goes on meanwhile. */
  held: Held;
  /** An answer of its upstream other than 2xx, else null. */
  error: Answer | null;
  /** Its body as far as the holder has read it, or null. */
  errorBody: Writer | null;
  /** It may mean that the server has lost its session. */
  renews: bool;
  /** It becomes a row of ours in passing. */
  retells: bool;
  /** Of an exchange; null while passing. */
  arena: Arena | null;
  exchange: Exchange | null;
  /** Bytes of the body read so far. */
  scanned: u32;
  /** How many of them had been read when the reply was known. */
  drainedFrom: u32;
  /** A copy of what was read, see held.ts. */
  kept: Span;
  /** Where it outgrew the arena: its place, or 0. */
  copy: usize;
  copyCapacity: u32;
  /** Of a pair: the context of the other one of this stream, 0 while it is not known. */
  partner: u32;
  /** Of a decider: what was decided on has been carried out by its holder. */
  resumed: bool;
  /** Of a request whose body may be withheld from us, see modes/body-evidence.ts. */
  sizeOfHeaders: u64;
  /** How often it looked as if it were. */
  withheldLooks: u32;
  /** See watch.ts. */
  isWatched: bool;
  /** Of a holder: bytes of the body that have passed. */
  passed: u32;
  /** Of a holder: a part of the response's body has passed and was not read. */
  passedUnread: bool;
  /** Host mode `headers`: the name in the body has come, and is that of the headers. */
  isNamed: bool;
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

export function openStream(id: u32, root: u32, role: Role): void {
  const at = heap.alloc(offsetof<Stream>());
  memory.fill(at, 0, offsetof<Stream>());
  const stream = changetype<Stream>(at);
  stream.id = id;
  stream.root = root;
  stream.role = role;
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
  if (stream.copy !== 0) heap.free(stream.copy);
  heap.free(changetype<usize>(stream));
}
