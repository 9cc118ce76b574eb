import { Stream } from './streams';

/**
 * One budget per worker for what is held on behalf of clients: bodies that are being read, lists that are being merged.
 * Two hundred patient clients must not take the memory of all others.
 */
let held: u64 = 0;

/** Sets what a stream holds. False: the worker has no room for it, and nothing changed. @param most `bufferedBytes` */
export function hold(stream: Stream, bytes: u32, most: u32): bool {
  const total = held - (stream.charged as u64) + (bytes as u64);
  if (bytes > stream.charged && total > (most as u64)) return false;
  held = total;
  stream.charged = bytes;
  return true;
}

/** The stream holds nothing any more. */
export function letGo(stream: Stream): void {
  held -= stream.charged as u64;
  stream.charged = 0;
}
