import { make, newArena } from '../../../filter/bytes/arena';
import { Span, literal, span } from '../../../filter/bytes/span';
import { CredentialKind, Credentials } from '../../../filter/model/credentials';
import { Server } from '../../../filter/model/server';
import { Answer, Messages, messagesIn, Failure } from '../../../filter/upstream/answer';
import { judge } from '../../../filter/upstream/judge';
import { Reason } from '../../../filter/mcp/errors';

const arena = newArena(4096);
const server = testServer();
let answer: Answer = make<Answer>(arena);
let failure: Failure = make<Failure>(arena);
let messages: Messages | null = null;

/** It has the credential `Bearer k3y`. */
function testServer(): Server {
  const kept = newArena(1024);
  const made = make<Server>(kept);
  made.authority = literal('weather.test');
  made.credentials = make<Credentials>(kept);
  made.credentials.kind = CredentialKind.Header;
  made.credentials.value = literal('Bearer k3y');
  return made;
}

export function answerOpen(
  ending: i32,
  status: u32,
  contentType: usize,
  typeCount: u32,
  body: usize,
  bodyCount: u32,
): void {
  arena.reset();
  answer = make<Answer>(arena);
  answer.ending = ending;
  answer.status = status;
  answer.contentType = span(contentType, typeCount);
  answer.body = span(body, bodyCount);
}

/** @param coding the value of content-encoding */
export function answerIsCoded(coding: usize, count: u32): void {
  answer.contentEncoding = span(coding, count);
}

/** What the HTTP side says. */
export function answerJudge(): Reason {
  failure = judge(answer, server, arena);
  return failure.reason;
}

/** Begins to read the messages in the body. */
export function answerRead(): Reason {
  failure = make<Failure>(arena);
  messages = messagesIn(answer, failure, arena);
  return failure.reason;
}

export function answerNext(): bool {
  return messages!.next();
}

export function answerDocument(): Span {
  return messages!.document;
}

export function answerDetail(): Span {
  return failure.detail;
}

export function answerRetryAfter(value: usize, count: u32): void {
  answer.retryAfter = span(value, count);
}

export function answerRetry(): Span {
  return failure.retryAfter;
}
