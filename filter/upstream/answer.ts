import { OPENING_BRACKET, SEMICOLON } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, equals, equalsIgnoringCase, first, indexOf, length, literal, pointer, trim, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { withoutMark } from '../json/byte-order-mark';
import { isJson, strip, Walk, walkThrough } from '../json/reader';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import { Limit } from '../model/limit';
import { eventsIn, Events } from '../sse/events';
import { responseTo } from './message';

/** How a callout ended. */
export const enum Ending {
  Response,
  /** Envoy knows no such cluster. */
  NoCluster,
  /** The cluster has no healthy endpoint, or its circuit breakers are full: the host does not say which. */
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
  /** All of them, in the ABI's form. */
  headers: Span;
  contentType: Span;
  contentEncoding: Span;
  sessionId: Span;
  /** That has answered, where its cluster reports it; else NONE. */
  endpoint: Span;
  retryAfter: Span;
  /** NONE: there is none, or it is not here. */
  body: Span;
}

const JSON_TYPE = literal('application/json');
const EVENT_STREAM = literal('text/event-stream');

const HTTP = literal('HTTP ');
const NO_BODY = literal(' without a body, where an answer is due');
const NO_TYPE = literal(' without a content-type, where an answer is due');
const OTHER_TYPE = literal('neither JSON nor an event stream: ');
/** Bytes of its name in a message. */
const MOST_TYPE = 128;

/** Why an exchange with an upstream failed, or `Reason.None`. */
@unmanaged
export class Failure {
  reason: Reason;
  detail: Span;
  /** When to come back, as the server said it (RFC 9110 §10.2.3), or NONE. */
  retryAfter: Span;
  /** Our limit that it met. */
  limit: Limit;

  set(reason: Reason, detail: Span): Failure {
    this.reason = reason;
    this.detail = detail;
    this.limit = Limit.None;
    return this;
  }

  /** Becomes another one. @param arena where its texts are kept */
  take(other: Failure, arena: Arena): void {
    this.reason = other.reason;
    this.detail = arena.copy(other.detail);
    this.retryAfter = arena.copy(other.retryAfter);
    this.limit = other.limit;
  }
}

/** In one answer. Each costs some hundred bytes while it is read, and a list comes with a few notifications at most. */
const MOST_MESSAGES = 10_000;

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
  return length(document) > 0 && load<u8>(pointer(document)) === OPENING_BRACKET && isJson(document, arena);
}

export function isJsonType(contentType: Span): bool {
  // As most servers write it, and asked of an answer more than once.
  return equals(contentType, JSON_TYPE) || equalsIgnoringCase(essence(contentType), JSON_TYPE);
}

export function isEventStream(contentType: Span): bool {
  if (equals(contentType, EVENT_STREAM)) return true;
  return !equals(contentType, JSON_TYPE) && equalsIgnoringCase(essence(contentType), EVENT_STREAM);
}

/** Null, with the failure set, where the body is of another type. */
export function messagesIn(answer: Answer, failure: Failure, arena: Arena): Messages | null {
  const messages = make<Messages>(arena);
  messages.arena = arena;
  if (isJsonType(answer.contentType)) messages.single = withoutMark(answer.body);
  else if (isEventStream(answer.contentType)) messages.events = eventsIn(answer.body, arena);
  else {
    failure.set(Reason.UpstreamProtocol, noMessagesText(answer, arena));
    return null;
  }
  return messages;
}

/**
 * The response to our request in an answer, an object; NONE where it has none. With the failure set, where the body is of
 * another type. @param id of the request
 */
export function responseIn(answer: Answer, id: Span, failure: Failure, arena: Arena): Span {
  const messages = messagesIn(answer, failure, arena);
  if (messages === null) return NONE;
  let response = NONE;
  while (response === NONE && messages.next()) response = responseTo(id, messages.document, arena);
  return response;
}

function noMessagesText(answer: Answer, arena: Arena): Span {
  if (length(answer.body) === 0) return noBodyText(answer.status, arena);
  return length(answer.contentType) === 0 ? noTypeText(answer.status, arena) : otherTypeText(answer.contentType, arena);
}

/** What is said of an answer without a body. */
export function noBodyText(status: u32, arena: Arena): Span {
  return lacking(status, NO_BODY, arena);
}

/** What is said of one whose type is not told. */
export function noTypeText(status: u32, arena: Arena): Span {
  return lacking(status, NO_TYPE, arena);
}

function lacking(status: u32, what: Span, arena: Arena): Span {
  return newWriter(arena, 96).bytes(HTTP).decimal(status).bytes(what).written;
}

/** What is said of an answer of another type. */
export function otherTypeText(contentType: Span, arena: Arena): Span {
  return newWriter(arena, 128).bytes(OTHER_TYPE).bytes(clipped(contentType, MOST_TYPE)).written;
}

/** A media type without its parameters (RFC 9110 §8.3.1): `application/json; charset=utf-8` is JSON. */
function essence(contentType: Span): Span {
  const semicolon = indexOf(contentType, SEMICOLON);
  return trim(semicolon < 0 ? contentType : first(contentType, semicolon as u32));
}
