import { newArena } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { Envelope, newEnvelope } from '../../../filter/mcp/envelope';
import { Shape } from '../../../filter/mcp/shape';
import { Reason } from '../../../filter/mcp/errors';
import { memberOf, Member } from '../../../filter/mcp/members';
import { Method } from '../../../filter/mcp/methods';

const arena = newArena(4096);
let envelope: Envelope = newEnvelope(arena);
let document: Span = NONE;

/** Begins another message. */
export function envelopeOpen(): void {
  arena.reset();
  envelope = newEnvelope(arena);
}

export function envelopeRead(chunk: usize, count: u32): void {
  envelope.read(span(chunk, count));
}

/** All of what was read, in one piece. */
export function envelopeEnd(body: usize, count: u32): void {
  document = span(body, count);
  envelope.end();
}

export function envelopeShape(): Shape {
  return envelope.shape;
}

export function envelopeProblem(): Reason {
  return envelope.problem;
}

export function envelopeDetail(): Span {
  return envelope.detail;
}

export function envelopeId(): Span {
  return envelope.requestId;
}

export function envelopeMethod(): Span {
  return envelope.methodIn(document);
}

export function envelopeKnownMethod(): Method {
  return envelope.method;
}

export function envelopeParams(): Span {
  return envelope.text(document, envelope.params);
}

export function envelopeName(): Span {
  return envelope.keyIn(document);
}

export function envelopeCursor(): Span {
  return envelope.text(document, envelope.cursor);
}

export function envelopeClaim(): Span {
  return envelope.text(document, envelope.claim);
}

export function memberKind(key: usize, count: u32): Member {
  return memberOf(span(key, count));
}
