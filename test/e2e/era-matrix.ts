// What comes across between clients and servers of the two eras: the table of docs/compatibility.md, which
// test/e2e/era-matrix.test.ts runs cell by cell, and holds the page to.

/** Who meets, in the order of the columns. */
export const meetings = [
  { client: 'session', server: 'session' },
  { client: 'session', server: '2026-07-28' },
  { client: '2026-07-28', server: 'session' },
  { client: '2026-07-28', server: '2026-07-28' },
] as const;

export type Meeting = (typeof meetings)[number];

/** What a client asks for, and what comes of it in each column, as the page says it. */
export const matrix = {
  'lists of tools, prompts, resources, resource templates': ['yes', 'yes', 'yes', 'yes'],
  '`tools/call`, `prompts/get`': ['yes', 'yes, up to `limits.heldBody`', 'yes, up to `limits.heldBody`', 'yes'],
  '`resources/read`': ['yes', 'yes', 'yes', 'yes'],
  '`completion/complete`': ['yes', 'yes', 'yes', 'yes'],
  'progress of a call': ['yes', 'yes', 'yes', 'yes'],
  'an argument that a header repeats (`x-mcp-header`)': ['no header', 'yes, up to 4,096 bytes', 'no header', 'yes'],
  'elicitation during a call': ['yes', 'yes, once for each call', 'no: the server is told of none', 'yes'],
  'sampling and roots during a call': ['yes', 'yes, once for each call', 'no: the server is told of none', 'yes'],
  tasks: ['no', 'yes: the gateway asks for them, the client sees a call', 'no', 'yes'],
  '[events](#events): list, poll, stream, subscribe': ['no', 'no', 'no', 'yes'],
  'changes of one of several servers': [
    'in the streams of calls',
    'no: `method_not_found`',
    'nothing is acknowledged',
    'nothing is acknowledged',
  ],
  'the client cancels a call': ['the server is told', 'cancelled', 'the server is told', 'cancelled'],
  'the client goes away during a call': ['the call goes on, as in MCP', 'cancelled', 'the server is told', 'cancelled'],
  'a session that the server has lost': ['renewed, unseen', 'has none', 'renewed, unseen', 'has none'],
} as const satisfies Record<string, readonly [string, string, string, string]>;

export type Row = keyof typeof matrix;
