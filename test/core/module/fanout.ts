import { make, newArena } from '../../../filter/bytes/arena';
import { NONE } from '../../../filter/bytes/span';
import { Server } from '../../../filter/config/gateway';
import { Verdict } from '../../../filter/federation/answer';
import { Callout } from '../../../filter/federation/callout';
import { FanOut, Lane, newFanOut } from '../../../filter/federation/fanout';
import { Reason } from '../../../filter/mcp/errors';
import { Upstream } from '../../../filter/session/token';

const arena = newArena(4096);
let fanOut: FanOut = newFanOut(1, 1, arena);

export function fanOutOpen(width: u32, timeout: u32): void {
  arena.reset();
  fanOut = newFanOut(width, timeout, arena);
}

/** A lane with a callout to send. */
export function fanOutAdd(): void {
  const server = make<Server>(arena);
  server.index = fanOut.lanes.count;
  fanOut.add(server, make<Upstream>(arena), arena).callout = make<Callout>(arena);
}

/** Sends the next callout, and returns the index of its lane, or -1 where none may be sent. */
export function fanOutSend(now: u64): i32 {
  const lane = fanOut.next(now);
  if (lane === null) return -1;
  lane.waiting = true;
  return lane.server.index;
}

/** The answer to a lane's callout came. @param more the lane goes on with another callout */
export function fanOutAnswer(index: i32, more: bool): void {
  const lane = answered(index);
  if (more) lane.callout = make<Callout>(arena);
  else fanOut.finish(lane);
}

export function fanOutFail(index: i32): void {
  fanOut.fail(answered(index), make<Verdict>(arena).set(Reason.UpstreamTimeout, NONE), arena);
}

export function fanOutRemaining(index: i32, now: u64): u32 {
  return fanOut.remaining(fanOut.at(index), now);
}

export function fanOutSettled(): bool {
  return fanOut.settled;
}

/** Index of the first lane that did not fail, or -1. */
export function fanOutFirstServed(): i32 {
  const lane = fanOut.firstServed();
  return lane === null ? -1 : lane.server.index;
}

function answered(index: i32): Lane {
  const lane = fanOut.at(index);
  lane.waiting = false;
  lane.callout = null;
  return lane;
}
