import { Span, equals, literal } from '../bytes/span';

/** The two tools of the gateway's own that stand in the place of a long list. */
export const SEARCH_TOOLS = literal('search_tools');
export const CALL_TOOL = literal('call_tool');

/** Both, as elements of a list. A call may do whatever the tool that is called does. */
export const SEARCH_DEFINITIONS = literal(
  '{"name":"search_tools","title":"Search tools","description":"Finds tools by words in their names, titles, descriptions ' +
    'and arguments. Most tools are not in the list: search for what you need, then call what you found with call_tool.",' +
    '"inputSchema":{"type":"object","properties":{"query":{"type":"string","description":"Words that say what the tool ' +
    'should do, or its name"},"limit":{"type":"integer","minimum":1,"description":"How many tools to return at most"}},' +
    '"required":["query"]},"annotations":{"readOnlyHint":true,"openWorldHint":false}},' +
    '{"name":"call_tool","title":"Call a tool","description":"Calls a tool that search_tools found.","inputSchema":{"type":' +
    '"object","properties":{"name":{"type":"string","description":"Its name, as search_tools gave it"},"arguments":{"type":' +
    '"object","description":"Its arguments, as its inputSchema says"}},"required":["name"]},"annotations":{"readOnlyHint":' +
    'false,"destructiveHint":true}}',
);

/** Whether a name is one of theirs. */
export function isSearchTool(name: Span): bool {
  return equals(name, SEARCH_TOOLS) || equals(name, CALL_TOOL);
}
