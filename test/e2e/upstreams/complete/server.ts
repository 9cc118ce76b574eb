// A real MCP server of the sessions era that has all of it, made with version 2 of the MCP TypeScript SDK: every noun, every
// kind of content, requests and notifications to its client, streams that can be resumed. The names are those of the official
// conformance suite, so that it can be pointed at this server.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  NodeStreamableHTTPServerTransport,
  localhostHostValidation,
  localhostOriginValidation,
} from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { EventMemory } from './event-memory.ts';
import { registerPrompts } from './prompts.ts';
import { registerResources } from './resources.ts';
import { registerTools } from './tools.ts';

export interface CompleteServer {
  readonly name: string;
  readonly url: string;
  /** Ids of the sessions that are open. */
  readonly sessions: ReadonlySet<string>;
  /** What its clients made happen, in order: `subscribed to test://watched-resource` */
  readonly told: readonly string[];
  /** Loses all sessions, as with a restart. */
  forget(): void;
  stop(): Promise<void>;
}

export async function startCompleteServer(name: string): Promise<CompleteServer> {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  const told: string[] = [];
  const open = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new EventMemory(),
      retryInterval: 100,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await mcpServer(name, (what) => told.push(what)).connect(transport);
    return transport;
  };
  const hostIsOurs = localhostHostValidation();
  const originIsOurs = localhostOriginValidation();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!hostIsOurs(request, response) || !originIsOurs(request, response)) return;
    const id = request.headers['mcp-session-id'];
    const transport = id === undefined ? await open() : sessions.get(String(id));
    if (transport === undefined) response.writeHead(404).end();
    else await transport.handleRequest(request, response);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    told,
    get sessions() {
      return new Set(sessions.keys());
    },
    forget: () => {
      sessions.clear();
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function mcpServer(name: string, told: (what: string) => void): McpServer {
  const capabilities = { tools: {}, prompts: {}, resources: {}, completions: {}, logging: {} };
  const mcp = new McpServer({ name, version: '1.0.0' }, { capabilities });
  registerTools(mcp, name, told);
  registerPrompts(mcp, name);
  registerResources(mcp, name, told);
  mcp.server.setRequestHandler('logging/setLevel', ({ params }) => {
    told(`log level ${params.level}`);
    return {};
  });
  mcp.server.setNotificationHandler('notifications/roots/list_changed', () => {
    told('roots changed');
  });
  return mcp;
}
