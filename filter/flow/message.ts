import { KeptBody } from '../body/kept-body';
import { Arena, make } from '../bytes/arena';
import { Span, length } from '../bytes/span';
import { Envelope, newEnvelope } from '../mcp/envelope';
import { Era } from '../mcp/eras';
import { Method } from '../mcp/methods';
import { PassingState } from './request-state';

/** For how long the bytes of `Message.body` are there. */
export const enum Lifetime {
  /** For this callback. */
  Callback,
  /** Until the request has gone on. */
  Request,
  /** As long as the stream: the message can be sent once more. */
  Stream,
}

/** What a client says, and as much of its body as is here. */
@unmanaged
export class Message {
  envelope: Envelope;
  method: Method;
  /** Settled with the method. */
  era: Era;
  /** The body as far as it was held. */
  body: Span;
  lifetime: Lifetime;
  /** `params._meta` of a whole request without a session, for as long as the stream; NONE where nobody asks who sent it. */
  meta: Span;
  /** Bytes of the body that was held when the decision fell. */
  size: u32;
  /** Bytes of a released body so far. */
  passed: u64;
  /** `body` is all of it; else the rest streams past after the decision. */
  whole: bool;
  /** A state that its body repeats, once that has begun to pass; else null. */
  state: PassingState | null;
  /** The host can hold back what still comes of the body. */
  canHoldBack: bool;
  /** The host has it again while an answer of a server is waited for, as it will go on. */
  isPutBack: bool;
  /** Its server has to be joined first, so it is not released. */
  staysHeld: bool;
  /** Host mode `headers`: the name in the body has come, and is that of the headers. */
  isNamed: bool;

  /** `body` is there in later callbacks too. */
  get lasts(): bool {
    return this.lifetime !== Lifetime.Callback;
  }

  get isKept(): bool {
    return this.lifetime === Lifetime.Stream;
  }

  /** Takes the whole body. @param isHostHolding the host shows it in this callback, and we have no copy of a large one */
  take(body: Span, kept: KeptBody, isHostHolding: bool): void {
    this.body = body;
    this.lifetime = kept.isSmall ? Lifetime.Stream : isHostHolding ? Lifetime.Callback : Lifetime.Request;
  }

  /** Takes as much of the body as was held when it is released. */
  takeBeginning(body: Span): void {
    this.body = body;
    this.size = length(body) as u32;
    this.passed = length(body) as u64;
  }
}

export function newMessage(arena: Arena): Message {
  const message = make<Message>(arena);
  message.envelope = newEnvelope(arena);
  message.era = Era.Sessions;
  return message;
}
