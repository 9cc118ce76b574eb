import { HeaderList } from '../bytes/pairs';
import { Span, NONE } from '../bytes/span';
import { RestTool } from '../model/rest';
import { Server } from '../model/server';

/** What a message is for. */
@unmanaged
export class Target {
  server: Server;
  /** What a call is called at the server; empty for other messages. */
  name: Span;
  /** The bytes of the body between these offsets are left out: a prefix, a mark, or an id that is not the server's. */
  cutFrom: u32;
  cutTo: u32;
  /** What stands in their place, or NONE. */
  put: Span;
  /** The client calls it by another name than prefix and name at the server. */
  isRenamed: bool;
  /** A tool of a REST service, else null. */
  tool: RestTool | null;
  /** Takes the place of the client's body, of which nothing goes on; NONE: that goes on. */
  body: Span;
  /** What is known of a tool, bits of Hint and Fact; NO_FACTS where nobody asks. */
  facts: u32;
  /** The id that the message has there, in the place of the client's; NONE: the client's own. */
  id: Span;
  /** What the client's token for progress is, where the message has `id` in its place; NONE: there is none. */
  progressToken: Span;
  /** What its server is told that the client can be asked for, across the eras: bits of client capabilities. */
  asksFor: u32;
  /** How severe what a server with sessions logs has to be to reach a client without: see mcp/log-levels.ts. */
  loggedFrom: u32;
  /** Such a client can be asked to open a page. */
  opensUrls: bool;
  /** Its server is told, across the eras, that it may make a task of the call. */
  takesTasks: bool;
  /** Arguments that headers repeat, for a client that does not do that; null: there are none. */
  headerParams: HeaderList | null;
  /** Nothing of it may go on before its arguments have been read: a rule asks for them. */
  asksForArguments: bool;

  get replacesBody(): bool {
    return this.body !== NONE;
  }
}
