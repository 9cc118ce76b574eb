import { Closing } from '../body/closing';
import { KeptBody } from '../body/kept-body';
import { Arena, newArena } from '../bytes/arena';
import { newTable, Table } from '../bytes/table';
import { Writer } from '../bytes/writer';
import { Answer } from '../upstream/answer';
import { Exchange } from '../flow/exchange';
import { endLeases } from '../flow/quotas';
import { RestAnswer } from '../flow/rest-answer';
import { ResponsePlan } from '../response/plan';
import { reserve } from './budget';
import { Generation } from './generation';
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
  /** It has ended, and waits for what the client is asked for, see input-requests.ts. */
  Asking,
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

/** Holds the headers, a small body and the edits of an ordinary call. */
const BLOCK: usize = 8 << 10;

@unmanaged
export class Stream {
  id: u32;
  root: u32;
  role: Role;
  phase: Phase;
  moment: Moment;
  /** Whether the response is held; the request goes on meanwhile. */
  held: Held;
  /** An answer of its upstream other than 2xx, else null. */
  error: Answer | null;
  /** Its body as far as the holder has read it, or null. */
  errorBody: Writer | null;
  /** What happens to the response in passing; null while none passes, or when one that goes on as it is has ended. */
  plan: ResponsePlan | null;
  /** What comes of a REST service, or null. */
  restAnswer: RestAnswer | null;
  /** It may mean that the server has lost its session. */
  renews: bool;
  /** Null for a request that is not for the gateway. */
  arena: Arena | null;
  /** What it is served with, where it has an exchange; else null. */
  generation: Generation | null;
  exchange: Exchange | null;
  /** Bytes that the current callback of the body shows. */
  shown: u32;
  /** What was read of the body. */
  body: KeptBody;
  /** The end of a body that is sent on as it comes. */
  closing: Closing;
  /** How many bytes of the body had been read when the reply was known. */
  drainedFrom: u32;
  /** Host mode `hold`: what comes of the body is kept here, and the host has nothing of it, see modes/hold.ts. */
  keepsBody: bool;
  /** Host mode `hold`: what there is of the body is the host's again, as it will go on, and the rest gets behind it. */
  isHeldBack: bool;
  /** The body has ended, and trailers follow. */
  hasTrailers: bool;
  /** In a pair: the other filter's context of this stream, 0 while it is not known. */
  partner: u32;
  /** In a decider: its holder has carried the decision out. */
  resumed: bool;
  /** Where the body may be withheld from us, see modes/body-evidence.ts. */
  sizeOfHeaders: u64;
  /** How often it looked as if it were. */
  withheldLooks: u32;
  /** See watch.ts. */
  isWatched: bool;
  /** The event stream of its answer was looked at, see cancelled-streams.ts. */
  isMinded: bool;
  /** The host has ended it, within a call that a callback of ours has made: nothing is left to do, see callback.ts. */
  isClosed: bool;
  /** The one that was ended before it in the same callback, or null. */
  nextClosed: Stream | null;
  /** When its client cancelled it, nanoseconds since 1970; 0: it did not, as far as is known. */
  cancelledAt: u64;
  /** In a holder: bytes of the body that have passed. */
  passed: u32;
  /** In a holder: what takes the place of the body has gone on. */
  passedReplaced: bool;
  /** In a holder: a part of the response's body has passed and was not read. */
  passedUnread: bool;
  /** Bytes of the body, and of an answer that is being read, see `hold`. */
  charged: u32;
  /** Bytes of callouts under way. */
  underWay: u32;
  /** All that this stream has taken of the worker's budget. */
  private reserved: u64;

  /**
   * Takes so many bytes of the worker's budget, and what the arena has grown by. A body counts once, though a small one
   * has a copy in the arena. False: there is no room, and nothing changed.
   */
  hold(bytes: u32, most: u32): bool {
    const all = (bytes as u64) + (this.underWay as u64) + ((this.grown - this.body.inArena) as u64);
    if (!reserve(this.reserved, all, most)) return false;
    this.reserved = all;
    this.charged = bytes;
    return true;
  }

  /** A callout of that size is under way. False: there is no room for it. */
  send(bytes: u32, most: u32): bool {
    this.underWay += bytes;
    if (this.hold(this.charged, most)) return true;
    this.underWay -= bytes;
    return false;
  }

  /** Its answer has come. */
  received(bytes: u32): void {
    this.underWay -= bytes;
    this.giveBackTo(this.reserved - (bytes as u64));
  }

  /** Gives back what the body took. The copy of a small one stays charged for as long as it is there. */
  letGo(): void {
    this.charged = 0;
    this.body.inArena = 0;
    this.giveBackTo((this.underWay as u64) + (this.grown as u64));
  }

  /** Gives back everything but what callouts that are under way have taken: the host keeps those until their answers. */
  end(): void {
    this.giveBackTo(this.underWay as u64);
  }

  private giveBackTo(bytes: u64): void {
    if (bytes >= this.reserved) return;
    reserve(this.reserved, bytes, 0);
    this.reserved = bytes;
  }

  /** Bytes that the arena holds beyond what every request needs. */
  private get grown(): u32 {
    const arena = this.arena;
    return arena === null || arena.held <= BLOCK ? 0 : ((arena.held - BLOCK) as u32);
  }
}

/** Offsets in one block: a stream, and the parts of it that have a room of their own. */
const BODY: usize = (offsetof<Stream>() + 7) & ~7;
const CLOSING: usize = (BODY + offsetof<KeptBody>() + 7) & ~7;
const SIZE: usize = CLOSING + offsetof<Closing>();

/** All that there are in this VM, by id. */
export const streams: Table = newTable();

export function streamOf(id: u32): Stream | null {
  return changetype<Stream | null>(streams.get(id));
}

export function openStream(id: u32, root: u32, role: Role): void {
  const at = heap.alloc(SIZE);
  memory.fill(at, 0, SIZE);
  const stream = changetype<Stream>(at);
  stream.body = changetype<KeptBody>(at + BODY);
  stream.closing = changetype<Closing>(at + CLOSING);
  stream.id = id;
  stream.root = root;
  stream.role = role;
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
  stream.end();
  const exchange = stream.exchange;
  if (exchange !== null) endLeases(exchange);
  if (exchange !== null) exchange.giveBack();
  const generation = stream.generation;
  if (generation !== null) generation.release();
  const arena = stream.arena;
  if (arena !== null) arena.dispose();
  stream.body.release();
  heap.free(changetype<usize>(stream));
}
