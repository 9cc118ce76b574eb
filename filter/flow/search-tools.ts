import { COMMA, DOT, SPACE, isDigit, ZERO } from '../bytes/ascii';
import { Arena, make, scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, equals, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { FanOut } from '../federation/fanout';
import { choose, itemSize, writeItem } from '../federation/merge';
import { chosenItems, Found, hitAt, search, searchSize } from '../federation/search';
import { kindOf, Kind, member, Walk } from '../json/reader';
import { inside, textOf, writeEscaped } from '../json/text';
import { Reason } from '../mcp/errors';
import { Noun, nounRow } from '../mcp/nouns';
import { ToolSearch } from '../model/tool-search';
import { Session } from '../session/token';
import { Item } from '../upstream/page';
import { refuseForAll } from './all-failed';
import { askForLists, whenAnswered } from './asking';
import { audit } from './audit';
import { reportBrokenTools } from './broken-tools';
import { Stage } from './conversation';
import { Exchange, Outcome } from './exchange';
import { WORKER_MEMORY } from './limits';
import { reportNameConflicts } from './name-conflicts';
import { isWithinQuotas } from './quotas';

/**
 * A call of `search_tools`: the tools that the caller may use, ranked by how well they fit the words of the query. Servers
 * are asked for lists that are not in the cache.
 */
const ARGUMENTS = literal('arguments');
const QUERY = literal('query');
const LIMIT = literal('limit');
const NO_QUERY = literal('query must be a string: words that say what the tool should do');
const BAD_LIMIT = literal('limit must be a whole number from 1 on');

const NAME = literal('name');
const TITLE = literal('title');
const DESCRIPTION = literal('description');
const INPUT_SCHEMA = literal('inputSchema');
const OPEN_TEXT = literal('{"content":[{"type":"text","text":"');
const OPEN_STRUCTURE = literal('"}],"structuredContent":{"tools":[');
const TOTAL = literal('],"total":');
const CLOSE = literal('}}');
const OPEN_NAME = literal('{"name":"');
const CLOSE_NAME = literal('"}');
const NOTHING = literal('No tool fits. Search with other words: fewer, or others for the same.');
const OF = literal(' of ');
const FIT = literal(' tools that fit, the best first. Call one with call_tool.');
const UNANSWERED = literal(' Tools of servers that did not answer are missing:');
const LINE = literal('\\n');
const TITLED = literal(' (');
const CLOSE_TITLE = literal(')');
const DESCRIBED = literal(': ');
const ARGUMENTS_OF = literal('arguments: ');
const TOO_LONG = literal(
  'its definition is too long to be shown here; ask who runs the gateway to raise toolSearch.bytes',
);

/** The message is here whole. */
export function beginSearch(exchange: Exchange, session: Session): Outcome {
  const message = exchange.message;
  const values = member(message.envelope.text(message.body, message.envelope.params), ARGUMENTS, scratch);
  const token = member(values, QUERY, scratch);
  const query: Span = token === NONE || kindOf(token) !== Kind.String ? NONE : textOf(token, scratch);
  if (query === NONE) return exchange.refuse(Reason.InvalidArguments, NO_QUERY);
  const most = mostWanted(member(values, LIMIT, scratch), exchange.caller.scope.search!.results);
  if (most === 0) return exchange.refuse(Reason.InvalidArguments, BAD_LIMIT);
  if (!isWithinQuotas(exchange)) return Outcome.Reply;
  exchange.conversation.sought = exchange.arena.copy(query);
  exchange.conversation.mostFound = most;
  const fanOut = askForLists(exchange, session, nounRow(Noun.Tools));
  return whenAnswered(exchange, fanOut, Stage.List, finish);
}

/** @param token of the argument, or NONE. @param results as many as the configuration allows. 0: it is no such number */
function mostWanted(token: Span, results: u32): u32 {
  if (token === NONE || kindOf(token) === Kind.Null) return results;
  let wanted: u32 = 0;
  for (let at = pointer(token); at < limit(token); at++) {
    const digit = load<u8>(at);
    if (!isDigit(digit)) return 0;
    wanted = min(wanted * 10 + (digit - ZERO), 1 << 20);
  }
  return min(wanted, results);
}

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  if (fanOut.calls.count > 0 && fanOut.firstServed() === null) return refuseForAll(exchange, fanOut, fanOut.at(0));
  const scope = exchange.caller.scope;
  for (let i = 0; i < fanOut.calls.count; i++) {
    if (!fanOut.at(i).failed) choose(exchange.gateway, fanOut.at(i), scope);
  }
  const tools = chosenItems(fanOut, scratch);
  const rules = scope.search!;
  if (!hasRoom(searchSize(tools))) return exchange.overload(WORKER_MEMORY);
  audit(exchange, fanOut);
  reportBrokenTools(exchange, fanOut);
  reportNameConflicts(exchange, fanOut);
  const conversation = exchange.conversation;
  const found = search(tools, conversation.sought, conversation.mostFound, scratch);
  if (!hasRoom(resultSize(found, rules))) return exchange.overload(WORKER_MEMORY);
  return exchange.answerResult(resultOf(found, fanOut, rules, exchange.arena));
}

