import { Arena, make } from '../bytes/arena';
import { HeaderList, newHeaderList } from '../bytes/pairs';
import { Span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Gateway, Server } from '../config/gateway';
import { FanOut, Lane } from '../federation/fanout';
import { Envelope, newEnvelope } from '../mcp/envelope';
import { errorRow, Reason, writeError } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { Method } from '../mcp/methods';
import { Ended } from '../mcp/outcomes';
import { Reach } from '../policy/host';
import { Revision } from '../mcp/revisions';
import { Session, SessionDraft } from '../session/token';
import { Request } from './request';

/** What is to happen next with a request. The shell carries it out; nothing else does. */
export const enum Outcome {
  /** Read the body, then ask `admit`. */
  ReadBody,
  /** Admitted: ask `serve`. */
  Serve,
  /** Send it on with the edits in `forward`. */
  Forward,
  /** Answer it with `reply`. */
  Reply,
  /** Send the callouts that `fanOut` has ready, and give each answer to `resume`. */
  Wait,
}

@unmanaged
export class Reply {
  status: u32;
  headers: HeaderList;
  body: Span;
  /** A session to be sealed into the reply, or null. */
  draft: SessionDraft | null;
  reason: Reason;
}

@unmanaged
export class Forward {
  server: Server;
  /** The upstream keeps a session, and was sent its id. */
  inSession: bool;
  /** A value of NONE removes the header. */
  headers: HeaderList;
  /** The bytes of the body between these offsets are left out. */
  cutFrom: u32;
  cutTo: u32;
}

/** One request from its first header to its last response byte. Lives in the stream's arena. */
@unmanaged
export class Exchange {
  arena: Arena;
  gateway: Gateway;
  request: Request;
  envelope: Envelope;
  /** Nanoseconds since 1970, of the current callback. */
  now: u64;
  /** The whole body; valid in the callback that decides. */
  body: Span;
  method: Method;
  /** As the client wrote it; NONE for a notification. */
  id: Span;
  session: Session | null;
  /** Where the client's connection ended; set only where `needsReach`. */
  reach: Reach;
  /** The allowed origin of the web page that asks, or NONE. */
  page: Span;
  /** Whom a session is bound to; NONE where an identity is asked for and there is none. */
  audience: Span;
  /** Of the session, once `initialize` has settled it. */
  revision: Revision;
  /** The session is to be marked as ended. */
  endsSession: bool;
  fanOut: FanOut | null;
  reply: Reply;
  forward: Forward;
  /** The one server that it is about, or null. */
  server: Server | null;
  /** The name of a tool as the client asked for it, cut; NONE where it asked for none. */
  tool: Span;
  ended: Ended;
  /** Nanoseconds since 1970 at which it was sent on. */
  sentAt: u64;
  /** Names the session in logs; 0 where there is none. Made from its token id, which opens nothing. */
  sessionTag: u64;

  get seconds(): u32 {
    return (this.now / 1_000_000_000) as u32;
  }

  /** Answers with a body that is JSON, or without one. */
  answer(status: u32, body: Span): Outcome {
    const reply = make<Reply>(this.arena);
    reply.status = status;
    reply.headers = newHeaderList(this.arena);
    if (body !== NONE) reply.headers.add(header.CONTENT_TYPE, header.JSON_TYPE);
    reply.body = body;
    this.reply = reply;
    return Outcome.Reply;
  }

  /** Answers with a row of the error table. @param detail of any length and content: it is cut and escaped */
  refuse(reason: Reason, detail: Span = NONE, server: Span = NONE, more: Span = NONE): Outcome {
    const body = newWriter(this.arena, 512);
    writeError(body, this.id, reason, clipped(detail, MAX_DETAIL), server, more);
    this.answer(errorRow(reason).status, body.written);
    this.reply.reason = reason;
    return Outcome.Reply;
  }

  /** Answers with what a server failed at. */
  refuseFor(lane: Lane): Outcome {
    return this.refuse(lane.verdict.reason, lane.verdict.detail, lane.server.name);
  }
}

const MAX_DETAIL = 256;

export function newExchange(gateway: Gateway, request: Request, arena: Arena): Exchange {
  const exchange = make<Exchange>(arena);
  exchange.arena = arena;
  exchange.gateway = gateway;
  exchange.request = request;
  exchange.audience = gateway.audience;
  exchange.envelope = newEnvelope(arena);
  return exchange;
}
