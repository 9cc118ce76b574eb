import { List } from '../bytes/list';
import { NameTable } from '../bytes/names';
import { Span, equals, NONE } from '../bytes/span';
import { COOKIE } from '../mcp/headers';
import { Noun, nounRow } from '../mcp/nouns';
import { Program, Way } from '../template/program';
import { Schema } from '../schema/schema';

/** Where an argument of a tool goes. */
export const enum Position {
  /** Where `argsTo…` of the tool says, or nowhere but into templates. */
  None,
  Query,
  Path,
  Header,
  Cookie,
  Body,
}

/** What becomes of the arguments without a position. */
export const enum ArgumentsTo {
  Nothing,
  JsonBody,
  UrlParameters,
  FormBody,
}

@unmanaged
export class RestArgument {
  name: Span;
  position: Position;
  required: bool;
  /** JSON, or NONE. */
  byDefault: Span;
  schema: Schema;
}

/** A header of requests. The name in lower case. */
@unmanaged
export class RestHeader {
  name: Span;
  value: Program;
}

/** In which way an argument is put into the template of a header: it stays within its cookie, where it is one of those. */
export function headerWay(name: Span): Way {
  return equals(name, COOKIE) ? Way.Url : Way.Plain;
}

/** How a service is told who asks. NONE in both: not at all. */
@unmanaged
export class RestSecurity {
  header: Span;
  query: Span;
  /** What the gateway sends; NONE: what the client has sent in `clientHeader`. */
  value: Span;
  /** The name of a header of the client's, or NONE. */
  clientHeader: Span;
  /** What stands before the credential there, without regard to case, and in the header of the service. */
  clientScheme: Span;
  scheme: Span;
}

/** One tool, made from a request to a REST service. */
@unmanaged
export class RestTool {
  name: Span;
  /** Elements are RestArgument, in the order of the definition. */
  arguments: List;
  /** By name: one more than its index there. */
  argumentsByName: NameTable;
  method: Span;
  /** From its URL, or the server's. */
  authority: Span;
  /** What the path begins with. */
  basePath: Span;
  /** The path and query behind that; null: the answer is made here, without a request. */
  path: Program | null;
  /** Elements are RestHeader. */
  headers: List;
  body: Program | null;
  bodyWay: Way;
  argumentsTo: ArgumentsTo;
  /** One of its headers is of that name. */
  hasContentType: bool;
  hasForm: bool;
  hasAccept: bool;
  hasCookie: bool;
  security: RestSecurity | null;
  /** Null: the body of the response as it is. */
  response: Program | null;
  prepended: Span;
  appended: Span;
  errorResponse: Program | null;
  /** It has an output schema, so that the body of its response is structured content as well. */
  isStructured: bool;

  argument(index: i32): RestArgument {
    return changetype<RestArgument>(this.arguments.at(index) as usize);
  }
}

/** An argument of a prompt: a text. */
@unmanaged
export class PromptArgument {
  name: Span;
  required: bool;
}

/** A message of a prompt. */
@unmanaged
export class PromptMessage {
  /** `user` or `assistant`. */
  role: Span;
  text: Program;
}

/** A prompt that is made here of templates. */
@unmanaged
export class RestPrompt {
  name: Span;
  /** JSON, or NONE. */
  description: Span;
  /** Elements are PromptArgument, in the order of the definition. */
  arguments: List;
  /** Elements are PromptMessage. */
  messages: List;

  argument(index: i32): PromptArgument {
    return changetype<PromptArgument>(this.arguments.at(index) as usize);
  }

  message(index: i32): PromptMessage {
    return changetype<PromptMessage>(this.messages.at(index) as usize);
  }
}

/** A server that is a REST service, or has nothing but prompts that are made here. */
@unmanaged
export class Rest {
  /** JSON, with what stands in the environment put in. */
  config: Span;
  /** Elements are RestTool, in the order of the configuration. */
  tools: List;
  toolsByName: NameTable;
  /** Elements are RestPrompt, in the order of the configuration. */
  prompts: List;
  promptsByName: NameTable;
  /** The pages of `tools/list` and `prompts/list`, as a server of MCP would answer them; NONE where there is none of them. */
  toolPage: Span;
  promptPage: Span;

  tool(name: Span): RestTool | null {
    return changetype<RestTool | null>(this.toolsByName.get(name));
  }

  /** How many there are of a noun. */
  countOf(noun: Noun): i32 {
    return noun === Noun.Tools ? this.tools.count : noun === Noun.Prompts ? this.prompts.count : 0;
  }

  /** @param noun Tools or Prompts. @param index below `countOf` */
  nameAt(noun: Noun, index: i32): Span {
    if (noun === Noun.Tools) return changetype<RestTool>(this.tools.at(index) as usize).name;
    return changetype<RestPrompt>(this.prompts.at(index) as usize).name;
  }

  prompt(name: Span): RestPrompt | null {
    return changetype<RestPrompt | null>(this.promptsByName.get(name));
  }

  /** The page that lists a noun; NONE: it has none of that. */
  pageOf(noun: Noun): Span {
    return noun === Noun.Tools ? this.toolPage : noun === Noun.Prompts ? this.promptPage : NONE;
  }

  /** Bits of Capability. */
  get offers(): u32 {
    const tools: u32 = this.toolPage === NONE ? 0 : nounRow(Noun.Tools).capability;
    const prompts: u32 = this.promptPage === NONE ? 0 : nounRow(Noun.Prompts).capability;
    return tools | prompts;
  }
}
