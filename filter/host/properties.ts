import { Span, span, pointer, length, NONE } from '../bytes/span';
import { proxy_get_property, proxy_set_property } from '../env';
import { OUT_DATA, OUT_LENGTH, Status } from './status';

/** @param path segments with NUL between; NONE where the host has no such value now */
export function property(path: Span): Span {
  store<usize>(OUT_DATA, 0);
  if (proxy_get_property(pointer(path), length(path) as usize, OUT_DATA, OUT_LENGTH) !== Status.Ok) {
    return NONE;
  }
  const data = load<usize>(OUT_DATA);
  return data === 0 ? NONE : span(data, load<usize>(OUT_LENGTH) as u32);
}

/** Into the stream's filter state, where the access log finds it as `wasm.<name>`. */
export function setProperty(name: Span, value: Span): void {
  proxy_set_property(pointer(name), length(name) as usize, pointer(value), length(value) as usize);
}