/**
 * Bytes of memory for what is told of it, at most. Texts of definitions double where they are escaped, a writer doubles when
 * it grows, and a result is a copy of both. A name counts wherever it is told, however long it is.
 */
function resultSize(found: Found, rules: ToolSearch): u64 {
  let size = rules.bytes as u64;
  for (let i = 0; i < found.hits.count; i++) size += length(hitAt(found.hits, i).item.name) as u64;
  return size * 16;
}

/**
 * What was found, for a model that reads texts, and for a program: the definitions are those that a list would show. Those
 * that are too long together are named alone.
 */
function resultOf(found: Found, fanOut: FanOut, rules: ToolSearch, arena: Arena): Span {
  const text = newWriter(scratch, 1024);
  const tools = newWriter(scratch, 1024);
  const hits = found.hits;
  if (hits.count === 0) text.bytes(NOTHING);
  else {
    text
      .decimal(hits.count as u64)
      .bytes(OF)
      .decimal(found.total as u64)
      .bytes(FIT);
  }
  nameUnanswered(text, fanOut);
  const walk = make<Walk>(scratch);
  let left = rules.bytes as i64;
  for (let i = 0; i < hits.count; i++) {
    if (i > 0) tools.byte(COMMA);
    const item = hitAt(hits, i).item;
    text
      .bytes(LINE)
      .bytes(LINE)
      .decimal((i + 1) as u64)
      .byte(DOT)
      .byte(SPACE);
    const size = itemSize(item) as i64;
    if (size > left) {
      const name = nameOf(item, walk);
      text.bytes(name).bytes(DESCRIBED).bytes(TOO_LONG);
      tools.bytes(OPEN_NAME).bytes(name).bytes(CLOSE_NAME);
      continue;
    }
    left -= size;
    const shown = newWriter(scratch, size as usize);
    writeItem(shown, item);
    tools.bytes(shown.written);
    writeFound(text.bytes(nameOf(item, walk)), shown.written, walk);
  }
  return newWriter(arena, ((text.size + tools.size) as usize) + 128)
    .bytes(OPEN_TEXT)
    .bytes(text.written)
    .bytes(OPEN_STRUCTURE)
    .bytes(tools.written)
    .bytes(TOTAL)
    .decimal(found.total as u64)
    .bytes(CLOSE).written;
}

/** The name that clients see, as the inside of a string of JSON. */
function nameOf(item: Item, walk: Walk): Span {
  if (item.replacement !== NONE) return inside(memberIn(item.replacement, NAME, walk));
  return newWriter(scratch, 64).bytes(item.mark).bytes(inside(item.name)).written;
}

/** Into a string of JSON; texts of a definition are the inside of one already. */
function writeFound(text: Writer, definition: Span, walk: Walk): void {
  const title = textIn(definition, TITLE, walk);
  if (title !== NONE) text.bytes(TITLED).bytes(title).bytes(CLOSE_TITLE);
  const description = textIn(definition, DESCRIPTION, walk);
  if (description !== NONE) text.bytes(DESCRIBED).bytes(description);
  const schema = memberIn(definition, INPUT_SCHEMA, walk);
  if (schema !== NONE) writeEscaped(text.bytes(LINE).bytes(ARGUMENTS_OF), schema);
}

function textIn(definition: Span, name: Span, walk: Walk): Span {
  const value = memberIn(definition, name, walk);
  return value === NONE || kindOf(value) !== Kind.String ? NONE : inside(value);
}

function memberIn(definition: Span, name: Span, walk: Walk): Span {
  let found = NONE;
  for (walk.begin(definition); walk.next();) {
    const key = walk.key(scratch);
    if (key !== NONE && equals(key, name)) found = walk.value;
  }
  return found;
}

function nameUnanswered(text: Writer, fanOut: FanOut): void {
  let isFirst = true;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (!call.failed) continue;
    if (isFirst) text.bytes(UNANSWERED);
    else text.byte(COMMA);
    isFirst = false;
    text.byte(SPACE).bytes(call.server.name);
  }
  if (!isFirst) text.byte(DOT);
}
