import { Span, span, pointer, length, NONE } from '../../../../filter/bytes/span';
import { OUT_DATA, OUT_LENGTH } from '../../../../filter/host/status';
import * as abi from '../../../../filter/env';
import { proxy_get_header_map_value } from './env';
import { textOf } from './text';

/** What the last call handed back. */
export function out(): Span {
  const data = load<usize>(OUT_DATA);
  return data === 0 ? NONE : span(data, load<u32>(OUT_LENGTH));
}

export function clearOut(): void {
  store<usize>(OUT_DATA, 0);
  store<usize>(OUT_LENGTH, 0);
}

export function property(path: Span): i32 {
  clearOut();
  return abi.proxy_get_property(pointer(path), length(path) as usize, OUT_DATA, OUT_LENGTH);
}

export function header(map: i32, name: Span): i32 {
  clearOut();
  return proxy_get_header_map_value(map, pointer(name), length(name) as usize, OUT_DATA, OUT_LENGTH);
}

export function headerText(map: i32, name: Span): string {
  return header(map, name) === 0 ? textOf(out()) : '';
}

export function buffer(type: i32, start: usize, count: usize): i32 {
  clearOut();
  return abi.proxy_get_buffer_bytes(type, start, count, OUT_DATA, OUT_LENGTH);
}
