import { Arena, make } from '../bytes/arena';
import {
  Span,
  equalsIgnoringCase,
  first,
  indexOf,
  length,
  literal,
  pointer,
  startsWith,
  trim,
  NONE,
} from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isJson, strip, Walk, walkThrough } from '../json/reader';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { eventsIn, Events } from '../sse/events';

/** How a callout ended. */
export const enum Ending {
  Response,
  /** Envoy knows no such cluster. */
  NoCluster,
  /** The cluster has no endpoint. */
  NoHost,
  /** The response began and was not completed: reset, or larger than Envoy buffers (32 MiB). */
  Broken,
  /** It began and was still running when the time was up: an event stream that stays open after its answer. */
  Unfinished,
  /** There was no time left to ask. */
  NotAsked,
}

/** What came back from an upstream. The spans live as long as the callback. */
@unmanaged
export class Answer {
  ending: Ending;
  status: u32;
  contentType: Span;
  contentEncoding: Span;
  sessionId: Span;
  body: Span;
}

const JSON_TYPE = literal('application/json');
const EVENT_STREAM = literal('text/event-stream');

const HTTP = literal('HTTP ');
const NO_CLUSTER = literal('the cluster does not exist');
const NO_HOST = literal('the cluster has no endpoint');
const BROKEN = literal('the response was cut off, or is larger than Envoy buffers');
const UNFINISHED = literal('it keeps the event stream open after its answer');
const NOT_ASKED = literal('the time was up before it was asked');
const NO_ANSWER = literal('no answer');
const REFUSED = literal('no connection');
const ENVOY_TIMEOUT = literal('upstream request timeout');
const ENVOY_UNREACHABLE = literal('upstream connect error');
const ENVOY_NO_HOST = literal('no healthy upstream');
const COMPRESSED = literal('its answer is compressed, although the gateway accepts no content-encoding: ');
/** Of its name in a message. */
const MOST_CODING = 64;
const NOT_FOLLOWED = literal(
  ', a redirect, which the gateway does not follow; correct the address or the path of this server in the configuration',
);
const OTHER_TYPE = literal('neither JSON nor an event stream: ');

/** Why an exchange with an upstream failed, or `Reason.None`. */
@unmanaged
export class Verdict {
  reason: Reason;
  detail: Span;

  set(reason: Reason, detail: Span): Verdict {
    this.reason = reason;
    this.detail = detail;
    return this;
  }
}

/** What the HTTP side of an answer says: None where its body is worth reading. */
export function judge(answer: Answer, arena: Arena): Verdict {
  const verdict = make<Verdict>(arena);
  switch (answer.ending) {
    case Ending.NoCluster:
      return verdict.set(Reason.UpstreamUnknownCluster, NO_CLUSTER);
    case Ending.NoHost:
      return verdict.set(Reason.UpstreamUnreachable, NO_HOST);
    case Ending.Broken:
      return verdict.set(Reason.UpstreamUnreachable, BROKEN);
    case Ending.Unfinished:
      return verdict.set(Reason.UpstreamProtocol, UNFINISHED);
    case Ending.NotAsked:
      return verdict.set(Reason.UpstreamTimeout, NOT_ASKED);
    default:
      judgeStatus(verdict, answer.status, answer.body, arena);
  }
  if (verdict.reason === Reason.None && length(answer.body) > 0 && isCompressed(answer.contentEncoding)) {
    verdict.set(Reason.UpstreamProtocol, compressedText(answer.contentEncoding, arena));
  }
  return verdict;
}

/** RFC 9110 §15.4; 304, the answer to a condition that nobody sets, included. */
export function isRedirect(status: u32): bool {
  return status >= 300 && status < 400;
}

/** What is said of a redirect. Where it leads to is not for the client: often it is an address inside. */
export function redirectText(status: u32, arena: Arena): Span {
  return newWriter(arena, 96)
    .bytes(HTTP)
    .decimal(status as u64)
    .bytes(NOT_FOLLOWED).written;
}

