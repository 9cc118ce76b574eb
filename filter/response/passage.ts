import { Arena, make, newArena } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, between, length, limit, pointer, span, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Replacement, Replacements } from './replacements';

/** Why a body cannot pass any further. */
export const enum Obstacle {
  None,
  /** More of it would have to be kept than the bound allows. */
  Limit,
  /** The worker has no memory for it. */
  Memory,
  /** It says where to send messages, and that is not where its server is. */
  Address,
}

/** Changes that wait for one before them; another one than an event's id never does, so more are no honest server's. */
const MOST_WAITING: i32 = 64;
/** How often kept bytes are in memory at the worst: kept, with room to grow, while they move, and what they become. */
const COPIES: u64 = 4;

/** For the text of one change. */
const work = newArena(4 << 10);

/** A change: beginning and end in one item, as offsets in the body, and what for. */
@unmanaged
class Waiting {
  range: u64;
  replacement: Replacement;
}

/**
 * A body that passes in chunks, some of whose bytes are replaced. All others are the very bytes, and go on with the chunk
 * that brought them, but for those that are waited for: a text that is cut between two chunks, or one that what follows
 * has to tell the meaning of. Only these are kept. Places are offsets from the first byte of the body; they wrap at 4 GiB.
 *
 *     passage.begin(chunk); … passage.replace(from, to, …) …; passage.finish(keepFrom)
 */
@unmanaged
export class Passage {
  replacements: Replacements;
  /** Bytes that are kept at most. */
  most: u32;
  /** What earlier chunks brought and has not gone on. */
  kept: Writer;
  /** The bytes of this round: those that were kept, and the chunk behind them, in one piece. */
  private start: usize;
  private end: usize;
  /** The offset of the first one. */
  private origin: u32;
  /** The first byte that has not been written. */
  private unsent: usize;
  /** Null while all goes on as it came. */
  private out: Writer | null;
  private chunk: Span;
  private arena: Arena;
  /** Room for MOST_WAITING changes in order, of which the first one is not decided yet; 0 until there was one. */
  private waiting: usize;
  private waitingCount: i32;
  obstacle: Obstacle;

  /**
   * @param arena for what is written; the chunk and this live until the result of `finish` was used
   * @returns the chunk's bytes in the place where they are worked on
   */
  begin(chunk: Span, arena: Arena): Span {
    const kept = this.kept;
    this.chunk = chunk;
    this.arena = arena;
    this.out = null;
    if (kept.size === 0) {
      this.start = pointer(chunk);
      this.end = limit(chunk);
      this.unsent = this.start;
      return chunk;
    }
    let fresh = length(chunk) as u32;
    if (hasRoom(COPIES * ((kept.size as u64) + (fresh as u64)))) kept.bytes(chunk);
    else {
      this.stop(Obstacle.Memory);
      fresh = 0;
    }
    this.start = kept.start;
    this.end = kept.start + (kept.size as usize);
    this.unsent = this.start;
    return span(this.end - (fresh as usize), fresh);
  }

  offsetOf(address: usize): u32 {
    return this.origin + ((address - this.start) as u32);
  }

  /** The offset behind the last byte. */
  get size(): u32 {
    return this.offsetOf(this.end);
  }

  /** Replaces bytes that stand behind all that were named before. */
  replace(from: u32, to: u32, replacement: Replacement): void {
    if (this.waitingCount === MOST_WAITING) this.decide(Replacement.None, from);
    if (this.waitingCount === 0) this.apply(from, to, replacement);
    else this.push(from, to, replacement);
  }

  /** Names bytes of which it is not known yet what becomes of them: `decide` says it. One at a time. */
  await(from: u32, to: u32): void {
    this.push(from, to, Replacement.None);
  }

  /** What is waited for is known; where nothing is, this does nothing. @param at what tells it ends at this offset */
  decide(replacement: Replacement, at: u32): void {
    const count = this.waitingCount;
    if (count > 0 && at - this.waitsFrom > this.most) this.stop(Obstacle.Limit);
    this.waitingCount = 0;
    for (let i = 0; i < count; i++) {
      const waiting = this.waitingAt(i);
      const what = i === 0 ? replacement : waiting.replacement;
      this.apply((waiting.range >> 32) as u32, waiting.range as u32, what);
    }
  }

  /** Whether bytes of earlier chunks have not gone on. */
  get isKeeping(): bool {
    return this.kept.size > 0;
  }

