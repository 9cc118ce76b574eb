// An MCP server, and a REST service, that do as little as one can, so that they are not what is measured. A process of its
// own.
import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { message, Messages } from './http1.ts';
import { restPath, withoutSessions } from './requests.ts';

const TYPE = { 'content-type': 'application/json' };
const usualTools = 100;
/** Lists by the number of their tools. */
const lists = new Map<number, string>();
const RESULTS: [method: string, result: string][] = [
  ['tools/call', '{"content":[{"type":"text","text":"done"}]}'],
  [
    'initialize',
    '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}',
  ],
];

/** As long as the response to `tools/call`. */
const RECORD = JSON.stringify({ text: 'done', number: 17, note: 'plain words, as it is said' });

/** What `tools/list` is answered with. @param head whose path `/tools-10` asks for so many; 100 unless it does */
function listFor(head: string): string {
  const count = Number(/^POST \/tools-(\d+) /.exec(head)?.[1] ?? usualTools);
  const list = lists.get(count) ?? JSON.stringify({ tools: Array.from({ length: count }, (_, index) => tool(index)) });
  lists.set(count, list);
  return list;
}

/** About 330 bytes, as tools are. */
function tool(index: number): object {
  return {
    name: `get_record_${index}`,
    description: 'Returns one record of the archive by its number, with everything that is known about it.',
    inputSchema: {
      type: 'object',
      properties: { number: { type: 'integer', description: 'Of the record' }, full: { type: 'boolean' } },
      required: ['number'],
    },
    annotations: { title: `Record ${index}`, readOnlyHint: true },
  };
}

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  const messages = new Messages((head, body) => {
    if (head.startsWith(`POST ${restPath} `)) {
      socket.write(message('HTTP/1.1 200 OK', TYPE, RECORD));
      return;
    }
    const text = body.toString('latin1', 0, 4096); // all that is asked of it stands first
    const method = /"method":"([^"]*)"/.exec(text)?.[1];
    const id = /"id":("[^"]*"|\d+)/.exec(text)?.[1];
    const result = method === 'tools/list' ? listFor(head) : RESULTS.find(([name]) => name === method)?.[1];
    const accepted = id === undefined || result === undefined;
    const keepsSession = !head.startsWith(`POST ${withoutSessions} `);
    const headers = method === 'initialize' && keepsSession ? { ...TYPE, 'mcp-session-id': randomUUID() } : TYPE;
    socket.write(
      accepted
        ? message('HTTP/1.1 202 Accepted', {}, '')
        : message('HTTP/1.1 200 OK', headers, `{"jsonrpc":"2.0","id":${id},"result":${result}}`),
    );
  });
  socket.on('data', (chunk: Buffer) => {
    messages.add(chunk);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());
