import { Arena, make } from '../bytes/arena';
import { QUOTE } from '../bytes/ascii';
import { Span, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isString, textOf } from '../json/text';
import { openSealed, sealedLength, writeSealed } from './sealed-text';
import { Session } from './token';

/**
 * The id under which a client with a session is asked for the input that a server of the other era needs. The request that
 * waits for it is in one worker of one Envoy, and the client's response can come to any: the id says where that is. A JSON
 * string, sealed-text.ts of
 *
 *     │ VM (8) │ queue (4) │ stream (4) │ which of its input requests (1) │
 */
const SIZE: i32 = 8 + 4 + 4 + 1;
const PURPOSE = literal('sluice input request');

/** The place of a request that waits, among all of its Envoy. */
@unmanaged
export class Waiter {
  /** Context ids repeat in every VM. */
  vm: u64;
  /** By which its root context is told something. */
  queue: u32;
  stream: u32;
}

@unmanaged
export class InputRequestId {
  waiter: Waiter;
  index: i32;
}

/** The id, quotes included. */
export function encodeInputRequestId(session: Session, waiter: Waiter, index: i32, arena: Arena): Span {
  const plain = newWriter(arena, SIZE as usize);
  plain
    .u64(waiter.vm)
    .u32(waiter.queue)
    .u32(waiter.stream)
    .u8(index as u8);
  const id = newWriter(arena, (sealedLength(SIZE) + 2) as usize).byte(QUOTE);
  writeSealed(id, session, PURPOSE, plain.written);
  return id.byte(QUOTE).written;
}

/** Null where it is none that was made here in this session. @param id as a token of JSON */
export function decodeInputRequestId(session: Session, id: Span, arena: Arena): InputRequestId | null {
  if (id === NONE || !isString(id)) return null;
  const characters = textOf(id, arena);
  if (characters === NONE || length(characters) !== sealedLength(SIZE)) return null;
  const plain = openSealed(session, PURPOSE, characters, arena);
  if (length(plain) !== SIZE) return null;
  const at = pointer(plain);
  const found = make<InputRequestId>(arena);
  found.waiter = make<Waiter>(arena);
  found.waiter.vm = load<u64>(at);
  found.waiter.queue = load<u32>(at, 8);
  found.waiter.stream = load<u32>(at, 12);
  found.index = load<u8>(at, 16) as i32;
  return found;
}
