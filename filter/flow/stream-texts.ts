import { CLOSING_BRACE, COLON, COMMA, OPENING_BRACE, QUOTE } from '../bytes/ascii';
import { Arena, scratch } from '../bytes/arena';
import { Span, after, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { newFanOut } from '../federation/fanout';
import { mergedSize, writeList } from '../federation/merge';
import { isJson, kindOf, Kind, member, strip } from '../json/reader';
import { CAPABILITY_COUNT, capabilityName } from '../mcp/capabilities';
import { Noun, NounRow, nounRow } from '../mcp/nouns';
import { LATEST } from '../mcp/revisions';
import { mayOffer } from '../policy/decision';
import { Replacement } from '../response/replacements';
import { openRefusal } from '../session/refusal-id';
import { eventsIn } from '../sse/events';
import { readPage } from '../upstream/page';
import { Exchange } from './exchange';
import { addressFor } from './http-sse';

/**
 * What takes the place of parts of an event stream of HTTP+SSE, see http-sse.ts: lists show what this caller may use,
 * under the names that it may use, and `initialize` offers no more than that.
 */
const ID = literal('id');
const DATA = literal('data:');
const NO_LIST = literal('[]');
const NO_CAPABILITIES = literal('{}');
const RESULT_OPEN = literal('{"result":{"');
const RESULT_MEMBER = literal('":');
const RESULT_CLOSE = literal('}}');
/** `"…":` before the list that is merged. */
const AROUND_NAME: u32 = 3;

/** @param context the address of an Exchange. @param raw as it stands in the stream */
export function textInStream(context: usize, replacement: Replacement, raw: Span, arena: Arena): Span {
  const exchange = changetype<Exchange>(context);
  switch (replacement) {
    case Replacement.Address:
      return addressFor(exchange, raw);
    case Replacement.Refusal:
      return refusalIn(exchange, raw, arena);
    case Replacement.Capabilities:
      return capabilitiesFor(exchange, raw, arena);
    case Replacement.Tools:
      return listFor(exchange, nounRow(Noun.Tools), raw, arena);
    case Replacement.Prompts:
      return listFor(exchange, nounRow(Noun.Prompts), raw, arena);
    case Replacement.Resources:
      return listFor(exchange, nounRow(Noun.Resources), raw, arena);
    default:
      return listFor(exchange, nounRow(Noun.Templates), raw, arena);
  }
}

/** The answer that the id of a response has in it; NONE: it is a response as any other. @param raw the message */
function refusalIn(exchange: Exchange, raw: Span, arena: Arena): Span {
  const session = exchange.stream;
  const message = documentIn(raw, arena);
  if (session === null || message === NONE) return NONE;
  const id = member(message, ID, arena);
  return id === NONE ? NONE : openRefusal(session, id, arena);
}

/** What this caller may use of what the server declares. */
function capabilitiesFor(exchange: Exchange, raw: Span, arena: Arena): Span {
  const declared = documentIn(raw, arena);
  if (declared === NONE || kindOf(declared) !== Kind.Object) return NO_CAPABILITIES;
  const offers = mayOffer(exchange.target.server, exchange.caller.scope);
  const text = newWriter(arena, (length(raw) as usize) + 2).byte(OPENING_BRACE);
  for (let i = 0; i < CAPABILITY_COUNT; i++) {
    const name = capabilityName(i);
    const value = (offers & (1 << i)) === 0 ? NONE : member(declared, name, arena);
    if (value === NONE) continue;
    if (text.size > 1) text.byte(COMMA);
    text.byte(QUOTE).bytes(name).byte(QUOTE).byte(COLON).bytes(value);
  }
  return text.byte(CLOSING_BRACE).written;
}

function listFor(exchange: Exchange, noun: NounRow, raw: Span, arena: Arena): Span {
  const list = documentIn(raw, arena);
  if (list === NONE || kindOf(list) !== Kind.Array) return NO_LIST;
  const message = newWriter(arena, (length(list) as usize) + 64)
    .bytes(RESULT_OPEN)
    .bytes(noun.items)
    .bytes(RESULT_MEMBER)
    .bytes(list)
    .bytes(RESULT_CLOSE).written;
  const page = readPage(message, noun, LATEST, arena);
  if (page.malformed) return NO_LIST;
  const fanOut = newFanOut(1, 0, arena);
  const call = fanOut.add(exchange.target.server, exchange.plan.forward.upstream, arena);
  call.noun = noun;
  call.pages.push(changetype<usize>(page) as u64);
  fanOut.finish(call);
  const size = mergedSize(exchange.gateway, fanOut, exchange.caller.scope);
  const merged = writeList(newWriter(arena, size as usize), noun, fanOut, null).written;
  return after(merged, AROUND_NAME + (length(noun.items) as u32));
}

/**
 * A value of JSON that stands in the data of one event, in one line or several, with what stands between the lines. NONE:
 * it is none.
 */
function documentIn(raw: Span, arena: Arena): Span {
  const events = eventsIn(
    newWriter(arena, (length(raw) as usize) + 8)
      .bytes(DATA)
      .bytes(raw).written,
    arena,
  );
  if (!events.next()) return NONE;
  const document = strip(events.data);
  return length(document) > 0 && isJson(document, scratch) ? document : NONE;
}
