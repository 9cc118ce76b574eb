import { SPACE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Limit } from '../model/limit';
import { Limits } from '../model/limits';
import { kindOf, Kind, member } from '../json/reader';
import { isString, textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import { listMethod, methodText } from '../mcp/methods';
import { Revision } from '../mcp/revisions';
import { Answer, messagesIn, Failure } from './answer';
import { post } from './callout';
import { UpstreamCall } from './call';
import { messageDialectOf } from './dialects';
import { judge, withWords } from './judge';
import { keepPage, knownPage } from './known-pages';
import { newRequestId } from './message';
import { Item, Page, readPage } from './page';
import { plainWords } from './refusal';

const PARAMS_OPEN = literal('{"cursor":');
const PARAMS_CLOSE = literal('}');
const CODE = literal('code');
const MESSAGE = literal('message');

const NO_RESPONSE_TO = literal('no response to ');
const IN_ITS_ANSWER = literal(' in its answer');
const TOO_MANY_PAGES = literal('its list has more pages than limits.listPages allows');
const TOO_LARGE = literal('its list is larger than limits.listBytes');
const METHOD_NOT_FOUND = literal('-32601');
const REFUSED = literal('it refused ');
/** Bytes of a code in a message. */
const MOST_CODE = 24;

/** Prepares the callout for the next page. @param cursor a string token of the upstream's, or NONE for the first */
export function askForPage(call: UpstreamCall, cursor: Span, client: Span, now: u64, arena: Arena): void {
  call.step++;
  call.id = newRequestId(now, call.step, arena);
  let params = NONE;
  if (cursor !== NONE) {
    call.cursors.push(cursorText(cursor, arena));
    params = newWriter(arena, (length(cursor) as usize) + 16)
      .bytes(PARAMS_OPEN)
      .bytes(cursor)
      .bytes(PARAMS_CLOSE).written;
  }
  const method = listMethod(call.noun.noun);
  const body = messageDialectOf(call.upstream.revision).request(call.id, method, params, arena);
  call.callout = post(call.server, call.upstream, body, client, arena, method);
}

/**
 * Takes a page. True: that was the last one, or the call failed and is left out whole.
 * @param revision that the client speaks
 */
export function takePage(
  call: UpstreamCall,
  answer: Answer,
  revision: Revision,
  limits: Limits,
  client: Span,
  now: u64,
  scratch: Arena,
  arena: Arena,
): bool {
  const failure = judge(answer, call.server, scratch, call.upstream.dialect.era);
  const page = failure.reason === Reason.None ? pageIn(call, answer, revision, failure, limits, arena) : null;
  if (page === null) {
    if (failure.reason !== Reason.None) call.failure.take(failure, arena);
    return true;
  }
  call.pages.push(changetype<usize>(page) as u64);
  if (page.nextCursor === NONE) return true;
  if (wasAskedWith(call, cursorText(page.nextCursor, scratch))) {
    dropRepetition(call);
    return true;
  }
  if ((call.pages.count as u32) >= limits.listPages) {
    call.failure.set(Reason.UpstreamProtocol, TOO_MANY_PAGES).limit = Limit.ListPages;
    return true;
  }
  askForPage(call, page.nextCursor, client, now, arena);
  return false;
}

function listText(call: UpstreamCall): Span {
  return methodText(listMethod(call.noun.noun));
}

/** A cursor as text; one that is no text (a lone surrogate), as it was written. */
function cursorText(token: Span, arena: Arena): Span {
  const text = textOf(token, arena);
  return text === NONE ? token : text;
}

/**
 * Whether a cursor leads back to where this list has been: such a list is complete. Some servers repeat their last cursor
 * for ever; some end their list with `""`, which is a cursor like any other (MCP pagination), and begin anew when asked
 * with it.
 */
function wasAskedWith(call: UpstreamCall, cursor: Span): bool {
  for (let i = 0; i < call.cursors.count; i++) if (equals(call.cursors.at(i), cursor)) return true;
  return false;
}

/** Takes the last page away where it has the items of an earlier one, so that they are listed once. */
function dropRepetition(call: UpstreamCall): void {
  const last = call.pages.count - 1;
  for (let i = 0; i < last; i++) {
    if (!haveSameItems(pageAt(call, i), pageAt(call, last))) continue;
    call.pages.count = last;
    return;
  }
}

function haveSameItems(a: Page, b: Page): bool {
  if (a.items.count !== b.items.count) return false;
  for (let i = 0; i < a.items.count; i++) if (!equals(nameAt(a, i), nameAt(b, i))) return false;
  return true;
}

function pageAt(call: UpstreamCall, index: i32): Page {
  return changetype<Page>(call.pages.at(index) as usize);
}

function nameAt(page: Page, index: i32): Span {
  return changetype<Item>(page.items.at(index) as usize).name;
}

/**
 * The page in an answer; null where there is none, with the reason in the failure unless that means the end of the list:
 * the server has nothing to list, or nothing behind its empty cursor.
 */
function pageIn(
  call: UpstreamCall,
  answer: Answer,
  revision: Revision,
  failure: Failure,
  limits: Limits,
  arena: Arena,
): Page | null {
  call.bytes += length(answer.body) as u64;
  if (call.bytes > (limits.listBytes as u64)) {
    failure.set(Reason.UpstreamProtocol, TOO_LARGE).limit = Limit.ListBytes;
    return null;
  }
  const messages = messagesIn(answer, failure, arena);
  if (messages === null) return null;
  while (messages.next()) {
    // Kept until all servers have answered.
    const document = arena.copy(messages.document);
    const known = knownPage(call, document, revision, arena);
    if (known !== null) return known;
    const page = readPage(document, call.noun, revision, arena);
    if (!page.answers(call.id, arena)) continue;
    if (page.hasResult) {
      keepPage(call, page, revision);
      return page;
    }
    const code = member(page.error, CODE, arena);
    // A server may announce tools, or prompts, and have none to list.
    if (code !== NONE && equals(code, METHOD_NOT_FOUND)) return null;
    // What it meant as the end of its list, see `wasAskedWith`, it does not take as a cursor.
    if (call.cursors.count > 0 && length(call.cursors.at(call.cursors.count - 1)) === 0) return null;
    refuse(call, failure, page.error, code, arena);
    return null;
  }
  failure.set(Reason.UpstreamProtocol, noResponseText(call, arena));
  return null;
}

function noResponseText(call: UpstreamCall, arena: Arena): Span {
  return newWriter(arena, 64).bytes(NO_RESPONSE_TO).bytes(listText(call)).bytes(IN_ITS_ANSWER).written;
}

/** @param error that it answered with, or NONE; `code` is a member of it, or NONE */
function refuse(call: UpstreamCall, failure: Failure, error: Span, code: Span, arena: Arena): void {
  if (error === NONE) {
    failure.set(Reason.UpstreamProtocol, noResponseText(call, arena));
    return;
  }
  const message = member(error, MESSAGE, arena);
  const text: Span = message !== NONE && isString(message) ? textOf(message, arena) : NONE;
  const words: Span = text === NONE ? NONE : plainWords(text, false, arena);
  const said = newWriter(arena, 256);
  if (code !== NONE && kindOf(code) === Kind.Number) said.bytes(clipped(code, MOST_CODE));
  if (words !== NONE) (said.size === 0 ? said : said.byte(SPACE)).bytes(words);
  const detail = newWriter(arena, 256).bytes(REFUSED).bytes(listText(call));
  failure.set(Reason.UpstreamProtocol, withWords(detail, said.size === 0 ? NONE : said.written));
}
