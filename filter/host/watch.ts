import { Stream, streamOf } from './streams';
import { FAST_TICK, tickEach } from './tick';

/**
 * Streams of this VM whose case is decided by something that no callback tells. They are looked at with every tick.
 */
const ids: Array<u32> = [];
const roots: Array<u32> = [];

/** From a callback of its own, or of its root. */
export function watch(stream: Stream): void {
  if (stream.isWatched) return;
  stream.isWatched = true;
  ids.push(stream.id);
  roots.push(stream.root);
  tickEach(stream.root, FAST_TICK);
}

/** Whether any is left. @param isSettled of a stream: it needs no more looking at */
export function lookAtWatched(root: u32, isSettled: (id: u32) => bool): bool {
  let rest = 0;
  for (let i = ids.length - 1; i >= 0; i--) {
    if (roots[i] !== root) continue;
    const id = ids[i];
    if (isSettled(id)) {
      forgetAt(i);
      const stream = streamOf(id);
      if (stream !== null) stream.isWatched = false;
    } else rest++;
  }
  return rest > 0;
}

/** A root is gone, and all its streams were before. */
export function unwatch(root: u32): void {
  for (let i = ids.length - 1; i >= 0; i--) if (roots[i] === root) forgetAt(i);
}

/** The last one takes its place: from the end down, that one has been looked at. */
function forgetAt(index: i32): void {
  const id = ids.pop();
  const root = roots.pop();
  if (index === ids.length) return;
  ids[index] = id;
  roots[index] = root;
}
