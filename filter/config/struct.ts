import { CLOSING_BRACE, CLOSING_BRACKET, COLON, COMMA, OPENING_BRACE, OPENING_BRACKET, QUOTE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { fieldsIn, FIXED64, LENGTH_DELIMITED } from '../bytes/protobuf';
import { Span, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { shortest } from '../json/numbers';
import { writeEscaped } from '../json/text';

/**
 * A configuration that stands in Envoy's YAML as a `google.protobuf.Struct`, so as YAML like everything around it, comes
 * to the module in protobuf's wire form (Envoy unwraps StringValue and BytesValue only). This writes it as JSON.
 *
 *     Struct    = 1: entry { 1: name, 2: Value } …        ListValue = 1: Value …
 *     Value     = 1: null | 2: double | 3: string | 4: bool | 5: Struct | 6: ListValue
 */
export function structToJson(wire: Span, arena: Arena): Span {
  const writer = newWriter(arena, (wire as u32 as usize) * 2);
  return writeStruct(writer, wire, 0) ? writer.written : NONE;
}

const MAX_DEPTH = 64;
const NULL = literal('null');
const TRUE = literal('true');
const FALSE = literal('false');

function writeStruct(writer: Writer, message: Span, depth: i32): bool {
  if (depth > MAX_DEPTH) return false;
  const fields = fieldsIn(message, writer.arena);
  writer.byte(OPENING_BRACE);
  let sound: bool = true;
  let first = true;
  while (sound && fields.next()) {
    if (!first) writer.byte(COMMA);
    first = false;
    sound = fields.field === 1 && fields.type === LENGTH_DELIMITED && writeEntry(writer, fields.bytes, depth);
  }
  writer.byte(CLOSING_BRACE);
  return sound && !fields.broken;
}

function writeEntry(writer: Writer, entry: Span, depth: i32): bool {
  const fields = fieldsIn(entry, writer.arena);
  let name = NONE;
  let value = NONE;
  let sound: bool = true;
  while (sound && fields.next()) {
    sound = fields.type === LENGTH_DELIMITED;
    if (fields.field === 1) name = fields.bytes;
    else value = fields.bytes;
  }
  sound = sound && !fields.broken;
  writer.byte(QUOTE);
  writeEscaped(writer, name);
  writer.byte(QUOTE).byte(COLON);
  return sound && writeValue(writer, value, depth + 1);
}

function writeValue(writer: Writer, value: Span, depth: i32): bool {
  const fields = fieldsIn(value, writer.arena);
  let sound: bool = true;
  if (!fields.next()) writer.bytes(NULL);
  else if (fields.field === 1) writer.bytes(NULL);
  else if (fields.field === 2 && fields.type === FIXED64) writeNumber(writer, load<f64>(pointer(fields.bytes)));
  else if (fields.field === 4) writer.bytes(fields.varint !== 0 ? TRUE : FALSE);
  else if (fields.type !== LENGTH_DELIMITED) sound = false;
  else if (fields.field === 3) {
    writer.byte(QUOTE);
    writeEscaped(writer, fields.bytes);
    writer.byte(QUOTE);
  } else if (fields.field === 5) sound = writeStruct(writer, fields.bytes, depth);
  else sound = fields.field === 6 && writeList(writer, fields.bytes, depth);
  return sound && !fields.broken;
}

function writeList(writer: Writer, message: Span, depth: i32): bool {
  if (depth > MAX_DEPTH) return false;
  const fields = fieldsIn(message, writer.arena);
  writer.byte(OPENING_BRACKET);
  let sound: bool = true;
  let first = true;
  while (sound && fields.next()) {
    if (!first) writer.byte(COMMA);
    first = false;
    sound = fields.field === 1 && fields.type === LENGTH_DELIMITED && writeValue(writer, fields.bytes, depth + 1);
  }
  writer.byte(CLOSING_BRACKET);
  return sound && !fields.broken;
}

const LARGEST_WHOLE: f64 = 9.2e18;
/** Below this power of ten, and above 20, a number has an exponent. */
const SMALLEST_POWER = -6;

/**
 * With all of its digits: what tools take (`minimum`, `default`, `enum`) and rules on arguments may have any number. JSON has
 * none that is not finite.
 */
function writeNumber(writer: Writer, value: f64): void {
  // Beyond 2^53 the shortest digits are near to a whole number, not it.
  if (abs(value) < LARGEST_WHOLE && floor(value) === value) writer.signed(value as i64);
  else writer.bytes(isFinite(value) ? shortest(value, SMALLEST_POWER, writer.arena) : NULL);
}
