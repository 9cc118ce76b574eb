import { scratch } from '../bytes/arena';
import { HeaderList, readPairs } from '../bytes/pairs';
import { Span, span, pointer, length, NONE } from '../bytes/span';
import {
  proxy_add_header_map_value,
  proxy_get_header_map_pairs,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
} from '../env';
import { HeaderMap, OUT_DATA, OUT_LENGTH, Status } from './status';

/** All headers at once: one call costs what two single look-ups do. */
export function pairsOf(map: HeaderMap): Span {
  if (proxy_get_header_map_pairs(map, OUT_DATA, OUT_LENGTH) !== Status.Ok) return NONE;
  return span(load<usize>(OUT_DATA), load<usize>(OUT_LENGTH) as u32);
}

export function remove(map: HeaderMap, name: Span): void {
  proxy_remove_header_map_value(map, pointer(name), length(name) as usize);
}

/** Instead of all values that the header had. */
export function replace(map: HeaderMap, name: Span, value: Span): void {
  proxy_replace_header_map_value(map, pointer(name), length(name) as usize, pointer(value), length(value) as usize);
}

export function add(map: HeaderMap, name: Span, value: Span): void {
  proxy_add_header_map_value(map, pointer(name), length(name) as usize, pointer(value), length(value) as usize);
}

/**
 * Trailer fields end at the gateway, as any recipient may have them do (RFC 9110 §6.5.1): MCP has none, and what a header
 * may not say to a server or a client, a trailer field may not say either. In the callback that brings them.
 */
export function removeTrailers(map: HeaderMap): void {
  for (const pairs = readPairs(pairsOf(map), scratch); pairs.next();) remove(map, pairs.name);
}

/** Carries out edits; a value of NONE removes. */
export function edit(map: HeaderMap, edits: HeaderList): void {
  for (let i: u32 = 0; i < edits.count; i++) {
    if (edits.valueAt(i) === NONE) remove(map, edits.nameAt(i));
    else replace(map, edits.nameAt(i), edits.valueAt(i));
  }
}
