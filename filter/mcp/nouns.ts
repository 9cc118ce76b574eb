import { Span, literal, NONE } from '../bytes/span';
import { Capability, capabilityText } from './capabilities';
import { Reason } from './errors';
import * as header from './headers';

/** What servers list, and clients ask for by name, or by URI. */
export const enum Noun {
  None,
  Tools,
  Prompts,
  Resources,
  /** Templates of resources: each stands for many. */
  Templates,
  /** Types of events, of the extension for them (SEP-3415): what a client can subscribe to. */
  Events,
}

export const FIRST_NOUN: i32 = Noun.Tools;
export const LAST_NOUN: i32 = Noun.Events;
/** How many indices there are, `None` included. */
export const NOUNS: i32 = LAST_NOUN + 1;

/** All that differs between nouns: whatever handles one takes its row. */
@unmanaged
export class NounRow {
  noun: Noun;
  /** The noun whose rules hold for it: its own, but for templates, which are ruled as the resources that they stand for. */
  ruledBy: Noun;
  capability: Capability;
  /** The name of its list, and of its rules in the configuration; that of its capability, unless this is an extension. */
  plural: Span;
  /** One of them, for a log. */
  singular: Span;
  /** The member of a result that holds its list. */
  items: Span;
  /** The member of an item that names it. */
  key: Span;
  /** It is named by a URI, or a template of some: not by a prefix, but by its server's mark, see resource-uri.ts. */
  isUri: bool;
  /** Bytes of a name: it goes into a header, which has to fit. */
  longest: i32;
  /** What a name is refused with that does not exist for the caller. */
  unknown: Reason;
  /** The header in which later filters are told the name, and the attribute of the access log. */
  header: Span;
  attribute: Span;
}

/** MCP says 128 characters for tools. */
const NAME_BYTES = 1024;
const URI_BYTES = 4096;

/** An extension is named by a URI, and what it lists by a word. */
const EVENTS = literal('events');

const rows = memory.data(4 * NOUNS);

function row(
  noun: Noun,
  capability: Capability,
  singular: string,
  unknown: Reason,
  header: Span,
  attribute: string,
): NounRow {
  const at = changetype<NounRow>(heap.alloc(offsetof<NounRow>()));
  at.noun = noun;
  at.ruledBy = noun;
  at.capability = capability;
  at.plural = capability === Capability.Events ? EVENTS : capabilityText(capability);
  at.singular = literal(singular);
  at.items = at.plural;
  at.key = literal('name');
  at.isUri = false;
  at.longest = NAME_BYTES;
  at.unknown = unknown;
  at.header = header;
  at.attribute = literal(attribute);
  store<usize>(rows + ((noun as usize) << 2), changetype<usize>(at));
  return at;
}

/** @param key the member of an item that names it */
function uriRow(noun: Noun, singular: string, key: string): NounRow {
  const at = row(noun, Capability.Resources, singular, Reason.UnknownResource, header.RESOURCE_URI, 'mcp_resource');
  at.isUri = true;
  at.key = literal(key);
  at.longest = URI_BYTES;
  return at;
}

// prettier-ignore
{
  row(Noun.None, Capability.None, '', Reason.MethodNotFound, NONE, '');
  row(Noun.Tools, Capability.Tools, 'tool', Reason.UnknownTool, header.TOOL_NAME, 'mcp_tool');
  row(Noun.Prompts, Capability.Prompts, 'prompt', Reason.UnknownPrompt, header.PROMPT_NAME, 'mcp_prompt');
  uriRow(Noun.Resources, 'resource', 'uri');
  const templates = uriRow(Noun.Templates, 'resource template', 'uriTemplate');
  templates.items = literal('resourceTemplates');
  templates.ruledBy = Noun.Resources;
  row(Noun.Events, Capability.Events, 'event', Reason.UnknownEvent, header.EVENT_NAME, 'mcp_event');
}

export function nounRow(noun: Noun): NounRow {
  return changetype<NounRow>(load<usize>(rows + ((noun as usize) << 2)));
}
