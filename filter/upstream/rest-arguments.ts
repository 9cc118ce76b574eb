import { COLON, COMMA, QUOTE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf, writeEscaped } from '../json/text';
import { Rest, RestTool } from '../model/rest';
import { missingMember, validateMember } from '../schema/validate';

/** The arguments of a call, as far as the tool declares them. */
@unmanaged
export class RestArguments {
  private values: usize;
  /** What is wrong with them, for who sent them; NONE: nothing. */
  fault: Span;
  /** What templates of the request see: `{"config":…,"args":{…}}`. */
  data: Span;

  /** JSON as its sender wrote it, or NONE. */
  at(index: i32): Span {
    return load<Span>(this.values + ((index as usize) << 3));
  }

  set(index: i32, value: Span): void {
    store<Span>(this.values + ((index as usize) << 3), value);
  }

  allot(count: i32, arena: Arena): void {
    this.values = arena.zeroed(max(count, 1) << 3);
  }
}

const CONFIG = literal('{"config":');
const ARGS = literal(',"args":{');
const CLOSE = literal('}}');
const NOT_AN_OBJECT = literal('arguments: must be an object');

/** @param given the arguments of a call, or NONE */
export function readRestArguments(rest: Rest, tool: RestTool, given: Span, arena: Arena): RestArguments {
  const values = make<RestArguments>(arena);
  const count = tool.arguments.count;
  values.allot(count, arena);
  if (given !== NONE && kindOf(given) !== Kind.Null) {
    if (kindOf(given) !== Kind.Object) {
      values.fault = NOT_AN_OBJECT;
      return values;
    }
    for (const walk = walkThrough(given, arena); walk.next();) {
      const name = textOf(walk.name, arena);
      const index = name === NONE ? 0 : (tool.argumentsByName.get(name) as i32);
      if (index > 0) values.set(index - 1, walk.value);
    }
  }
  for (let i = 0; i < count; i++) {
    const argument = tool.argument(i);
    const value = values.at(i);
    if (value !== NONE) values.fault = validateMember(argument.schema, value, argument.name, arena);
    else if (argument.byDefault !== NONE) values.set(i, argument.byDefault);
    else if (argument.required) values.fault = missingMember(argument.name, arena);
    if (values.fault !== NONE) return values;
  }
  const data = newWriter(arena, (length(rest.config) as usize) + (length(given) as usize) + 256);
  data.bytes(CONFIG).bytes(rest.config).bytes(ARGS);
  let any = false;
  for (let i = 0; i < count; i++) {
    if (values.at(i) === NONE) continue;
    if (any) data.byte(COMMA);
    any = true;
    writeEscaped(data.byte(QUOTE), tool.argument(i).name);
    data.byte(QUOTE).byte(COLON).bytes(values.at(i));
  }
  values.data = data.bytes(CLOSE).written;
  return values;
}

/** An argument as a parameter: a text without its quotes, all else as its sender wrote it. */
export function parameterText(value: Span, arena: Arena): Span {
  return kindOf(value) === Kind.String ? textOf(value, arena) : value;
}
