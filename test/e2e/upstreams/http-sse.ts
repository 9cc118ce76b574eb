// A real MCP server over HTTP+SSE (2024-11-05), made with the MCP TypeScript SDK: an SSEServerTransport for each stream.
/* eslint-disable @typescript-eslint/no-deprecated -- the old transport is what it speaks */
import { once } from 'node:events';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import {
  CreateMessageResultSchema,
  EmptyResultSchema,
  ListRootsResultSchema,
  RootsListChangedNotificationSchema,
  type ServerNotification,
  type ServerRequest,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { z } from 'zod';

export interface HttpSseServer {
  /** Of the event stream. */
  readonly url: string;
  readonly port: number;
  /** Streams that are open. */
  readonly streams: ReadonlyMap<string, SSEServerTransport>;
  /** Messages that came in POSTs, as they were written, and their paths. */
  readonly messages: readonly { readonly path: string; readonly body: string }[];
  /** How often a client said that its roots have changed. */
  readonly rootsChanges: number;
  /** Calls that were cancelled. */
  readonly cancelled: number;
  /** URIs that clients are subscribed to. */
  readonly subscriptions: ReadonlySet<string>;
  stop(): Promise<void>;
}

export interface HttpSseOptions {
  readonly name: string;
  /** Names of tools that return their arguments, beside `ask`, `progress`, `roots`, `change`, `update` and `wait`. */
  readonly tools?: readonly string[];
  /** What the server says where messages go to; `/messages` unless said otherwise. */
  readonly messagesAt?: string;
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

export async function startHttpSseServer({
  name,
  tools = ['echo', 'secret'],
  messagesAt = '/messages',
}: HttpSseOptions): Promise<HttpSseServer> {
  const streams = new Map<string, SSEServerTransport>();
  const messages: { path: string; body: string }[] = [];
  const subscriptions = new Set<string>();
  let rootsChanges = 0;
  let cancelled = 0;
  const text = (said: unknown): { content: [{ type: 'text'; text: string }] } => ({
    content: [{ type: 'text', text: JSON.stringify({ server: name, said }) }],
  });

  const mcpServer = (): McpServer => {
    const mcp = new McpServer(
      { name, version: '1.0.0' },
      { capabilities: { tools: {}, logging: {}, resources: { subscribe: true } } },
    );
    mcp.server.setNotificationHandler(RootsListChangedNotificationSchema, () => {
      rootsChanges++;
    });
    for (const tool of tools) {
      mcp.registerTool(tool, { inputSchema: { say: z.string().optional() } }, ({ say }) => text(say ?? tool));
    }
    mcp.registerTool('ask', { inputSchema: { prompt: z.string() } }, async ({ prompt }, { sendRequest }: Extra) => {
      const message = { role: 'user' as const, content: { type: 'text' as const, text: prompt } };
      const request = { method: 'sampling/createMessage' as const, params: { messages: [message], maxTokens: 10 } };
      return text((await sendRequest(request, CreateMessageResultSchema)).content);
    });
    mcp.registerTool('roots', {}, async ({ sendRequest }: Extra) => {
      await sendRequest({ method: 'ping' }, EmptyResultSchema);
      return text((await sendRequest({ method: 'roots/list' }, ListRootsResultSchema)).roots);
    });
    mcp.registerTool('progress', {}, async ({ _meta, sendNotification }: Extra) => {
      const progressToken = _meta?.progressToken ?? 0;
      for (const progress of [1, 2]) {
        await sendNotification({ method: 'notifications/progress', params: { progressToken, progress } });
        // The SDK's client forgets who waits for progress with the response, and reads what comes in one piece at once.
        await sleep(100);
      }
      await mcp.server.sendLoggingMessage({ level: 'info', data: `from ${name}` });
      return text('done');
    });
    mcp.registerTool('change', {}, () => {
      mcp.sendToolListChanged();
      return text('changed');
    });
    mcp.registerTool('update', {}, async () => {
      for (const uri of subscriptions) await mcp.server.sendResourceUpdated({ uri });
      return text('updated');
    });
    mcp.registerTool('wait', {}, async ({ signal }: Extra) => {
      await once(signal, 'abort');
      cancelled++;
      return text('never read');
    });
    mcp.registerPrompt('greet', {}, () => ({
      messages: [{ role: 'user', content: { type: 'text', text: `greet of ${name}` } }],
    }));
    mcp.registerPrompt('hidden', {}, () => ({ messages: [] }));
    for (const uri of ['test://one', 'test://other', 'https://example.com/page']) {
      mcp.registerResource(uri, uri, {}, (read) => ({ contents: [{ uri: read.href, text: `${uri} of ${name}` }] }));
    }
    const complete = { id: (begun: string): string[] => [`${begun} of ${name}`] };
    mcp.registerResource(
      'each',
      new ResourceTemplate('test://each/{id}', { list: undefined, complete }),
      {},
      (read) => ({
        contents: [{ uri: read.href, text: `${read.href} of ${name}` }],
      }),
    );
    mcp.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
      subscriptions.add(params.uri);
      return {};
    });
    mcp.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
      subscriptions.delete(params.uri);
      return {};
    });
    return mcp;
  };

  const http = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    void (async () => {
      if (request.method === 'GET' && pathname === '/sse') {
        const transport = new SSEServerTransport(messagesAt, response);
        streams.set(transport.sessionId, transport);
        response.on('close', () => streams.delete(transport.sessionId));
        await mcpServer().connect(transport);
        return;
      }
      const transport = streams.get(searchParams.get('sessionId') ?? '');
      if (request.method !== 'POST' || transport === undefined) {
        response.writeHead(404).end('Session not found');
        return;
      }
      const body = await bodyOf(request);
      messages.push({ path: request.url ?? '', body });
      await transport.handlePostMessage(request, response, JSON.parse(body));
    })();
  });
  const port = await listen(http);
  return {
    url: `http://127.0.0.1:${port}/sse`,
    port,
    streams,
    messages,
    get rootsChanges() {
      return rootsChanges;
    },
    get cancelled() {
      return cancelled;
    },
    subscriptions,
    stop: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

async function listen(http: Server): Promise<number> {
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return (http.address() as AddressInfo).port;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
