import { Arena, scratch } from '../bytes/arena';
import { COLON, COMMA, OPENING_BRACE, QUOTE } from '../bytes/ascii';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf, writeEscaped } from '../json/text';
import { Reason } from '../mcp/errors';
import { MethodKind, methodRow } from '../mcp/methods';
import { Rest, RestPrompt } from '../model/rest';
import { missingMember } from '../schema/validate';
import { Way } from '../template/program';
import { render } from '../template/run';
import { Exchange, Outcome } from './exchange';
import { refuseWhole } from './limits';
import { NO_COMPLETIONS } from './offers';

/** `prompts/get` of a prompt that is made here: the texts of its messages are templates that see `.args`. Nobody is asked. */
const ARGUMENTS = literal('arguments');
const DATA_OPEN = literal('{"args":{');
const DATA_CLOSE = literal('}}');
const EMPTY_TEXT = literal('""');
const NOT_AN_OBJECT = literal('arguments: must be an object');
const NOT_TEXT = literal(': must be a string');
const DESCRIPTION = literal('"description":');
const MESSAGES = literal('"messages":[');
const ROLE = literal('{"role":"');
const CONTENT = literal('","content":{"type":"text","text":"');
const CLOSE_MESSAGE = literal('"}}');
const CLOSE = literal(']}');
const MESSAGE_OPEN = literal('messages[');
const MESSAGE_CLOSE = literal(']: ');

/** What is wrong with the arguments, or with a message that is made of them; NONE: nothing. */
let fault: Span = NONE;

/** The exchange's target is known, and has no prefix any more. @param name that the client asked for */
export function beginRestPrompt(exchange: Exchange, rest: Rest, name: Span): Outcome {
  const prompt = rest.prompt(exchange.target.name);
  if (prompt === null) return exchange.refuse(exchange.noun.unknown, name);
  // Nothing is known of what its arguments may be.
  if (methodRow(exchange.message.method).kind === MethodKind.Ref) return exchange.answerResult(NO_COMPLETIONS);
  const message = exchange.message;
  const limits = exchange.gateway.limits;
  if (message.size > limits.heldBody) return refuseWhole(exchange, message.size);
  const params = message.envelope.text(message.body, message.envelope.params);
  fault = NONE;
  const data = dataOf(prompt, member(params, ARGUMENTS, scratch), scratch);
  const result: Span = fault === NONE ? promptResult(prompt, data, limits.restResponse, exchange.now, scratch) : NONE;
  if (fault !== NONE) return exchange.refuse(Reason.InvalidPromptArguments, fault, exchange.target.server.name);
  return exchange.answerResult(result);
}

/** What templates see: each argument of the prompt, those that are not given as empty texts. @param given JSON, or NONE */
function dataOf(prompt: RestPrompt, given: Span, arena: Arena): Span {
  const isGiven = given !== NONE && kindOf(given) !== Kind.Null;
  if (isGiven && kindOf(given) !== Kind.Object) {
    fault = NOT_AN_OBJECT;
    return NONE;
  }
  const data = newWriter(arena, (length(given) as usize) + 256).bytes(DATA_OPEN);
  for (let i = 0; i < prompt.arguments.count; i++) {
    const argument = prompt.argument(i);
    const value = isGiven ? lastOf(given, argument.name, arena) : NONE;
    if (value === NONE && argument.required) fault = missingMember(argument.name, arena);
    else if (value !== NONE && kindOf(value) !== Kind.String) {
      fault = newWriter(arena, 64).bytes(argument.name).bytes(NOT_TEXT).written;
    }
    if (fault !== NONE) return NONE;
    if (i > 0) data.byte(COMMA);
    writeEscaped(data.byte(QUOTE), argument.name);
    data
      .byte(QUOTE)
      .byte(COLON)
      .bytes(value === NONE ? EMPTY_TEXT : value);
  }
  return data.bytes(DATA_CLOSE).written;
}

/** The last member of that name: of several, most readers take that. */
function lastOf(object: Span, name: Span, arena: Arena): Span {
  let value: Span = NONE;
  for (const walk = walkThrough(object, arena); walk.next();) {
    const key = textOf(walk.name, arena);
    if (key !== NONE && equals(key, name)) value = walk.value;
  }
  return value;
}

/** MCP schema, GetPromptResult. @param most bytes that all texts may have together */
function promptResult(prompt: RestPrompt, data: Span, most: u32, now: u64, arena: Arena): Span {
  const result = newWriter(arena, 1024).byte(OPENING_BRACE);
  if (prompt.description !== NONE) result.bytes(DESCRIPTION).bytes(prompt.description).byte(COMMA);
  result.bytes(MESSAGES);
  let left = most;
  for (let i = 0; i < prompt.messages.count; i++) {
    const message = prompt.message(i);
    const rendering = render(message.text, data, Way.Plain, left, now, arena);
    if (rendering.text === NONE) {
      const line = newWriter(arena, 128)
        .bytes(MESSAGE_OPEN)
        .decimal(i as u64);
      fault = line.bytes(MESSAGE_CLOSE).bytes(rendering.fault).written;
      return NONE;
    }
    left -= rendering.text as u32;
    if (i > 0) result.byte(COMMA);
    result.bytes(ROLE).bytes(message.role).bytes(CONTENT);
    writeEscaped(result, rendering.text);
    result.bytes(CLOSE_MESSAGE);
  }
  return result.bytes(CLOSE).written;
}
