// An MCP server whose answer to a call is what it was sent: its own name, and the digest of every byte of the body.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HashingServer {
  readonly url: string;
  /** Calls that came whole. */
  readonly calls: number;
  stop(): Promise<void>;
}

export async function startHashingServer(name: string): Promise<HashingServer> {
  let calls = 0;
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const hash = createHash('sha256');
    let text = '';
    for await (const chunk of request) {
      hash.update(chunk as Buffer);
      if (text.length < 512) text += (chunk as Buffer).toString('latin1');
    }
    const id = /"id":("[^"]*"|\d+)/.exec(text)?.[1];
    if (id === undefined) {
      response.writeHead(request.method === 'DELETE' ? 200 : 202).end();
      return;
    }
    const head = {
      'content-type': 'application/json',
      ...(text.includes('"initialize"') && { 'mcp-session-id': name }),
    };
    let result: object = { tools: [{ name: 'hash', inputSchema: { type: 'object' } }] };
    if (text.includes('"initialize"'))
      result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name, version: '1' } };
    if (text.includes('"tools/call"')) {
      calls++;
      result = { content: [], server: name, session: request.headers['mcp-session-id'], sha256: hash.digest('hex') };
    }
    response.writeHead(200, head).end(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`);
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    respond(request, response).catch(() => response.destroy()); // cut off
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    get calls() {
      return calls;
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
