/** google.protobuf.Struct in protobuf's wire form, which is what Envoy gives a plugin for a configuration in YAML. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The fields of Value, in the order of struct.proto. */
const FIELD = { null: 1, number: 2, string: 3, bool: 4, struct: 5, list: 6 };
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

export function structOf(object: Record<string, Json>): Buffer {
  const entries = Object.entries(object).map(([name, value]) =>
    delimited(1, Buffer.concat([delimited(1, Buffer.from(name)), delimited(2, valueOf(value))])),
  );
  return Buffer.concat(entries);
}

function valueOf(value: Json): Buffer {
  if (value === null) return Buffer.concat([tag(FIELD.null, VARINT), varint(0)]);
  if (typeof value === 'number') return Buffer.concat([tag(FIELD.number, FIXED64), double(value)]);
  if (typeof value === 'string') return delimited(FIELD.string, Buffer.from(value));
  if (typeof value === 'boolean') return Buffer.concat([tag(FIELD.bool, VARINT), varint(value ? 1 : 0)]);
  if (!Array.isArray(value)) return delimited(FIELD.struct, structOf(value));
  return delimited(FIELD.list, Buffer.concat(value.map((element) => delimited(1, valueOf(element)))));
}

function tag(field: number, wireType: number): Buffer {
  return varint((field << 3) | wireType);
}

function delimited(field: number, content: Buffer): Buffer {
  return Buffer.concat([tag(field, LENGTH_DELIMITED), varint(content.length), content]);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
