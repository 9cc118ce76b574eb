import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, NONE } from '../bytes/span';
import { FanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { Noun } from '../mcp/nouns';
import { Server } from '../model/server';
import { Upstream } from '../session/token';
import { Answer } from '../upstream/answer';
import { Exchange, Outcome } from './exchange';

/** What a conversation with servers is for, as far as others than its own flow want to know it. */
export const enum Stage {
  None,
  /** Tokens of the caller are exchanged for those of servers, see token-exchange.ts. */
  Exchange,
  /** Sessions of the client's are opened. */
  Initialize,
  /** The client's own list, or what it looks for in it. */
  List,
  /** Servers are asked, or a session with one is opened, for the sake of a request that then goes on. */
  Ask,
  /** The request itself, as a message of our own. */
  Relay,
  /** The same once more, in a new session, or with the input that its server asked for. */
  CallAgain,
  /** The server is asked what has become of the task that it has made of the request, see polled-task.ts. */
  Poll,
  /** Servers are told something, and nobody waits for what they say. */
  Tell,
  /** One server is, and what comes next must not overtake it. */
  Deliver,
  Terminate,
}

/** Goes on with an answer to one of its calls. */
export type Resume = (exchange: Exchange, fanOut: FanOut, call: UpstreamCall, answer: Answer) => Outcome;

/** Goes on where something has come that calls wait for, or all have what they asked for. */
export type Proceed = (exchange: Exchange, fanOut: FanOut) => Outcome;

/** Whether the session of a call that cannot be repeated is known to be alive. */
export const enum Probe {
  None,
  UnderWay,
  /** It is, or nobody can tell. */
  Done,
}

/** The answer of a server that may have lost its session: what the client gets where a new one does not help. */
@unmanaged
export class FirstAnswer {
  status: u32;
  contentType: Span;
  /** NONE: it is not at hand, and comes when the response goes on. */
  body: Span;
  /** As the server was asked. */
  upstream: Upstream;
}

/** A session with a server that nobody will use. */
@unmanaged
export class Abandoned {
  server: Server;
  upstream: Upstream;
}

/** What is said to servers for the sake of a request, beside the request itself. */
@unmanaged
export class Conversation {
  arena: Arena;
  stage: Stage;
  fanOut: FanOut | null;
  /** How it goes on: with an answer, with a tick, and once there is all that was asked for. */
  resume: Resume;
  poll: Proceed;
  next: Proceed;
  /** A digest of all that servers are told of the client, by `initialize`. */
  introduction: Span;
  probe: Probe;
  /** The URI whose server is looked for, and the noun whose lists are looked into; the words of a search; the tool of a call. */
  sought: Span;
  /** How many tools a search wants. */
  mostFound: u32;
  /** Where a list is to go on: which list that was, and how many items of it came before. */
  generation: u64;
  itemsBefore: u32;
  lookedInto: Noun;
  /** A server that did not say what it lists, or null. */
  unanswered: UpstreamCall | null;
  /** What each server is asked alike, see broadcast.ts, and its id, a string token. */
  broadcast: Span;
  broadcastId: Span;
  /** Its `params`. */
  broadcastParams: Span;
  first: FirstAnswer;
  /** The session with the call's server that this request opened, or null. */
  opened: Upstream | null;
  /** Sessions to be ended with the request (Abandoned); null: none. */
  abandoned: List | null;

  /** @param next what `resume` and `poll` may go on with, see asking.ts and join.ts */
  begin(
    stage: Stage,
    fanOut: FanOut,
    resume: Resume,
    poll: Proceed = isNeverPolled,
    next: Proceed = isNeverPolled,
  ): void {
    this.stage = stage;
    this.fanOut = fanOut;
    this.resume = resume;
    this.poll = poll;
    this.next = next;
  }

  /** Leaves a session with a server to be ended. */
  abandon(server: Server, upstream: Upstream): void {
    if (upstream.sessionId === NONE) return;
    const left = make<Abandoned>(this.arena);
    left.server = server;
    left.upstream = upstream;
    if (this.abandoned === null) this.abandoned = newList(this.arena);
    this.abandoned!.push(changetype<usize>(left) as u64);
  }
}

/** Goes on with `next` where no call is waited for any more. */
export function whenSettled(exchange: Exchange, fanOut: FanOut): Outcome {
  return fanOut.settled ? exchange.conversation.next(exchange, fanOut) : Outcome.Wait;
}

/** Where no call waits for another request. */
function isNeverPolled(_exchange: Exchange, _fanOut: FanOut): Outcome {
  return Outcome.Wait;
}

export function newConversation(arena: Arena): Conversation {
  const conversation = make<Conversation>(arena);
  conversation.arena = arena;
  return conversation;
}
