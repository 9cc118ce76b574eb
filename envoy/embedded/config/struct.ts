// google.protobuf.Struct on the wire: what a module gets where its configuration is one. (envoy passes it on serialized)

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Field numbers of google.protobuf.Value. */
const field = { null: 1, number: 2, string: 3, bool: 4, struct: 5, list: 6 } as const;
const wire = { varint: 0, fixed64: 1, bytes: 2 } as const;

export function encodeStruct(object: JsonObject): Buffer {
  // map<string, Value> fields = 1, an entry each: key = 1, value = 2
  const entries = Object.entries(object).map(([name, value]) =>
    delimited(1, Buffer.concat([delimited(1, Buffer.from(name)), delimited(2, encodeValue(value))])),
  );
  return Buffer.concat(entries);
}

/** envoy.config.core.v3.Metadata: what each filter left. */
export function encodeMetadata(filters: Readonly<Record<string, JsonObject>>): Buffer {
  // map<string, Struct> filter_metadata = 1
  const entries = Object.entries(filters).map(([name, struct]) =>
    delimited(1, Buffer.concat([delimited(1, Buffer.from(name)), delimited(2, encodeStruct(struct))])),
  );
  return Buffer.concat(entries);
}

function encodeValue(value: JsonValue): Buffer {
  if (value === null) return Buffer.concat([tag(field.null, wire.varint), varint(0)]);
  if (typeof value === 'boolean') return Buffer.concat([tag(field.bool, wire.varint), varint(Number(value))]);
  if (typeof value === 'string') return delimited(field.string, Buffer.from(value));
  if (typeof value === 'number') {
    const double = Buffer.alloc(8);
    double.writeDoubleLE(value);
    return Buffer.concat([tag(field.number, wire.fixed64), double]);
  }
  if (Array.isArray(value)) {
    const items = (value as readonly JsonValue[]).map((item) => delimited(1, encodeValue(item)));
    return delimited(field.list, Buffer.concat(items));
  }
  return delimited(field.struct, encodeStruct(value as JsonObject));
}

function delimited(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([tag(number, wire.bytes), varint(bytes.length), bytes]);
}

function tag(number: number, type: number): Buffer {
  return varint((number << 3) | type);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
