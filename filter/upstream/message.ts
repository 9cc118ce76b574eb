import { CLOSING_BRACE, HYPHEN, OPENING_BRACE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, after, equals, length, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { isJson, kindOf, Kind, member, strip } from '../json/reader';
import { textOf } from '../json/text';

const OPEN = literal('{"jsonrpc":"2.0","id":');
const RESULT = literal(',"result":');
const ERROR = literal(',"error":');
const METHOD = literal(',"method":"');
const PARAMS = literal('","params":');
const QUOTE = literal('"');
const END = literal('}');
const TYPED = literal('{"resultType":"complete",');
const ONLY_TYPED = literal('{"resultType":"complete"');
const ID_OPEN = literal('"sluice-');
const ID = literal('id');

export const INITIALIZED = literal('{"jsonrpc":"2.0","method":"notifications/initialized"}');

/** A string token, unique in a session (MCP base: an id is not used twice): the moment, and the step in a call. */
export function newRequestId(now: u64, step: i32, arena: Arena): Span {
  return newWriter(arena, 40)
    .bytes(ID_OPEN)
    .decimal(now)
    .byte(HYPHEN)
    .decimal(step as u64)
    .bytes(QUOTE).written;
}

/** @param params JSON, or NONE */
export function requestMessage(id: Span, method: Span, params: Span, arena: Arena): Span {
  const writer = newWriter(arena, 256).bytes(OPEN).bytes(id).bytes(METHOD).bytes(method);
  if (params === NONE) writer.bytes(QUOTE);
  else writer.bytes(PARAMS).bytes(params);
  return writer.bytes(END).written;
}

/** Bytes of a response without its id and the members of its result, at most. */
const FRAME: usize = 80;

/**
 * A response whose result is an object, as far as its first member: what is long is written into it, and not once more.
 * `endResult` ends it.
 * @param size bytes of the members @param isTyped it says that it is the whole answer (MCP 2026-07-28, results)
 */
export function beginResult(id: Span, size: usize, arena: Arena, isTyped: bool): Writer {
  const writer = newWriter(arena, FRAME + (length(id) as usize) + size)
    .bytes(OPEN)
    .bytes(id)
    .bytes(RESULT);
  return isTyped ? writer.bytes(TYPED) : writer.byte(OPENING_BRACE);
}

/** @param writer of `beginResult`, with at least one member */
export function endResult(writer: Writer): Span {
  return writer.byte(CLOSING_BRACE).bytes(END).written;
}

/** @param isTyped see `beginResult` */
export function resultMessage(id: Span, result: Span, arena: Arena, isTyped: bool = false): Span {
  const typed = isTyped ? typedResult(result, arena) : result;
  const writer = newWriter(arena, FRAME + (length(id) as usize) + (length(typed) as usize));
  return writer.bytes(OPEN).bytes(id).bytes(RESULT).bytes(typed).bytes(END).written;
}

/** MCP 2026-07-28: every result says that it is one. @param result an object without white space, as JSON */
export function typedResult(result: Span, arena: Arena): Span {
  return newWriter(arena, (length(result) as usize) + 32)
    .bytes(length(result) > 2 ? TYPED : ONLY_TYPED)
    .bytes(after(result, 1)).written;
}

/** @param error an object, as JSON */
export function errorMessage(id: Span, error: Span, arena: Arena): Span {
  return newWriter(arena, 256).bytes(OPEN).bytes(id).bytes(ERROR).bytes(error).bytes(END).written;
}

/** The document as an object where it is the response to our request `id`, else NONE. */
export function responseTo(id: Span, document: Span, arena: Arena): Span {
  if (!isJson(document, arena)) return NONE;
  const message = strip(document);
  const found = member(message, ID, arena);
  if (found === NONE || kindOf(found) !== Kind.String) return NONE;
  return equals(textOf(found, arena), textOf(id, arena)) ? message : NONE;
}
