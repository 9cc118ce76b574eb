import { message } from './http1.ts';

/** What an MCP client sends beside the message; the id that sluice seals is longer than most. */
export function post(body: string, headers: Readonly<Record<string, string>> = {}): string {
  return message(
    'POST /mcp HTTP/1.1',
    {
      host: 'localhost',
      'user-agent': 'bench/1',
      accept: 'application/json, text/event-stream',
      'accept-language': '*',
      'content-type': 'application/json',
      'mcp-protocol-version': '2025-06-18',
      ...headers,
    },
    body,
  ).toString();
}

/** A call of revision 2026-07-28 of about that many bytes. */
export function modernCallOf(name: string, size: number): string {
  const meta =
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
  const body = callOf(name, size - meta.length).replace('"arguments"', `${meta},"arguments"`);
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name };
  return post(body, { ...headers, 'x-user': 'ada' });
}

/** Where the upstream is a REST service. */
export const restPath = '/records';

/** Where the upstream is a server that keeps no sessions. */
export const withoutSessions = '/stateless';

export const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
export const INITIALIZE =
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}';
const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}';

/** Stands for the id of a session that is not known yet. */
export const SESSION = '{session}';

/** All that a client must say before it can call: `initialize`, and then that it is done. */
export const BEGINNING = [post(INITIALIZE), post(INITIALIZED, { 'mcp-session-id': SESSION })] as const;

/** A call of about that many bytes. */
export function callOf(name: string, size: number): string {
  const text = '{"number":17,"note":"plain words, an \\"escape\\" and a line\\n"},';
  const [open, close] = [
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":{"list":[`,
    '0]}}}',
  ];
  const count = Math.max(Math.floor((size - open.length - close.length) / text.length), 0);
  return open + text.repeat(count) + close;
}

/** Begins a session at a listener; its header. @param headers of the client, beside those of MCP */
export async function sessionAt(
  port: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: INITIALIZE,
  });
  const token = response.headers.get('mcp-session-id');
  if (token === null) throw new Error(`no session: ${response.status} ${await response.text()}`);
  return { 'mcp-session-id': token };
}
