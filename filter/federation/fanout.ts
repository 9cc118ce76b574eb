import { UpstreamCall } from '../upstream/call';
import { Noun, nounRow } from '../mcp/nouns';
import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Server } from '../model/server';
import { Upstream } from '../session/token';
import { Failure } from '../upstream/answer';

/** Conversations with several servers side by side, at most `width` at a time, each with a deadline of its own. */
@unmanaged
export class FanOut {
  /** Elements are UpstreamCall. */
  calls: List;
  private running: u32;
  private finished: i32;
  width: u32;
  /** Milliseconds for each call, from its first callout on. */
  timeout: u32;

  add(server: Server, upstream: Upstream, arena: Arena): UpstreamCall {
    const call = make<UpstreamCall>(arena);
    call.server = server;
    call.upstream = upstream;
    call.noun = nounRow(Noun.None);
    call.failure = make<Failure>(arena);
    call.pages = newList(arena);
    call.cursors = newList(arena);
    this.calls.push(changetype<usize>(call) as u64);
    return call;
  }

  at(index: i32): UpstreamCall {
    return changetype<UpstreamCall>(this.calls.at(index) as usize);
  }

  /** A call whose callout may be sent now, or null. */
  next(now: u64): UpstreamCall | null {
    for (let i = 0; i < this.calls.count; i++) {
      const call = this.at(i);
      if (call.callout === null || call.waiting) continue;
      if (!call.started) {
        if (this.running === this.width) continue;
        this.running++;
        call.started = true;
        call.deadline = now + (this.timeout as u64) * 1_000_000;
      }
      return call;
    }
    return null;
  }

  /** Milliseconds that a call has left; never more than at its beginning, should the clock be set back. */
  remaining(call: UpstreamCall, now: u64): u32 {
    return call.deadline > now ? min(((call.deadline - now) / 1_000_000) as u32, this.timeout) : 0;
  }

  finish(call: UpstreamCall): void {
    call.callout = null;
    call.done = true;
    if (call.started) this.running--;
    this.finished++;
  }

  fail(call: UpstreamCall, failure: Failure, arena: Arena): void {
    call.failure.take(failure, arena);
    this.finish(call);
  }

  /** Nothing is left to be sent for the first time. */
  get isAllSent(): bool {
    for (let i = 0; i < this.calls.count; i++) if (!this.at(i).started) return false;
    return true;
  }

  /** Calls that wait for what other requests do. */
  get isParked(): bool {
    for (let i = 0; i < this.calls.count; i++) if (this.at(i).parkedAt !== 0) return true;
    return false;
  }

  get settled(): bool {
    return this.finished === this.calls.count;
  }

  /** The first call that did not fail, or null. */
  firstServed(): UpstreamCall | null {
    for (let i = 0; i < this.calls.count; i++) if (!this.at(i).failed) return this.at(i);
    return null;
  }
}

export function newFanOut(width: u32, timeout: u32, arena: Arena): FanOut {
  const fanOut = make<FanOut>(arena);
  fanOut.calls = newList(arena);
  fanOut.width = width;
  fanOut.timeout = timeout;
  return fanOut;
}
