import { CLOSING_BRACE, COLON, COMMA, OPENING_BRACE, QUOTE, SEMICOLON } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { standardText } from '../bytes/base64';
import { readPairs } from '../bytes/pairs';
import {
  Span,
  after,
  equals,
  equalsIgnoringCase,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  trim,
  NONE,
} from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isJson, kindOf, Kind, strip } from '../json/reader';
import { characterSize, writeEscaped } from '../json/text';
import { RestTool } from '../model/rest';
import { Program, Way } from '../template/program';
import { render } from '../template/run';

/** The result of a tool call (MCP schema, CallToolResult) that is made from the response of a REST service. */

const TEXT_OPEN = literal('{"content":[{"type":"text","text":"');
const TEXT_CLOSE = literal('"}],"isError":');
const IMAGE_OPEN = literal('{"content":[{"type":"image","data":"');
const AUDIO_OPEN = literal('{"content":[{"type":"audio","data":"');
const MIME_TYPE = literal('","mimeType":"');
const BINARY_CLOSE = literal('"}],"isError":false}');
const RESOURCE_OPEN = literal('{"content":[{"type":"resource","resource":{"uri":"rest://');
const BLOB = literal('","blob":"');
const RESOURCE_CLOSE = literal('"}}],"isError":false}');
const OCTETS = literal('application/octet-stream');
const TRUE = literal('true');
const FALSE = literal('false');
const STRUCTURED = literal(',"structuredContent":');

const IMAGE = literal('image/');
const AUDIO = literal('audio/');
const SUCCESS = literal('success');
const EMPTY_OBJECT = literal('{}');
const EMPTY = literal('');
const CALL_FAILED = literal('call failed, status: ');
const RESPONSE = literal(', response: ');
const RESPONSE_TEMPLATE = literal('error executing response template: ');
const ERROR_TEMPLATE = literal('error executing error response template: ');
const HEADERS_NAME = literal('"_headers":{');
const TOO_LARGE = literal('the answer of the service is larger than limits.restResponse allows, ');
const BYTES = literal(' bytes');
const NO_OBJECT = literal(
  'the service has answered, and the call is done, but the answer is not the JSON object that outputSchema of this tool announces. It is: ',
);
const COMPRESSED = literal('the answer of the service is compressed, though it was asked for one that is not: ');

/** A result of one text. */
export function textResult(text: Span, isError: bool, arena: Arena): Span {
  const writer = newWriter(arena, (length(text) as usize) + 64).bytes(TEXT_OPEN);
  writeEscaped(writer, text);
  return writer
    .bytes(TEXT_CLOSE)
    .bytes(isError ? TRUE : FALSE)
    .byte(CLOSING_BRACE).written;
}

/** @param most bytes that it may have */
export function tooLargeResult(most: u32, arena: Arena): Span {
  return textResult(
    newWriter(arena, 96)
      .bytes(TOO_LARGE)
      .decimal(most as u64)
      .bytes(BYTES).written,
    true,
    arena,
  );
}

export function compressedResult(coding: Span, arena: Arena): Span {
  return textResult(newWriter(arena, 96).bytes(COMPRESSED).bytes(coding).written, true, arena);
}

export function isSuccess(status: u32): bool {
  return status >= 200 && status < 300;
}

/**
 * @param server its name
 * @param headers those of the response as a JSON object, see `headersJson`; NONE where no template asks for them
 * @param body empty where there is none
 * @param most bytes that a template may write
 */
export function restResult(
  tool: RestTool,
  server: Span,
  status: u32,
  contentType: Span,
  headers: Span,
  body: Span,
  most: u32,
  now: u64,
  arena: Arena,
): Span {
  if (!isSuccess(status)) return errorResult(tool, status, headers, body, most, now, arena);
  const type = essence(contentType);
  // Clients refuse a result that has no object where one is announced; of an error they show the text (MCP schema).
  if (tool.isStructured && !isObject(body, arena) && !isText(body)) return faultResult(NO_OBJECT, type, arena);
  if (length(body) > 0 && isOf(type, IMAGE)) return binaryResult(IMAGE_OPEN, type, body, arena);
  if (length(body) > 0 && isOf(type, AUDIO)) return binaryResult(AUDIO_OPEN, type, body, arena);
  const program = tool.response;
  if (program !== null) {
    if (length(strip(body)) === 0) return told(tool, textOfNothing(program, most, now, arena), body, arena);
    const rendering = render(program, body, Way.Plain, most, now, arena);
    if (rendering.text === NONE) return faultResult(RESPONSE_TEMPLATE, rendering.fault, arena);
    return told(tool, rendering.text, body, arena);
  }
  if (!isText(body)) return resourceResult(tool, server, type, body, arena);
  if (length(tool.prepended) === 0 && length(tool.appended) === 0) return told(tool, body, body, arena);
  const text = newWriter(arena, 256).bytes(tool.prepended).bytes(body).bytes(tool.appended).written;
  return told(tool, text, body, arena);
}

/** What a template says of an empty body, such as that of status 204; empty where it can say nothing without one. */
function textOfNothing(program: Program, most: u32, now: u64, arena: Arena): Span {
  const rendering = render(program, EMPTY_OBJECT, Way.Plain, most, now, arena);
  return rendering.text === NONE || rendering.asksForData ? EMPTY : rendering.text;
}

