import { Span, literal, NONE } from '../bytes/span';

/** What a server may offer (MCP lifecycle, ServerCapabilities), a bit each; a session remembers them of each server. */
export const enum Capability {
  None = 0,
  Tools = 1,
  Prompts = 2,
  Resources = 4,
  Completions = 8,
  Logging = 16,
  /** A member of that of resources. */
  Subscribe = 32,
  /** The extension for tasks (SEP-2663), in the era without sessions: a member of `extensions`. */
  Tasks = 64,
  /** The extension for events (SEP-3415), in the same place. */
  Events = 128,
}

/** How many there are that are members of `capabilities` themselves, lowest bit first. */
export const CAPABILITY_COUNT: i32 = 5;

const names = memory.data(8 * CAPABILITY_COUNT);

function name(capability: Capability, text: string): void {
  store<Span>(names + ((ctz(capability as u32) as usize) << 3), literal(text));
}

name(Capability.Tools, 'tools');
name(Capability.Prompts, 'prompts');
name(Capability.Resources, 'resources');
name(Capability.Completions, 'completions');
name(Capability.Logging, 'logging');

/** Those that have a list, which may change. */
export const LISTED: u32 = Capability.Tools | Capability.Prompts | Capability.Resources;

/** `subscribe`, a member of `resources`: `true` where a client may subscribe. */
export const SUBSCRIBE = literal('subscribe');

/** The name of what has extensions, and those of the ones that are served here, as bits of Capability. */
export const EXTENSIONS = literal('extensions');
export const TASKS_EXTENSION = literal('io.modelcontextprotocol/tasks');
export const EVENTS_EXTENSION = literal('io.modelcontextprotocol/events');
export const KNOWN_EXTENSIONS: u32 = Capability.Tasks | Capability.Events;

/** @param extension a bit of `KNOWN_EXTENSIONS` */
export function extensionName(extension: u32): Span {
  return extension === Capability.Tasks ? TASKS_EXTENSION : EVENTS_EXTENSION;
}

/** The name of one of `CAPABILITY_COUNT`. @param index of its bit */
export function capabilityName(index: i32): Span {
  return load<Span>(names + ((index as usize) << 3));
}

/** The same by its bit; NONE for None. */
export function capabilityText(capability: Capability): Span {
  return capability === Capability.None ? NONE : capabilityName(ctz(capability as u32) as i32);
}