  get isWaiting(): bool {
    return this.waitingCount > 0;
  }

  /** Where what is waited for begins. Asked only while it is. */
  get waitsFrom(): u32 {
    return (this.waitingAt(0).range >> 32) as u32;
  }

  /**
   * @param keepFrom the offset from which on nothing may go on yet; `size` where there is none
   * @returns what goes on in the place of the chunk: the chunk itself where nothing is changed
   */
  finish(keepFrom: u32): Span {
    const stop = max(this.addressOf(keepFrom), this.unsent);
    const left = this.end - stop;
    if ((left as u64) > (this.most as u64)) this.stop(Obstacle.Limit);
    else if (left > 0 && !hasRoom(COPIES * (left as u64))) this.stop(Obstacle.Memory);
    if (this.obstacle !== Obstacle.None) return NONE;
    const kept = this.kept;
    const isInKept = kept.size > 0;
    let going = between(this.unsent, stop);
    const out = this.out;
    if (out !== null) {
      if (!this.hasRoomFor(out, stop - this.unsent)) return NONE;
      going = out.bytes(going).written;
    } else if (isInKept && left > 0 && length(going) > 0) going = this.arena.copy(going);
    // What moves is no longer than the chunk: it began there, or nothing has gone on.
    if (isInKept) {
      if (stop > this.start) memory.copy(this.start, stop, left);
      kept.truncate(left as i32);
    } else if (left > 0) kept.bytes(between(stop, this.end));
    this.origin = this.offsetOf(stop);
    return going;
  }

  private apply(from: u32, to: u32, replacement: Replacement): void {
    if (replacement === Replacement.None || this.obstacle !== Obstacle.None) return;
    const at = this.addressOf(from);
    if (at < this.unsent) return;
    // Whether it was cut between two chunks decides nothing.
    if (to - from > this.most && replacement !== Replacement.Nothing) return this.stop(Obstacle.Limit);
    const raw = span(at, to - from);
    // A text may be unescaped, and is written.
    if (!hasRoom(COPIES * (length(raw) as u64))) return this.stop(Obstacle.Memory);
    const replacements = this.replacements;
    const text = replacements.textFor(replacement, raw, work);
    if (text === NONE && replacement === Replacement.Address) this.stop(Obstacle.Address);
    else if (text !== NONE) {
      const out = this.output;
      const start = at + (replacements.from as usize);
      if (this.hasRoomFor(out, start - this.unsent + (length(text) as usize))) {
        out.bytes(between(this.unsent, start)).bytes(text);
        this.unsent = at + (replacements.to as usize);
      }
    }
    work.reset();
  }

  /** A writer doubles when it grows. */
  private hasRoomFor(out: Writer, count: usize): bool {
    const needed = (out.size as usize) + count;
    if (needed <= out.capacity || hasRoom((needed as u64) * 3)) return true;
    this.stop(Obstacle.Memory);
    return false;
  }

  private get output(): Writer {
    const out = this.out;
    if (out !== null) return out;
    const size = this.end - this.start + 256;
    if (!hasRoom(size as u64)) this.stop(Obstacle.Memory);
    const fresh = newWriter(this.arena, this.obstacle === Obstacle.None ? size : 0);
    this.out = fresh;
    return fresh;
  }

  private stop(obstacle: Obstacle): void {
    if (this.obstacle === Obstacle.None) this.obstacle = obstacle;
  }

  private addressOf(offset: u32): usize {
    return this.start + ((offset - this.origin) as usize);
  }

  private push(from: u32, to: u32, replacement: Replacement): void {
    if (this.waiting === 0) this.waiting = this.kept.arena.allocate((MOST_WAITING as usize) * WAITING_SIZE);
    const waiting = this.waitingAt(this.waitingCount++);
    waiting.range = ((from as u64) << 32) | (to as u64);
    waiting.replacement = replacement;
  }

  private waitingAt(index: i32): Waiting {
    return changetype<Waiting>(this.waiting + (index as usize) * WAITING_SIZE);
  }
}

const WAITING_SIZE: usize = offsetof<Waiting>();

/** @param most bytes that are kept @param arena where they are kept, as long as the body passes: four times `most` */
export function newPassage(replacements: Replacements, most: u32, arena: Arena): Passage {
  const passage = make<Passage>(arena);
  passage.replacements = replacements;
  passage.most = most;
  passage.kept = newWriter(arena, 0);
  return passage;
}