/** Whether a body in this coding (RFC 9110 §8.4) cannot be read here. @param coding NONE where the header is absent */
export function isCompressed(coding: Span): bool {
  return length(coding) > 0 && !equalsIgnoringCase(coding, header.IDENTITY);
}

/** What is said of an answer whose coding nobody asked for. */
export function compressedText(coding: Span, arena: Arena): Span {
  return newWriter(arena, 128).bytes(COMPRESSED).bytes(clipped(coding, MOST_CODING)).written;
}

/** Envoy answers in a server's stead with 503 and 504 and these texts; the same statuses of the server itself differ. */
export function judgeStatus(verdict: Verdict, status: u32, body: Span, arena: Arena): Verdict {
  if (status >= 200 && status < 300) return verdict;
  if (status === 504 && startsWith(body, ENVOY_TIMEOUT)) return verdict.set(Reason.UpstreamTimeout, NO_ANSWER);
  if (status === 503 && startsWith(body, ENVOY_UNREACHABLE)) return verdict.set(Reason.UpstreamUnreachable, REFUSED);
  if (status === 503 && startsWith(body, ENVOY_NO_HOST)) return verdict.set(Reason.UpstreamUnreachable, NO_HOST);
  const text = newWriter(arena, 16)
    .bytes(HTTP)
    .decimal(status as u64).written;
  if (isRedirect(status)) return verdict.set(Reason.UpstreamStatus, redirectText(status, arena));
  // Its challenge is for the gateway: to the client, whose token is for the gateway, it would mean nothing.
  if (status === 401 || status === 403) return verdict.set(Reason.UpstreamUnauthorized, text);
  return verdict.set(Reason.UpstreamStatus, text);
}

/** Of one answer. Each costs some hundred bytes while it is read, and a list comes with a few notifications at most. */
const MOST_MESSAGES = 10_000;
const ARRAY_START: u8 = 0x5b;

/**
 * The messages in a body: its one document, or the data of each event; in the place of a batch (MCP 2025-03-26, base
 * protocol), its elements. What follows the first MOST_MESSAGES is not looked at.
 */
@unmanaged
export class Messages {
  /** The body where it is one document, until it was read; else NONE. */
  single: Span;
  /** Null where the body is one document. */
  events: Events | null;
  arena: Arena;
  /** The one that `next` found. */
  document: Span;
  private batch: Walk | null;
  private count: i32;

  next(): bool {
    while (this.count++ < MOST_MESSAGES) {
      const batch = this.batch;
      if (batch !== null && batch.next()) {
        this.document = batch.value;
        return true;
      }
      this.batch = null;
      if (!this.nextDocument()) return false;
      const document = strip(this.document);
      if (!isBatch(document, this.arena)) return true;
      this.batch = walkThrough(document, this.arena);
    }
    return false;
  }

  private nextDocument(): bool {
    const events = this.events;
    if (events !== null) {
      if (!events.next()) return false;
      this.document = events.data;
      return true;
    }
    this.document = this.single;
    this.single = NONE;
    return this.document !== NONE;
  }
}

function isBatch(document: Span, arena: Arena): bool {
  return length(document) > 0 && load<u8>(pointer(document)) === ARRAY_START && isJson(document, arena);
}

/** Null, with the verdict set, where the body is of another type. */
export function messagesIn(answer: Answer, verdict: Verdict, arena: Arena): Messages | null {
  const messages = make<Messages>(arena);
  messages.arena = arena;
  const type = essence(answer.contentType);
  if (equalsIgnoringCase(type, JSON_TYPE)) messages.single = answer.body;
  else if (equalsIgnoringCase(type, EVENT_STREAM)) messages.events = eventsIn(answer.body, arena);
  else {
    verdict.set(Reason.UpstreamProtocol, newWriter(arena, 64).bytes(OTHER_TYPE).bytes(answer.contentType).written);
    return null;
  }
  return messages;
}

/** A media type without its parameters (RFC 9110 §8.3.1): `application/json; charset=utf-8` is JSON. */
function essence(contentType: Span): Span {
  const semicolon = indexOf(contentType, 0x3b);
  return trim(semicolon < 0 ? contentType : first(contentType, semicolon as u32));
}
