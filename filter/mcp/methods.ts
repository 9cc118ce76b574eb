import { Span, equals, literal, NONE } from '../bytes/span';
import { Capability } from './capabilities';
import { Era } from './eras';
import { Noun, nounRow, NOUNS } from './nouns';
import { Shape } from './shape';

/** What a client can ask for. */
export const enum Method {
  Unknown,
  Initialize,
  Ping,
  ToolsList,
  ToolsCall,
  PromptsList,
  PromptsGet,
  ResourcesList,
  TemplatesList,
  ResourcesRead,
  ResourcesSubscribe,
  ResourcesUnsubscribe,
  Complete,
  SetLevel,
  Cancelled,
  Progress,
  RootsListChanged,
  Discover,
  Listen,
  TasksGet,
  TasksUpdate,
  TasksCancel,
  EventsList,
  EventsPoll,
  EventsStream,
  EventsSubscribe,
  EventsUnsubscribe,
}

export const LAST_METHOD: i32 = Method.EventsUnsubscribe;

/** How a method is served; flow/by-kind.ts has a branch for each that requests are of, and none for a method. */
export const enum MethodKind {
  /** Not here. */
  None,
  /** It opens a session with all servers. */
  Open,
  /** What a session would be opened with is told without one. */
  Discover,
  /** A stream of what changes, from the one server that there is. */
  Listen,
  /** It is answered here. */
  Local,
  /** All servers are asked, and their lists become one. */
  List,
  /** The server is asked whose prefix the name begins with. */
  Named,
  /** The server is asked that the URI belongs to. */
  Uri,
  /** The server is asked that has what `params.ref` names: a prompt, or a resource template. */
  Ref,
  /** The server is asked that has the task. */
  Task,
  /** All servers are asked that offer it, and their answers become one. */
  Broadcast,
  /** A notification for the servers of the session that may have the request which it is about. */
  Cancel,
  /** A notification for the server that has asked for what it is about. */
  Progress,
  /** A notification for every server that was told of roots. */
  RootsChanged,
}

/** All that differs between methods: whatever handles one takes its row. */
@unmanaged
export class MethodRow {
  text: Span;
  kind: MethodKind;
  shape: Shape;
  /** Bits of Era: those in which it is served. */
  eras: u32;
  /** What it is about. */
  noun: Noun;
  /** What a server must offer to be asked; None: nothing. */
  capability: Capability;

  isServedIn(era: Era): bool {
    return (this.eras & era) !== 0;
  }

  /** Its params name a tool, a prompt or a resource, and that is of one server. */
  get namesItsServer(): bool {
    return this.kind === MethodKind.Named || this.kind === MethodKind.Uri || this.kind === MethodKind.Ref;
  }

  /** In the era without sessions, a header repeats what it asks for (MCP 2026-07-28, `Mcp-Name`). */
  get hasNameHeader(): bool {
    return this.kind === MethodKind.Named || this.kind === MethodKind.Uri || this.kind === MethodKind.Task;
  }

  /** That header may not be absent. SEP-3415 leaves open whether requests for events have it. */
  get needsNameHeader(): bool {
    return this.hasNameHeader && this.noun !== Noun.Events;
  }
}

const BOTH: u32 = Era.Sessions | Era.Stateless;

const rows = memory.data(4 * (LAST_METHOD + 1));
/** By noun. */
const lists = memory.data(4 * NOUNS);

function row(
  method: Method,
  text: string,
  kind: MethodKind,
  shape: Shape,
  eras: u32,
  noun: Noun = Noun.None,
  capability: Capability = nounRow(noun).capability,
): void {
  const at = changetype<MethodRow>(heap.alloc(offsetof<MethodRow>()));
  at.text = method === Method.Unknown ? NONE : literal(text);
  at.kind = kind;
  at.shape = shape;
  at.eras = eras;
  at.noun = noun;
  at.capability = capability;
  store<usize>(rows + ((method as usize) << 2), changetype<usize>(at));
  if (kind === MethodKind.List) store<u32>(lists + ((noun as usize) << 2), method);
}

