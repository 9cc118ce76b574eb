import { CLOSING_BRACE, COMMA, QUOTE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, between, equals, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { Kind, kindOf, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';

/**
 * The error of 2025-11-25 that asks for pages to be opened before a request is sent again (-32042,
 * URLElicitationRequiredError). A server of 2026-07-28 must not send it, and asks for input in its place:
 *
 *     "error":{"code":-32042,…,"data":{"elicitations":[{"mode":"url","elicitationId":"a","url":"https://…","message":"…"}]}}
 *     "result":{"resultType":"input_required","inputRequests":{"1":{"method":"elicitation/create","params":{"mode":"url",…}}}}
 */
const ERROR = literal('error');
const CODE = literal('code');
const DATA = literal('data');
const ELICITATIONS = literal('elicitations');
const MODE = literal('mode');
const URL = literal('url');
const MESSAGE = literal('message');

const URL_ELICITATION_REQUIRED = literal('-32042');
const INTERNAL_ERROR = literal('-32603');

const RESULT_OPEN = literal('"result":{"resultType":"input_required","inputRequests":{');
const REQUEST_OPEN = literal('":{"method":"elicitation/create","params":{"mode":"url","url":');
const MESSAGE_MEMBER = literal(',"message":');
const REQUEST_CLOSE = literal('}}');
const RESULT_CLOSE = literal('}');

/** Pages that one error can ask for. */
const MOST_PAGES: u32 = 16;

/**
 * The same message for a client of 2026-07-28. NONE: it is another one, and stays as it is.
 * @param message a whole response, as JSON
 * @param opensUrls the client can be asked to open a page; else it gets the error with a code that the revision has
 */
export function withoutUrlError(message: Span, opensUrls: bool, arena: Arena): Span {
  if (kindOf(message) !== Kind.Object) return NONE;
  let name = NONE;
  let error = NONE;
  for (const walk = walkThrough(message, arena); walk.next();) {
    const key = walk.key(arena);
    if (key === NONE || !equals(key, ERROR)) continue;
    name = walk.name;
    error = walk.value;
  }
  const code = member(error, CODE, arena);
  if (code === NONE || !equals(code, URL_ELICITATION_REQUIRED)) return NONE;
  const out = newWriter(arena, (length(message) as usize) + 256);
  if (opensUrls) {
    out.bytes(between(pointer(message), pointer(name))).bytes(RESULT_OPEN);
    const elicitations = member(member(error, DATA, arena), ELICITATIONS, arena);
    if (writeRequests(out, elicitations, arena)) {
      return out.bytes(RESULT_CLOSE).bytes(between(limit(error), limit(message))).written;
    }
    out.truncate(0);
  }
  out.bytes(between(pointer(message), pointer(code))).bytes(INTERNAL_ERROR);
  return out.bytes(between(limit(code), limit(message))).written;
}

/** Whether there is at least one page, and all are such as a client can be asked to open. */
function writeRequests(out: Writer, elicitations: Span, arena: Arena): bool {
  if (elicitations === NONE || kindOf(elicitations) !== Kind.Array) return false;
  let count: u32 = 0;
  for (const walk = walkThrough(elicitations, arena); walk.next();) {
    const elicitation = walk.value;
    const url = member(elicitation, URL, arena);
    const message = member(elicitation, MESSAGE, arena);
    if (++count > MOST_PAGES || !isText(url) || !isText(message) || !asksForPage(elicitation, arena)) return false;
    if (count > 1) out.byte(COMMA);
    out
      .byte(QUOTE)
      .decimal(count as u64)
      .bytes(REQUEST_OPEN)
      .bytes(url)
      .bytes(MESSAGE_MEMBER)
      .bytes(message)
      .bytes(REQUEST_CLOSE);
  }
  if (count > 0) out.byte(CLOSING_BRACE);
  return count > 0;
}

function isText(value: Span): bool {
  return value !== NONE && kindOf(value) === Kind.String;
}

function asksForPage(elicitation: Span, arena: Arena): bool {
  const mode = member(elicitation, MODE, arena);
  return mode === NONE || (isText(mode) && equals(textOf(mode, arena), URL));
}