/** The answer of a tool that asks no service. @param data see `RestArguments` */
export function directResult(tool: RestTool, data: Span, most: u32, now: u64, arena: Arena): Span {
  const rendering = render(tool.response!, data, Way.Plain, most, now, arena);
  if (rendering.text === NONE) return faultResult(RESPONSE_TEMPLATE, rendering.fault, arena);
  return withStructure(tool, rendering.text, rendering.text, arena);
}

function faultResult(what: Span, fault: Span, arena: Arena): Span {
  return textResult(newWriter(arena, 128).bytes(what).bytes(fault).written, true, arena);
}

/** An answer that has nothing to say says at least that. */
function told(tool: RestTool, text: Span, body: Span, arena: Arena): Span {
  return withStructure(tool, length(text) === 0 ? SUCCESS : text, body, arena);
}

/** With the body as structured content, where the tool has an output schema: that is an object (MCP schema). */
function withStructure(tool: RestTool, text: Span, body: Span, arena: Arena): Span {
  if (tool.isStructured && !isObject(body, arena)) return faultResult(NO_OBJECT, text, arena);
  const writer = newWriter(arena, (length(text) as usize) + 128).bytes(TEXT_OPEN);
  writeEscaped(writer, text);
  writer.bytes(TEXT_CLOSE).bytes(FALSE);
  if (tool.isStructured) writer.bytes(STRUCTURED).bytes(strip(body));
  return writer.byte(CLOSING_BRACE).written;
}

function isObject(body: Span, arena: Arena): bool {
  const document = strip(body);
  return length(document) > 0 && kindOf(document) === Kind.Object && isJson(document, arena);
}

function errorResult(tool: RestTool, status: u32, headers: Span, body: Span, most: u32, now: u64, arena: Arena): Span {
  const program = tool.errorResponse;
  if (program !== null && headers !== NONE) {
    const rendering = render(program, withHeaders(body, headers, arena), Way.Plain, most, now, arena);
    if (rendering.text === NONE) return faultResult(ERROR_TEMPLATE, rendering.fault, arena);
    if (length(rendering.text) > 0) return textResult(rendering.text, true, arena);
  }
  const text = newWriter(arena, (length(body) as usize) + 64)
    .bytes(CALL_FAILED)
    .decimal(status as u64);
  return textResult(text.bytes(RESPONSE).bytes(body).written, true, arena);
}

/** The body, an object, with the headers as one more member; of another body they are all there is. */
function withHeaders(body: Span, headers: Span, arena: Arena): Span {
  const document = strip(body);
  const writer = newWriter(arena, (length(document) as usize) + (length(headers) as usize) + 32);
  if (!isObject(body, arena)) {
    return writer.byte(OPENING_BRACE).bytes(HEADERS_NAME).bytes(after(headers, 1)).byte(CLOSING_BRACE).written;
  }
  const open = first(document, (document as u32) - 1);
  const inner = strip(open);
  writer.bytes(inner);
  if (length(inner) > 1) writer.byte(COMMA);
  return writer.bytes(HEADERS_NAME).bytes(after(headers, 1)).byte(CLOSING_BRACE).written;
}

/** The headers of a response as a JSON object; of several of one name, the last. @param pairs in the ABI's form */
export function headersJson(pairs: Span, arena: Arena): Span {
  const writer = newWriter(arena, 512).byte(OPENING_BRACE);
  let index = 0;
  for (const each = readPairs(pairs, arena); each.next(); index++) {
    if (comesAgain(pairs, each.name, index, arena)) continue;
    if (writer.size > 1) writer.byte(COMMA);
    writeEscaped(writer.byte(QUOTE), each.name);
    writer.byte(QUOTE).byte(COLON).byte(QUOTE);
    writeEscaped(writer, each.value);
    writer.byte(QUOTE);
  }
  return writer.byte(CLOSING_BRACE).written;
}

function comesAgain(pairs: Span, name: Span, index: i32, arena: Arena): bool {
  let at = 0;
  for (const each = readPairs(pairs, arena); each.next(); at++) if (at > index && equals(each.name, name)) return true;
  return false;
}

function binaryResult(open: Span, type: Span, body: Span, arena: Arena): Span {
  const writer = newWriter(arena, (length(body) as usize) * 2)
    .bytes(open)
    .bytes(standardText(body, arena));
  writeEscaped(writer.bytes(MIME_TYPE), type);
  return writer.bytes(BINARY_CLOSE).written;
}

/** Bytes that are neither text nor anything that MCP has a content of its own for. */
function resourceResult(tool: RestTool, server: Span, type: Span, body: Span, arena: Arena): Span {
  const writer = newWriter(arena, (length(body) as usize) * 2)
    .bytes(RESOURCE_OPEN)
    .bytes(server)
    .byte(0x2f);
  writeEscaped(writer, tool.name);
  writer.bytes(MIME_TYPE);
  writeEscaped(writer, length(type) === 0 ? OCTETS : type);
  return writer.bytes(BLOB).bytes(standardText(body, arena)).bytes(RESOURCE_CLOSE).written;
}

function isText(body: Span): bool {
  for (let at = pointer(body), end = limit(body); at < end;) {
    const size = characterSize(at, end);
    if (size === 0 || load<u8>(at) === 0) return false;
    at += size;
  }
  return true;
}

/** A media type without its parameters. */
function essence(contentType: Span): Span {
  const semicolon = indexOf(contentType, SEMICOLON);
  return trim(semicolon < 0 ? contentType : first(contentType, semicolon as u32));
}

function isOf(type: Span, family: Span): bool {
  return length(type) > length(family) && equalsIgnoringCase(first(type, family as u32), family);
}
