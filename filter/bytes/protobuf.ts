import { Arena, make } from './arena';
import { Span, limit, pointer, span } from './span';

/** Wire types, protobuf encoding. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;

/** The fields of a message, one after the other; anything that is not of this form ends the walk as `broken`. */
@unmanaged
export class Fields {
  at: usize;
  end: usize;
  broken: bool;
  field: u32;
  type: u32;
  varint: u64;
  bytes: Span;

  next(): bool {
    if (this.at >= this.end) return false;
    const tag = this.readVarint();
    this.field = (tag >> 3) as u32;
    this.type = (tag & 7) as u32;
    if (this.type === VARINT) this.varint = this.readVarint();
    else if (this.type === FIXED64) this.take(8);
    else if (this.type === LENGTH_DELIMITED) this.take(this.readVarint());
    else this.broken = true;
    return !this.broken;
  }

  private take(count: u64): void {
    if (count > ((this.end - this.at) as u64)) {
      this.broken = true;
      return;
    }
    this.bytes = span(this.at, count as u32);
    this.at += count as usize;
  }

  private readVarint(): u64 {
    let value: u64 = 0;
    for (let shift: u64 = 0; shift < 64; shift += 7) {
      if (this.at >= this.end) break;
      const byte: u64 = load<u8>(this.at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.broken = true;
    return 0;
  }
}

export function fieldsIn(message: Span, arena: Arena): Fields {
  const fields = make<Fields>(arena);
  fields.at = pointer(message);
  fields.end = limit(message);
  return fields;
}
