import { CLOSING_BRACE, CLOSING_BRACKET, COLON, COMMA, QUOTE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { List } from '../bytes/list';
import { Span, equals, literal, length, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Members, membersOf } from '../json/members';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { Noun, nounRow } from '../mcp/nouns';

/** The pages of `tools/list` and `prompts/list` that a REST service would answer, were it a server of MCP. */

const OPEN = literal('{"jsonrpc":"2.0","id":"","result":{"');
const OPEN_ITEMS = literal('":[');
const CLOSE = literal(']}}');
const NAME = literal('name');
const DESCRIPTION = literal('description');
const TITLE = literal('title');
const ANNOTATIONS = literal('annotations');
const ARGS = literal('args');
const ARGUMENTS = literal('arguments');
const REQUIRED = literal('required');
const POSITION = literal('position');
const TYPE = literal('type');
const OUTPUT_SCHEMA = literal('outputSchema');
const ITEM_OPEN = literal('{"name":');
const INPUT_OPEN = literal(',"inputSchema":{"type":"object","properties":{');
const REQUIRED_OPEN = literal(',"required":[');
const STRING_TYPE = literal('"type":"string"');
const COLON_OPEN = literal(':{');

/** @param definitions of tools or prompts, in their order (Span of JSON). NONE: there are none */
export function listPage(noun: Noun, definitions: List, arena: Arena): Span {
  if (definitions.count === 0) return NONE;
  const writer = newWriter(arena, 4096).bytes(OPEN).bytes(nounRow(noun).items).bytes(OPEN_ITEMS);
  for (let i = 0; i < definitions.count; i++) {
    if (i > 0) writer.byte(COMMA);
    if (noun === Noun.Prompts) writePrompt(writer, definitions.at(i), arena);
    else writeTool(writer, definitions.at(i), arena);
  }
  return writer.bytes(CLOSE).written;
}

function writePrompt(writer: Writer, prompt: Span, arena: Arena): void {
  const members = membersOf(prompt, arena);
  writer.bytes(ITEM_OPEN).bytes(members.get(NAME));
  copyMember(writer, members, TITLE);
  copyMember(writer, members, DESCRIPTION);
  copyMember(writer, members, ARGUMENTS);
  writer.byte(CLOSING_BRACE);
}

function writeTool(writer: Writer, tool: Span, arena: Arena): void {
  const members = membersOf(tool, arena);
  writer.bytes(ITEM_OPEN).bytes(members.get(NAME));
  copyMember(writer, members, TITLE);
  copyMember(writer, members, DESCRIPTION);
  writer.bytes(INPUT_OPEN);
  const args = members.get(ARGS);
  const required = newWriter(arena, 64);
  let any = false;
  if (args !== NONE && kindOf(args) === Kind.Array) {
    for (const walk = walkThrough(args, arena); walk.next();) {
      const argument = walk.value;
      const own = membersOf(argument, arena);
      const name = own.get(NAME);
      if (name === NONE) continue;
      if (any) writer.byte(COMMA);
      any = true;
      writer.bytes(name).bytes(COLON_OPEN);
      writeProperty(writer, argument, arena);
      writer.byte(CLOSING_BRACE);
      const needed = own.get(REQUIRED);
      if (needed === NONE || kindOf(needed) !== Kind.True) continue;
      if (required.size > 0) required.byte(COMMA);
      required.bytes(name);
    }
  }
  writer.byte(CLOSING_BRACE);
  if (required.size > 0) writer.bytes(REQUIRED_OPEN).bytes(required.written).byte(CLOSING_BRACKET);
  writer.byte(CLOSING_BRACE);
  const output = members.get(OUTPUT_SCHEMA);
  if (output !== NONE && length(output) > 2) copyMember(writer, members, OUTPUT_SCHEMA);
  copyMember(writer, members, ANNOTATIONS);
  writer.byte(CLOSING_BRACE);
}

/** All members of an argument that describe it, in its order; its type is one of them. */
function writeProperty(writer: Writer, argument: Span, arena: Arena): void {
  let any = false;
  let typed = false;
  for (const walk = walkThrough(argument, arena); walk.next();) {
    const name = textOf(walk.name, arena);
    if (equals(name, NAME) || equals(name, POSITION) || equals(name, REQUIRED)) continue;
    if (equals(name, TYPE)) typed = true;
    if (any) writer.byte(COMMA);
    any = true;
    writer.bytes(walk.name).byte(COLON).bytes(walk.value);
  }
  if (typed) return;
  if (any) writer.byte(COMMA);
  writer.bytes(STRING_TYPE);
}

function copyMember(writer: Writer, members: Members, name: Span): void {
  const value = members.get(name);
  if (value === NONE) return;
  writer.byte(COMMA).byte(QUOTE).bytes(name).byte(QUOTE).byte(COLON).bytes(value);
}
