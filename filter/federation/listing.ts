import { Arena } from '../bytes/arena';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Limits } from '../config/gateway';
import { member } from '../json/reader';
import { isString, textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import { TOOLS_LIST } from '../mcp/methods';
import { Revision } from '../mcp/revisions';
import { Answer, messagesIn, Verdict } from './answer';
import { post } from './callout';
import { Lane } from './fanout';
import { judge } from './judge';
import { newRequestId, requestMessage } from './message';
import { Item, Page, readPage } from './page';
import { plainWords } from './refusal';

const PARAMS_OPEN = literal('{"cursor":');
const PARAMS_CLOSE = literal('}');
const CODE = literal('code');
const MESSAGE = literal('message');

const NO_RESPONSE = literal('no response to tools/list in its answer');
const TOO_MANY_PAGES = literal('its list has more pages than limits.listPages allows');
const TOO_LARGE = literal('its list is larger than limits.listBytes');
const METHOD_NOT_FOUND = literal('-32601');
const REFUSED = literal('it refused tools/list: ');

/** Prepares the callout for the next page. @param cursor a string token of the upstream's, or NONE for the first */
export function askForPage(lane: Lane, cursor: Span, client: Span, now: u64, arena: Arena): void {
  lane.step++;
  lane.id = newRequestId(now, lane.step, arena);
  let params = NONE;
  if (cursor !== NONE) {
    lane.cursors.push(cursorText(cursor, arena));
    params = newWriter(arena, (length(cursor) as usize) + 16)
      .bytes(PARAMS_OPEN)
      .bytes(cursor)
      .bytes(PARAMS_CLOSE).written;
  }
  const body = requestMessage(lane.id, TOOLS_LIST, params, arena);
  lane.callout = post(lane.server, lane.upstream, body, client, arena);
}

/**
 * Takes a page. True: that was the last one, or the lane failed and is left out whole.
 * @param revision that the client speaks
 */
export function takePage(
  lane: Lane,
  answer: Answer,
  revision: Revision,
  limits: Limits,
  client: Span,
  now: u64,
  scratch: Arena,
  arena: Arena,
): bool {
  const verdict = judge(answer, lane.server, scratch);
  const page = verdict.reason === Reason.None ? pageIn(lane, answer, revision, verdict, limits, arena) : null;
  if (page === null) {
    if (verdict.reason !== Reason.None) lane.verdict.take(verdict, arena);
    return true;
  }
  lane.pages.push(changetype<usize>(page) as u64);
  if (page.nextCursor === NONE) return true;
  if (wasAskedWith(lane, cursorText(page.nextCursor, scratch))) {
    dropRepetition(lane);
    return true;
  }
  if ((lane.pages.count as u32) >= limits.listPages) {
    lane.verdict.set(Reason.UpstreamProtocol, TOO_MANY_PAGES);
    return true;
  }
  askForPage(lane, page.nextCursor, client, now, arena);
  return false;
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
function wasAskedWith(lane: Lane, cursor: Span): bool {
  for (let i = 0; i < lane.cursors.count; i++) if (equals(lane.cursors.at(i), cursor)) return true;
  return false;
}

/** Takes the last page away where it has the tools of an earlier one, so that they are listed once. */
function dropRepetition(lane: Lane): void {
  const last = lane.pages.count - 1;
  for (let i = 0; i < last; i++) {
    if (!haveSameTools(pageAt(lane, i), pageAt(lane, last))) continue;
    lane.pages.count = last;
    return;
  }
}

function haveSameTools(a: Page, b: Page): bool {
  if (a.items.count !== b.items.count) return false;
  for (let i = 0; i < a.items.count; i++) if (!equals(nameAt(a, i), nameAt(b, i))) return false;
  return true;
}

function pageAt(lane: Lane, index: i32): Page {
  return changetype<Page>(lane.pages.at(index) as usize);
}

function nameAt(page: Page, index: i32): Span {
  return changetype<Item>(page.items.at(index) as usize).name;
}

/**
 * The page in an answer; null where there is none, with the reason in the verdict unless that means the end of the list:
 * the server has no tools, or none behind its empty cursor.
 */
function pageIn(
  lane: Lane,
  answer: Answer,
  revision: Revision,
  verdict: Verdict,
  limits: Limits,
  arena: Arena,
): Page | null {
  lane.bytes += length(answer.body) as u64;
  if (lane.bytes > (limits.listBytes as u64)) {
    verdict.set(Reason.UpstreamProtocol, TOO_LARGE);
    return null;
  }
  const messages = messagesIn(answer, verdict, arena);
  if (messages === null) return null;
  while (messages.next()) {
    // Kept until all servers have answered.
    const page = readPage(arena.copy(messages.document), revision, arena);
    if (!page.answers(lane.id, arena)) continue;
    if (page.hasResult) return page;
    const code = member(page.error, CODE, arena);
    // A server may announce tools and have none to list.
    if (code !== NONE && equals(code, METHOD_NOT_FOUND)) return null;
    // What it meant as the end of its list, see `wasAskedWith`, it does not take as a cursor.
    if (lane.cursors.count > 0 && length(lane.cursors.at(lane.cursors.count - 1)) === 0) return null;
    refuse(verdict, page.error, code, arena);
    return null;
  }
  verdict.set(Reason.UpstreamProtocol, NO_RESPONSE);
  return null;
}

/** @param error that it answered with, or NONE; `code` is a member of it, or NONE */
function refuse(verdict: Verdict, error: Span, code: Span, arena: Arena): void {
  const detail = newWriter(arena, 256).bytes(REFUSED).bytes(code);
  const message = member(error, MESSAGE, arena);
  const text: Span = message !== NONE && isString(message) ? textOf(message, arena) : NONE;
  const words: Span = text === NONE ? NONE : plainWords(text, false, arena);
  if (words !== NONE) (code === NONE ? detail : detail.byte(0x20)).bytes(words);
  verdict.set(Reason.UpstreamProtocol, detail.written);
}
