import { Span, literal } from '../bytes/span';
import { nameBit } from '../json/plain-members';

/** What stands in a place of a message of a server. */
export const enum Place {
  /** Nothing that is looked at: it passes. */
  Other,
  // Objects, or arrays of them: what an array holds stands in the place of the array.
  Message,
  Result,
  Params,
  Error,
  ErrorData,
  /** A message of a prompt, or of a request for sampling. */
  PromptMessage,
  /** A content block; what it holds in its turn, such as a result of a tool, has the same form. */
  Content,
  /** What a resource holds, as `resources/read` answers, or as it is embedded. */
  ResourceContents,
  Meta,
  /** What a task has come to: the result of its call. */
  TaskResult,
  /** What a stream of changes is to tell of. */
  Listened,
  /** The task that a message belongs to. */
  RelatedTask,
  /** `_meta` of a request of the server. */
  RequestMeta,
  Ui,
  /** What has happened. */
  Occurrence,
  /** Ids of tasks, in an array: its elements are values. */
  TaskIds,
  /** URIs of resources, in an array: the same. */
  Uris,
  // Values.
  /** The name of what is asked for or told: the message is no response. */
  Method,
  /** The id of a server's request, or of the response to the client's. */
  Id,
  /** The id of a server's request where another message speaks of it; or a token that the client sends back with progress. */
  ServersId,
  /** The token by which progress is told of the client's request. */
  ClientsToken,
  Uri,
  /** What a server gives to its caller to be repeated with the same request. */
  RequestState,
  TaskId,
  /** The name of a type of events. */
  EventName,
  /** The code of an error of JSON-RPC. */
  ErrorCode,
  /** What a tool's result is as data: any value of JSON since 2026-07-28, an object before. */
  Structure,
  // Values that are replaced whole over HTTP+SSE, see message-rewriter.ts.
  Capabilities,
  Tools,
  Prompts,
  Resources,
  Templates,
}

const LAST: i32 = Place.Templates;

/** A member that matters. */
@unmanaged
export class MemberRow {
  name: Span;
  place: Place;
  /** Another one of the same object, or null. */
  next: MemberRow | null;
}

const rows = memory.data(4 * (LAST + 1));
/** For each place the bits of the members of its objects. */
const bits = memory.data(8 * (LAST + 1), 8);

function row(object: Place, name: string, place: Place): void {
  const at = changetype<MemberRow>(heap.alloc(offsetof<MemberRow>()));
  at.name = literal(name);
  at.place = place;
  at.next = membersOf(object);
  store<usize>(rows + ((object as usize) << 2), changetype<usize>(at));
  store<u64>(bits + ((object as usize) << 3), soughtIn(object) | nameBit(at.name));
}

// All that is rewritten in messages of servers (MCP schemas of 2025-11-25 and 2026-07-28; `ui` is of the extension for
// apps, what has to do with tasks of that for tasks, SEP-2663, and events of that for events, SEP-3415).
// prettier-ignore
{
  row(Place.Message, 'error', Place.Error);
  row(Place.Message, 'params', Place.Params);
  row(Place.Message, 'method', Place.Method);
  row(Place.Message, 'id', Place.Id);
  row(Place.Message, 'result', Place.Result);
  row(Place.Result, 'capabilities', Place.Capabilities);
  row(Place.Result, 'tools', Place.Tools);
  row(Place.Result, 'prompts', Place.Prompts);
  row(Place.Result, 'resources', Place.Resources);
  row(Place.Result, 'resourceTemplates', Place.Templates);
  row(Place.Result, 'requestState', Place.RequestState);
  row(Place.Result, 'taskId', Place.TaskId);
  row(Place.Result, 'result', Place.TaskResult);
  row(Place.Result, 'error', Place.Error);
  row(Place.Result, 'events', Place.Occurrence);
  row(Place.Result, '_meta', Place.Meta);
  row(Place.Result, 'messages', Place.PromptMessage);
  row(Place.Result, 'contents', Place.ResourceContents);
  row(Place.Result, 'content', Place.Content);
  row(Place.Result, 'structuredContent', Place.Structure);
  row(Place.TaskResult, '_meta', Place.Meta);
  row(Place.TaskResult, 'content', Place.Content);
  row(Place.Params, 'taskId', Place.TaskId);
  row(Place.Params, 'result', Place.TaskResult);
  row(Place.Params, 'error', Place.Error);
  row(Place.Params, 'notifications', Place.Listened);
  row(Place.Params, 'name', Place.EventName);
  row(Place.Params, '_meta', Place.RequestMeta);
  row(Place.Params, 'messages', Place.PromptMessage);
  row(Place.Params, 'requestId', Place.ServersId);
  row(Place.Params, 'progressToken', Place.ClientsToken);
  row(Place.Params, 'uri', Place.Uri);
  row(Place.Occurrence, 'name', Place.EventName);
  row(Place.Listened, 'taskIds', Place.TaskIds);
  row(Place.Listened, 'resourceSubscriptions', Place.Uris);
  row(Place.RequestMeta, 'progressToken', Place.ServersId);
  row(Place.RequestMeta, 'io.modelcontextprotocol/related-task', Place.RelatedTask);
  row(Place.Meta, 'io.modelcontextprotocol/related-task', Place.RelatedTask);
  row(Place.RelatedTask, 'taskId', Place.TaskId);
  row(Place.Error, 'data', Place.ErrorData);
  row(Place.Error, 'code', Place.ErrorCode);
  row(Place.ErrorData, 'uri', Place.Uri);
  row(Place.PromptMessage, 'content', Place.Content);
  row(Place.Content, '_meta', Place.Meta);
  row(Place.Content, 'content', Place.Content);
  row(Place.Content, 'resource', Place.ResourceContents);
  row(Place.Content, 'uri', Place.Uri);
  row(Place.ResourceContents, '_meta', Place.Meta);
  row(Place.ResourceContents, 'uri', Place.Uri);
  row(Place.Meta, 'ui/resourceUri', Place.Uri);
  row(Place.Meta, 'ui', Place.Ui);
  row(Place.Ui, 'resourceUri', Place.Uri);
}

/** The members of an object in this place that matter, as a list. */
export function membersOf(object: Place): MemberRow | null {
  return changetype<MemberRow | null>(load<usize>(rows + ((object as usize) << 2)));
}

/** The members of an object in this place that matter, as `Scanner.sought`. */
export function soughtIn(object: Place): u64 {
  return load<u64>(bits + ((object as usize) << 3));
}

/** Whether it is looked into. */
export function isContainer(place: Place): bool {
  return place >= Place.Message && place <= Place.Uris;
}
