import { Span, literal, NONE } from '../bytes/span';
import { Reason } from './errors';
import * as header from './headers';

/** What servers list, and clients ask for by name. */
export const enum Noun {
  None,
  Tools,
  Prompts,
}

export const FIRST_NOUN: i32 = Noun.Tools;
export const LAST_NOUN: i32 = Noun.Prompts;
/** How many indices there are, `None` included. */
export const NOUNS: i32 = LAST_NOUN + 1;

/** All that differs between nouns: whatever handles one takes its row. */
@unmanaged
export class NounRow {
  noun: Noun;
  /** The name of its capability, of the list in a result, and of its rules in the configuration. */
  plural: Span;
  /** One of them, for a log. */
  singular: Span;
  /** The member of an item that names it. */
  key: Span;
  /** Its bit among the capabilities that a session remembers of each server. */
  capability: u32;
  /** What a name is refused with that does not exist for the caller. */
  unknown: Reason;
  /** The header in which later filters are told the name, and the attribute of the access log. */
  header: Span;
  attribute: Span;
}

const rows = memory.data(4 * NOUNS);

function row(noun: Noun, plural: string, singular: string, unknown: Reason, header: Span, attribute: string): void {
  const at = changetype<NounRow>(heap.alloc(offsetof<NounRow>()));
  at.noun = noun;
  at.plural = literal(plural);
  at.singular = literal(singular);
  at.key = literal('name');
  at.capability = 1 << (noun - FIRST_NOUN);
  at.unknown = unknown;
  at.header = header;
  at.attribute = literal(attribute);
  store<usize>(rows + ((noun as usize) << 2), changetype<usize>(at));
}

// prettier-ignore
{
  row(Noun.None, '', '', Reason.MethodNotFound, NONE, '');
  row(Noun.Tools, 'tools', 'tool', Reason.UnknownTool, header.TOOL_NAME, 'mcp_tool');
  row(Noun.Prompts, 'prompts', 'prompt', Reason.UnknownPrompt, header.PROMPT_NAME, 'mcp_prompt');
}

export function nounRow(noun: Noun): NounRow {
  return changetype<NounRow>(load<usize>(rows + ((noun as usize) << 2)));
}
