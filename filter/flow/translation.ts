import { CLOSING_BRACE, COLON, COMMA, OPENING_BRACE } from '../bytes/ascii';
import { Arena, scratch } from '../bytes/arena';
import { Span, after, equals, first, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newSplices, Splices } from '../bytes/splices';
import { newWriter } from '../bytes/writer';
import { Kind, kindOf, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { capabilityBits, ELICITATION_URL, writeCapabilities } from '../mcp/client-capabilities';
import { Era, eraOf } from '../mcp/eras';
import { NO_LEVEL, severityOf, UNKNOWN_LEVEL } from '../mcp/log-levels';
import { CLIENT_CAPABILITIES_KEY, isOfStatelessMeta, LOG_LEVEL_KEY } from '../mcp/request-meta';
import { Upstream } from '../session/token';
import { newRequestId } from '../upstream/message';
import { requestMeta } from '../upstream/stateless-message';
import { TASK_CAPABILITIES } from '../upstream/task';
import { OUR_INFO } from '../version';
import { Exchange } from './exchange';
import { Target } from './target';
import { askableAcross } from './input-requests';
import { takesTasksAcross } from './polled-task';

/**
 * A client's request, for a server of the other era: what differs is what the request says of itself in `params._meta`.
 * In a session that several requests share, it also gets an id of its own, which its progress goes by as well: each client
 * counts its requests from 0. All other bytes stay as they are. It is made of the whole message, so one that is too large
 * to be held is refused.
 */
const META = literal('_meta');
const META_OPEN = literal('"_meta":');
const NO_CAPABILITIES = literal('{}');
const PROGRESS_TOKEN = literal('progressToken');
const EMPTY_OBJECT = literal('{}');
const INPUT_RESPONSES = literal('inputResponses');

/** Whether the server is of another era than the client. */
export function crosses(exchange: Exchange, upstream: Upstream): bool {
  return exchange.target.tool === null && eraOf(upstream.revision) !== exchange.message.era;
}

/** The server gets the client's own body, until another is made. */
export function asWritten(target: Target): void {
  target.body = NONE;
  target.id = NONE;
}

/** Makes the body that the server gets. */
export function translate(exchange: Exchange, upstream: Upstream): void {
  const message = exchange.message;
  const target = exchange.target;
  const body = message.body;
  const params = message.envelope.text(body, message.envelope.params);
  const meta = member(params, META, scratch);
  const isFromStateless = message.era === Era.Stateless;
  if (isFromStateless) {
    target.id = newRequestId(exchange.now, ++numbered, exchange.arena);
    target.progressToken = NONE;
    target.loggedFrom = NO_LEVEL;
    target.opensUrls = false;
  }
  target.asksFor = isFromStateless ? 0 : askableAcross(exchange);
  target.takesTasks = !isFromStateless && takesTasksAcross(exchange, upstream);
  const text = isFromStateless ? withoutClaim(meta, target, exchange.arena) : claiming(params, meta, target);
  // Of `params` that has no `_meta` the first member is pushed back.
  const from = (meta === NONE ? pointer(params) + 1 : pointer(meta)) - pointer(body);
  const to = meta === NONE ? from : from + (length(meta) as usize);
  const splices = newSplices(scratch);
  splices.add(from as u32, to as u32, text);
  splices.add(target.cutFrom, target.cutTo, target.put);
  if (isFromStateless && target.opensUrls) leaveOutResponses(splices, params, body);
  const input = exchange.input;
  if (input !== null) {
    // Each time a server is asked it is another request.
    target.id = newRequestId(exchange.now, ++numbered, exchange.arena);
    const end = ((pointer(params) - pointer(body)) as u32) + (length(params) as u32) - 1;
    splices.add(end, end, input.write(newWriter(scratch, 1024)).written);
  }
  if (target.id !== NONE) {
    const id = message.envelope.requestIdRange;
    splices.add((id >> 32) as u32, id as u32, target.id);
  }
  target.body = splices.applied(body, exchange.arena);
}

/** The last id: with the moment it is used once, however many requests meet. Handshakes and lists have smaller numbers. */
let numbered: i32 = 1000;

/**
 * `_meta` without what the era with sessions does not have: a server of both would take it for a request of the other. Its
 * token for progress becomes the id of the request, and is kept.
 */
function withoutClaim(meta: Span, target: Target, arena: Arena): Span {
  if (meta === NONE || kindOf(meta) !== Kind.Object) return EMPTY_OBJECT;
  const out = newWriter(scratch, ((length(meta) + length(target.id)) as usize) + 2).byte(OPENING_BRACE);
  for (const walk = walkThrough(meta, scratch); walk.next();) {
    const name = textOf(walk.name, scratch);
    if (isClaim(name)) {
      takeClaim(target, name, walk.value);
      continue;
    }
    if (out.size > 1) out.byte(COMMA);
    out.bytes(walk.name).byte(COLON);
    if (name !== NONE && equals(name, PROGRESS_TOKEN)) {
      target.progressToken = arena.copy(walk.value);
      out.bytes(target.id);
    } else out.bytes(walk.value);
  }
  return out.byte(CLOSING_BRACE).written;
}

/** What the client says of itself there that decides what it gets. */
function takeClaim(target: Target, name: Span, value: Span): void {
  if (equals(name, CLIENT_CAPABILITIES_KEY)) {
    target.opensUrls = (capabilityBits(value, scratch) & ELICITATION_URL) !== 0;
  } else if (equals(name, LOG_LEVEL_KEY) && kindOf(value) === Kind.String) {
    const level = textOf(value, scratch);
    const severity = level === NONE ? UNKNOWN_LEVEL : severityOf(level);
    target.loggedFrom = severity === UNKNOWN_LEVEL ? NO_LEVEL : severity;
  }
}

/**
 * Leaves out what a client says of the pages that it was asked to open (response/url-elicitation.ts): a server with sessions
 * is sent the same request again, and has learned of them in another way.
 */
function leaveOutResponses(splices: Splices, params: Span, body: Span): void {
  let behind: usize = 0;
  let from: usize = 0;
  for (const walk = walkThrough(params, scratch); walk.next();) {
    // The first member goes with the comma behind it, any other with the one before.
    if (from !== 0)
      return splices.add((from - pointer(body)) as u32, (pointer(walk.name) - pointer(body)) as u32, NONE);
    const end = limit(walk.value);
    const key = walk.key(scratch);
    if (key !== NONE && equals(key, INPUT_RESPONSES)) {
      if (behind === 0) from = pointer(walk.name);
      else return splices.add((behind - pointer(body)) as u32, (end - pointer(body)) as u32, NONE);
    }
    behind = end;
  }
}

/** `_meta` with it. */
function claiming(params: Span, meta: Span, target: Target): Span {
  const claim = requestMeta(capabilitiesAcross(target), OUR_INFO, scratch);
  const isObject = meta !== NONE && kindOf(meta) === Kind.Object;
  const out = newWriter(scratch, ((length(claim) + length(meta)) as usize) + 16);
  if (meta === NONE) {
    out.bytes(META_OPEN).bytes(claim);
    return (walkThrough(params, scratch).next() ? out.byte(COMMA) : out).written;
  }
  if (!isObject || !walkThrough(meta, scratch).next()) return claim;
  out.bytes(first(claim, (length(claim) - 1) as u32));
  if (!claims(meta)) return out.byte(COMMA).bytes(after(meta, 1)).written;
  // Of two members of one name a server may take either: what the client could say of itself there, its session has said.
  for (const walk = walkThrough(meta, scratch); walk.next();) {
    if (!isClaim(walk.key(scratch))) out.byte(COMMA).bytes(walk.name).byte(COLON).bytes(walk.value);
  }
  return out.byte(CLOSING_BRACE).written;
}

/** Whether `_meta` has a member that only the era without sessions has. */
function claims(meta: Span): bool {
  for (const walk = walkThrough(meta, scratch); walk.next();) if (isClaim(walk.key(scratch))) return true;
  return false;
}

function isClaim(name: Span): bool {
  return name !== NONE && isOfStatelessMeta(name);
}

/** What the client is capable of, in the words of the era without sessions. */
function capabilitiesAcross(target: Target): Span {
  if (target.asksFor === 0) return target.takesTasks ? TASK_CAPABILITIES : NO_CAPABILITIES;
  const capabilities = writeCapabilities(newWriter(scratch, 256), target.asksFor).written;
  if (!target.takesTasks) return capabilities;
  return newWriter(scratch, ((length(capabilities) + length(TASK_CAPABILITIES)) as usize) + 1)
    .bytes(first(capabilities, (length(capabilities) - 1) as u32))
    .byte(COMMA)
    .bytes(after(TASK_CAPABILITIES, 1)).written;
}