// prettier-ignore
{
  row(Method.Unknown, '', MethodKind.None, Shape.Request, 0);
  row(Method.Initialize, 'initialize', MethodKind.Open, Shape.Request, Era.Sessions);
  row(Method.Ping, 'ping', MethodKind.Local, Shape.Request, Era.Sessions);
  row(Method.ToolsList, 'tools/list', MethodKind.List, Shape.Request, BOTH, Noun.Tools);
  row(Method.ToolsCall, 'tools/call', MethodKind.Named, Shape.Request, BOTH, Noun.Tools);
  row(Method.PromptsList, 'prompts/list', MethodKind.List, Shape.Request, BOTH, Noun.Prompts);
  row(Method.PromptsGet, 'prompts/get', MethodKind.Named, Shape.Request, BOTH, Noun.Prompts);
  row(Method.ResourcesList, 'resources/list', MethodKind.List, Shape.Request, BOTH, Noun.Resources);
  row(Method.TemplatesList, 'resources/templates/list', MethodKind.List, Shape.Request, BOTH, Noun.Templates);
  row(Method.ResourcesRead, 'resources/read', MethodKind.Uri, Shape.Request, BOTH, Noun.Resources);
  row(Method.ResourcesSubscribe, 'resources/subscribe', MethodKind.Uri, Shape.Request, Era.Sessions, Noun.Resources, Capability.Subscribe);
  row(Method.ResourcesUnsubscribe, 'resources/unsubscribe', MethodKind.Uri, Shape.Request, Era.Sessions, Noun.Resources, Capability.Subscribe);
  // What it is about is in its `params.ref`.
  row(Method.Complete, 'completion/complete', MethodKind.Ref, Shape.Request, BOTH, Noun.None, Capability.Completions);
  row(Method.SetLevel, 'logging/setLevel', MethodKind.Broadcast, Shape.Request, Era.Sessions, Noun.None, Capability.Logging);
  row(Method.Cancelled, 'notifications/cancelled', MethodKind.Cancel, Shape.Notification, Era.Sessions);
  row(Method.Progress, 'notifications/progress', MethodKind.Progress, Shape.Notification, Era.Sessions);
  row(Method.RootsListChanged, 'notifications/roots/list_changed', MethodKind.RootsChanged, Shape.Notification, Era.Sessions);
  row(Method.Discover, 'server/discover', MethodKind.Discover, Shape.Request, Era.Stateless);
  row(Method.Listen, 'subscriptions/listen', MethodKind.Listen, Shape.Request, Era.Stateless);
  // Of the extension for tasks, SEP-2663.
  row(Method.TasksGet, 'tasks/get', MethodKind.Task, Shape.Request, Era.Stateless, Noun.None, Capability.Tasks);
  row(Method.TasksUpdate, 'tasks/update', MethodKind.Task, Shape.Request, Era.Stateless, Noun.None, Capability.Tasks);
  row(Method.TasksCancel, 'tasks/cancel', MethodKind.Task, Shape.Request, Era.Stateless, Noun.None, Capability.Tasks);
  // Of the extension for events, SEP-3415.
  row(Method.EventsList, 'events/list', MethodKind.List, Shape.Request, Era.Stateless, Noun.Events);
  row(Method.EventsPoll, 'events/poll', MethodKind.Named, Shape.Request, Era.Stateless, Noun.Events);
  row(Method.EventsStream, 'events/stream', MethodKind.Named, Shape.Request, Era.Stateless, Noun.Events);
  row(Method.EventsSubscribe, 'events/subscribe', MethodKind.Named, Shape.Request, Era.Stateless, Noun.Events);
  row(Method.EventsUnsubscribe, 'events/unsubscribe', MethodKind.Named, Shape.Request, Era.Stateless, Noun.Events);
}

export function methodRow(method: Method): MethodRow {
  return changetype<MethodRow>(load<usize>(rows + ((method as usize) << 2)));
}

export function methodText(method: Method): Span {
  return methodRow(method).text;
}

export function methodOf(text: Span): Method {
  if (text === NONE) return Method.Unknown;
  for (let method: i32 = LAST_METHOD; method > Method.Unknown; method--) {
    if (equals(text, methodText(method))) return method;
  }
  return Method.Unknown;
}

/** The method that lists a noun. */
export function listMethod(noun: Noun): Method {
  return load<u32>(lists + ((noun as usize) << 2));
}
