import { make, newArena } from '../../../filter/bytes/arena';
import { NONE } from '../../../filter/bytes/span';
import { Server } from '../../../filter/model/server';
import { Failure } from '../../../filter/upstream/answer';
import { Callout } from '../../../filter/upstream/callout';
import { FanOut, newFanOut } from '../../../filter/federation/fanout';
import { UpstreamCall } from '../../../filter/upstream/call';
import { Reason } from '../../../filter/mcp/errors';
import { Upstream } from '../../../filter/session/token';

const arena = newArena(4096);
let fanOut: FanOut = newFanOut(1, 1, arena);

export function fanOutOpen(width: u32, timeout: u32): void {
  arena.reset();
  fanOut = newFanOut(width, timeout, arena);
}

/** A call with a callout to send. */
export function fanOutAdd(): void {
  const server = make<Server>(arena);
  server.index = fanOut.calls.count;
  fanOut.add(server, make<Upstream>(arena), arena).callout = make<Callout>(arena);
}

/** Sends the next callout, and returns the index of its call, or -1 where none may be sent. */
export function fanOutSend(now: u64): i32 {
  const call = fanOut.next(now);
  if (call === null) return -1;
  call.waiting = true;
  return call.server.index;
}

/** The answer to a call's callout came. @param more the call goes on with another callout */
export function fanOutAnswer(index: i32, more: bool): void {
  const call = answered(index);
  if (more) call.callout = make<Callout>(arena);
  else fanOut.finish(call);
}

export function fanOutFail(index: i32): void {
  fanOut.fail(answered(index), make<Failure>(arena).set(Reason.UpstreamTimeout, NONE), arena);
}

export function fanOutRemaining(index: i32, now: u64): u32 {
  return fanOut.remaining(fanOut.at(index), now);
}

export function fanOutSettled(): bool {
  return fanOut.settled;
}

/** Index of the first call that did not fail, or -1. */
export function fanOutFirstServed(): i32 {
  const call = fanOut.firstServed();
  return call === null ? -1 : call.server.index;
}

function answered(index: i32): UpstreamCall {
  const call = fanOut.at(index);
  call.waiting = false;
  call.callout = null;
  return call;
}
