import { Span, span, first, pointer, length, NONE } from '../bytes/span';
import { proxy_get_buffer_bytes, proxy_set_buffer_bytes } from '../env';
import { Buffer, OUT_DATA, OUT_LENGTH, Status } from './status';

const WHOLE: usize = 0xffffffff;

/** The bytes from `start` on, at most `count`; empty where there are none. */
export function read(buffer: Buffer, start: usize, count: usize): Span {
  store<usize>(OUT_DATA, 0);
  if (proxy_get_buffer_bytes(buffer, start, count, OUT_DATA, OUT_LENGTH) !== Status.Ok) return NONE;
  const data = load<usize>(OUT_DATA);
  return data === 0 ? NONE : span(data, load<usize>(OUT_LENGTH) as u32);
}

/**
 * Takes the bytes from `from` to `to` out of the body, and puts others in their place. The host replaces a beginning, not
 * a middle, so what stands before them is written again: cheap where they stand early, whatever the size of the body.
 * @param put NONE: nothing
 */
export function splice(buffer: Buffer, body: Span, from: u32, to: u32, put: Span): void {
  if (from === to) return;
  if (put === NONE) return replaceBeginning(buffer, to, first(body, from));
  replaceBeginning(buffer, to, put);
  if (from > 0) replaceBeginning(buffer, 0, first(body, from));
}

export function replaceBeginning(buffer: Buffer, count: u32, text: Span): void {
  proxy_set_buffer_bytes(buffer, 0, count as usize, pointer(text), length(text) as usize);
}

export function replaceAll(buffer: Buffer, text: Span): void {
  proxy_set_buffer_bytes(buffer, 0, WHOLE, pointer(text), length(text) as usize);
}
