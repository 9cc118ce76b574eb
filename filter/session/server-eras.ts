import { Arena, make } from '../bytes/arena';
import { Span, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { KeyRing } from '../model/keyring';
import { isWithin, owner, slotTable } from './slots';

/**
 * Which eras a server speaks, as far as it was asked on this Envoy. Believed for a while only, so that a server that is
 * upgraded or rolled back is seen as what it is.
 *
 *     │ since, seconds (4) │ eras that it speaks (1) │ eras that it does not (1) │ offers (4) │
 */
const TABLE = slotTable(literal('sluice/eras/'), 1024, 2);
/** Seconds. */
const LIFETIME: u32 = 300;
const EMPTY = literal('');

/** Bits of Era. One that is in neither was not asked for. */
@unmanaged
export class ServerEras {
  speaks: u32;
  lacks: u32;
  /** What it offers in the era without sessions, bits of Capability. */
  offers: u32;
}

export function erasOf(fingerprint: u64, now: u32, keys: KeyRing, arena: Arena): ServerEras {
  const eras = make<ServerEras>(arena);
  const entry = TABLE.read(ownerOf(fingerprint, arena), keys, arena);
  if (entry === NONE || !isWithin(load<u32>(pointer(entry)), now, LIFETIME)) return eras;
  eras.speaks = load<u8>(pointer(entry), 4);
  eras.lacks = load<u8>(pointer(entry), 5);
  eras.offers = load<u32>(pointer(entry), 6);
  return eras;
}

export function noteEras(
  fingerprint: u64,
  speaks: u32,
  lacks: u32,
  offers: u32,
  now: u32,
  keys: KeyRing,
  arena: Arena,
): void {
  const entry = newWriter(arena, 16)
    .u32(now)
    .u8(speaks as u8)
    .u8(lacks as u8)
    .u32(offers);
  TABLE.write(ownerOf(fingerprint, arena), entry.written, keys, arena);
}

/** It has answered as a server does that speaks another era than it is known for. */
export function forgetEras(fingerprint: u64, keys: KeyRing, arena: Arena): void {
  noteEras(fingerprint, 0, 0, 0, 0, keys, arena);
}

/** The same for all who use a server: credentials do not change what it speaks. */
function ownerOf(fingerprint: u64, arena: Arena): Span {
  return owner(TABLE, EMPTY, fingerprint, arena);
}
