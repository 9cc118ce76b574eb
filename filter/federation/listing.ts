import { Arena } from '../bytes/arena';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Limits } from '../config/gateway';
import { member } from '../json/reader';
import { Reason } from '../mcp/errors';
import { TOOLS_LIST } from '../mcp/methods';
import { Answer, documentsIn, judge, Verdict } from './answer';
import { post } from './callout';
import { Lane } from './fanout';
import { newRequestId, requestMessage } from './message';
import { Page, readPage } from './page';

const PARAMS_OPEN = literal('{"cursor":');
const PARAMS_CLOSE = literal('}');
const CODE = literal('code');

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
    params = newWriter(arena, (length(cursor) as usize) + 16)
      .bytes(PARAMS_OPEN)
      .bytes(cursor)
      .bytes(PARAMS_CLOSE).written;
  }
  const body = requestMessage(lane.id, TOOLS_LIST, params, arena);
  lane.callout = post(lane.server, lane.upstream, body, client, arena);
}

/** Takes a page. True: that was the last one, or the lane failed and is left out whole. */
export function takePage(
  lane: Lane,
  answer: Answer,
  limits: Limits,
  client: Span,
  now: u64,
  scratch: Arena,
  arena: Arena,
): bool {
  const verdict = judge(answer, scratch);
  const page = verdict.reason === Reason.None ? pageIn(lane, answer, verdict, limits, arena) : null;
  if (page === null) {
    if (verdict.reason !== Reason.None) lane.verdict.set(verdict.reason, arena.copy(verdict.detail));
    return true;
  }
  lane.pages.push(changetype<usize>(page) as u64);
  if (page.nextCursor === NONE) return true;
  if ((lane.step as u32) === limits.listPages) {
    // A cursor that leads in a circle ends here as well.
    lane.verdict.set(Reason.UpstreamProtocol, TOO_MANY_PAGES);
    return true;
  }
  askForPage(lane, page.nextCursor, client, now, arena);
  return false;
}

/** The page in an answer; null where there is none, with the reason in the verdict unless the server has no tools. */
function pageIn(lane: Lane, answer: Answer, verdict: Verdict, limits: Limits, arena: Arena): Page | null {
  lane.bytes += length(answer.body) as u64;
  if (lane.bytes > (limits.listBytes as u64)) {
    verdict.set(Reason.UpstreamProtocol, TOO_LARGE);
    return null;
  }
  const documents = documentsIn(answer, verdict, arena);
  if (documents === null) return null;
  while (documents.next()) {
    // Kept until all servers have answered.
    const page = readPage(arena.copy(documents.document), arena);
    if (!page.answers(lane.id, arena)) continue;
    if (page.hasResult) return page;
    const code = member(page.error, CODE, arena);
    // A server may announce tools and have none to list.
    if (code !== NONE && equals(code, METHOD_NOT_FOUND)) return null;
    verdict.set(
      Reason.UpstreamProtocol,
      newWriter(arena, 64)
        .bytes(REFUSED)
        .bytes(code === NONE ? NONE : code).written,
    );
    return null;
  }
  verdict.set(Reason.UpstreamProtocol, NO_RESPONSE);
  return null;
}
