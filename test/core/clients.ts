// What MCP clients do with the errors of the gateway: each was run, with its defaults, against a server that answered a
// call of a tool with every status, and its users' view was written down. docs/errors.md shows this table; run
// `npx tsx test/core/update-clients.ts` to write it there anew.

/** What the caller of a tool gets to see of the error's message. */
const SEEN = { M: 'shown', m: 'in a text', '-': 'hidden', x: 'hidden, session over', '?': 'not tried' } as const;
type Seen = keyof typeof SEEN;

/** The statuses of the table that an answer with the id of its request can have. */
const STATUSES = [200, 400, 401, 403, 500, 508] as const;

interface Client {
  readonly name: string;
  readonly version: string;
  /** By status, in the order of STATUSES: an error with the id of the call. */
  readonly seen: string;
  /** On `session_unknown`: 404 without an id. */
  readonly sessionUnknown: string;
  /** On 405, the answer to the GET by which it asks for a stream. */
  readonly notAllowed: string;
}

const AGAIN = 'begins a new session by itself';
const SAME = 'no new session: every later call ends the same';
const APART = 'not concerned: a session for each operation';

// prettier-ignore
const clients: readonly Client[] = [
  { name: 'TypeScript `@modelcontextprotocol/sdk`', version: '1.32.2', seen: 'Mmmmmm', sessionUnknown: SAME, notAllowed: 'goes on' },
  { name: 'TypeScript `@modelcontextprotocol/client`', version: '2.4.0', seen: 'Mmmmmm', sessionUnknown: SAME, notAllowed: 'goes on' },
  { name: '`@ai-sdk/mcp`', version: '2.0.99', seen: 'MMMMMM', sessionUnknown: 'tells its `onSessionExpired`; later calls have no session id', notAllowed: 'goes on, asks three times' },
  { name: '`mcp-remote`', version: '0.15.1', seen: 'Mm-mmm', sessionUnknown: AGAIN, notAllowed: 'goes on' },
  { name: 'MCP Inspector, `--cli`', version: '2.12.0', seen: 'mm-mmm', sessionUnknown: APART, notAllowed: 'not tried' },
  { name: 'Python `mcp`, `Client`', version: '2.3.0', seen: 'MMMMMM', sessionUnknown: SAME, notAllowed: 'goes on, asks twice' },
  { name: 'Python `mcp`, `ClientSession`', version: '1.30.0', seen: 'Mxxxxx', sessionUnknown: 'says "Session terminated"; no new session', notAllowed: 'goes on, asks twice' },
  { name: 'Python `fastmcp`', version: '4.2.3', seen: 'MMMMMM', sessionUnknown: SAME, notAllowed: 'goes on, asks twice' },
  { name: '`langchain-mcp-adapters`', version: '0.3.2', seen: 'M-----', sessionUnknown: APART, notAllowed: 'goes on, asks twice' },
  { name: 'Go `go-sdk`', version: '1.8.0', seen: 'Mmmm-m', sessionUnknown: 'returns `ErrSessionMissing`; the session is over', notAllowed: 'goes on' },
  { name: 'Go `mcp-go`', version: '1.2.1', seen: 'MM-MMM', sessionUnknown: 'says that it has to initialize again; later calls send nothing', notAllowed: 'does not ask' },
  { name: 'Rust `rmcp`', version: '3.11.0', seen: 'MMmmMM', sessionUnknown: AGAIN, notAllowed: 'goes on' },
  { name: 'Java `mcp`', version: '2.1.0', seen: 'M---mm', sessionUnknown: 'fails once, and begins a new session with the next call', notAllowed: 'goes on' },
];

/** What a row of the error table is, as far as it matters here. */
export interface Row {
  readonly reason: string;
  readonly status: number;
  readonly withholdsId: boolean;
}

const HEADINGS = ['client', 'version', ...STATUSES.map(String), '405 to GET', '404, `session_unknown`'];

function cellOf({ seen }: Client, index: number): string {
  return SEEN[(seen[index] ?? '?') as Seen];
}

/** The cells of the table of clients, headings first. */
export function clientCells(): string[][] {
  const lines = clients.map((client) => [
    ...[client.name, client.version],
    ...STATUSES.map((_, index) => cellOf(client, index)),
    ...[client.notAllowed, client.sessionUnknown],
  ]);
  return [HEADINGS, ...lines];
}

/** The column of the table of clients that tells what becomes of a row, or undefined where no client was asked. */
function columnOf({ reason, status, withholdsId }: Row): string | undefined {
  if (reason === 'status_not_configured') return 'none: no client of MCP asks for the status';
  if (withholdsId) return `${status}, \`${reason}\``;
  if (status === 405) return '405 to GET';
  return STATUSES.some((known) => known === status) ? String(status) : undefined;
}

/** The cells of the table of rows, headings first: which column of the other table is whose. */
export function rowCells(rows: readonly Row[]): string[][] {
  const reasons = new Map<string, Set<string>>();
  for (const row of rows) {
    const column = columnOf(row) ?? 'none: only clients of the stateless revision get it';
    reasons.set(column, (reasons.get(column) ?? new Set()).add(`\`${row.reason}\``));
  }
  const order = [...HEADINGS, ...reasons.keys()];
  const lines = [...reasons].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return [['column', 'rows'], ...lines.map(([column, names]) => [column, [...names].join(', ')])];
}

/** As Markdown. */
export function tableOf(cells: readonly (readonly string[])[]): string {
  const [headings = [], ...lines] = cells.map((line) => `| ${line.join(' | ')} |`);
  const rule = `| ${(cells[0] ?? []).map(() => '---').join(' | ')} |`;
  return [headings, rule, ...lines].join('\n');
}
