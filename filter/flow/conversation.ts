import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, NONE } from '../bytes/span';
import { FanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { Noun } from '../mcp/nouns';
import { Server } from '../model/server';
import { Upstream } from '../session/token';

/** Which conversation with upstreams is under way. */
export const enum Stage {
  None,
  Initialize,
  List,
  /** Tools are looked for by words, see search-tools.ts. */
  Search,
  /** The server of a URI is looked for, see find.ts. */
  Find,
  /** The definition of the tool that is called, see tool-facts.ts. */
  Facts,
  /** The definitions of all tools, see definitions-page.ts. */
  Definitions,
  /** Servers are asked for the same, see broadcast.ts. */
  Broadcast,
  Terminate,
  /** A session with the server of a call, which is then sent on. */
  Join,
  /** The same before a call is released that cannot be repeated: the server was asked, and knows its own no more. */
  Prepare,
  /** The same after an answer that said so. */
  Renew,
  /** Whether such an answer said so. */
  Check,
  /** Whether the session is alive, before a call is released. */
  Probe,
  CallAgain,
  /** The call once more with the input that its server asked for, see input-requests.ts. */
  Input,
  /** A call as a message of our own, from the start. */
  Relay,
  /** Servers are told something; see tell.ts. */
  Tell,
  /** One server is, and what comes next must not overtake it. */
  Deliver,
}

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
  /** At stage Initialize: a digest of all that servers are told of the client. */
  introduction: Span;
  probe: Probe;
  /** At stage Find: the URI, and the noun whose lists are looked into. At stage Search: the words. At stage Facts: the tool. */
  sought: Span;
  /** At stage Search: how many tools are wanted. */
  mostFound: u32;
  lookedInto: Noun;
  /** A server that did not say what it lists, or null. */
  unanswered: UpstreamCall | null;
  /** At stage Broadcast: the message to each server, and its id, a string token. */
  broadcast: Span;
  broadcastId: Span;
  /** Its `params`. */
  broadcastParams: Span;
  first: FirstAnswer;
  /** The session with the call's server that this request opened, or null. */
  opened: Upstream | null;
  /** Sessions to be ended with the request (Abandoned); null: none. */
  abandoned: List | null;

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

export function newConversation(arena: Arena): Conversation {
  const conversation = make<Conversation>(arena);
  conversation.arena = arena;
  return conversation;
}
