// A real MCP server, made with the MCP TypeScript SDK: Streamable HTTP, a session for each client.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { completable } from '@modelcontextprotocol/sdk/server/completable.js';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { type EventStore, StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';
import {
  CallToolRequestSchema,
  type ContentBlock,
  type JSONRPCMessage,
  ListToolsRequestSchema,
  type ReadResourceResult,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

export interface SdkServerOptions {
  readonly name: string;
  /** Answers in plain JSON; else in event streams. */
  readonly json?: boolean;
  readonly instructions?: string;
  /** Names of its tools, a list for each page of `tools/list`. Each returns its arguments. */
  readonly pages?: readonly (readonly string[])[];
  /** Names of its prompts. Each says which one it is, and for whom; for whom can be completed. */
  readonly prompts?: readonly string[];
  /** What every tool and every prompt returns, behind a text. */
  readonly content?: readonly ContentBlock[];
  /** It keeps its events, so that each has an id. */
  readonly resumable?: boolean;
  /** URIs of its resources. Each says which one it is. Clients may subscribe to all. */
  readonly resources?: readonly string[];
  /** Templates with one variable, `id`, which can be completed; what they expand to says which one it is. */
  readonly templates?: readonly string[];
  readonly port?: number;
  /** Makes the server of a session, in the place of the usual one. */
  readonly server?: () => McpServer;
}

export interface SdkServer {
  readonly url: string;
  readonly port: number;
  /** Ids of the sessions that are open. */
  readonly sessions: ReadonlySet<string>;
  /** URIs that clients are subscribed to. */
  readonly subscriptions: ReadonlySet<string>;
  /** The levels that clients have set, one after the other. */
  readonly levels: readonly string[];
  stop(): Promise<void>;
}

/** A tool that every server has: it reports progress `steps` times, `pause` ms apart, logs each one, then returns. */
const slowly = 'slowly';

export async function startSdkServer(options: SdkServerOptions): Promise<SdkServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const seen: Seen = { subscriptions: new Set(), levels: [] };
  const server = createServer((request, response) => {
    serve(request, response, sessions, options, seen).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    ...seen,
    get sessions() {
      return new Set(sessions.keys());
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What clients have asked for, in all sessions. */
interface Seen {
  readonly subscriptions: Set<string>;
  readonly levels: string[];
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  sessions: Map<string, StreamableHTTPServerTransport>,
  options: SdkServerOptions,
  seen: Seen,
): Promise<void> {
  const id = request.headers['mcp-session-id'];
  const known = sessions.get(String(id));
  if (known !== undefined) return known.handleRequest(request, response);
  if (id !== undefined) {
    response.writeHead(404).end();
    return;
  }
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: options.json ?? false,
    ...(options.resumable === true && { eventStore: eventStore() }),
    onsessioninitialized: (fresh) => void sessions.set(fresh, transport),
    onsessionclosed: (gone) => void sessions.delete(gone),
  });
  await (options.server?.() ?? mcpServer(options, seen)).connect(transport);
  await transport.handleRequest(request, response);
}

/** Events for as long as the session lives. */
function eventStore(): EventStore {
  const events: { streamId: string; message: JSONRPCMessage }[] = [];
  return {
    storeEvent: (streamId, message) => Promise.resolve(String(events.push({ streamId, message }))),
    replayEventsAfter: async (lastId, { send }) => {
      const after = Number(lastId);
      const streamId = events[after - 1]?.streamId ?? '';
      for (const [index, event] of events.entries()) {
        if (index >= after && event.streamId === streamId) await send(String(index + 1), event.message);
      }
      return streamId;
    },
  };
}

function mcpServer(options: SdkServerOptions, seen: Seen): McpServer {
  const { name, instructions, pages = [['echo']], prompts, resources = [], templates = [], content = [] } = options;
  const mcp = new McpServer(
    { name, version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        logging: {},
        ...(resources.length > 0 ? { resources: { subscribe: true, listChanged: true } } : {}),
      },
      ...(instructions === undefined ? {} : { instructions }),
    },
  );
  const { server } = mcp; // its own lists have one page only
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const index = params?.cursor === undefined ? 0 : Number(params.cursor.replace(/^page /, ''));
    const names = [...(pages[index] ?? []), ...(index === pages.length - 1 ? [slowly] : [])];
    return {
      tools: names.map((tool) => ({ name: tool, description: `${tool} of ${name}`, inputSchema: { type: 'object' } })),
      ...(index + 1 < pages.length ? { nextCursor: `page ${index + 1}` } : {}),
    };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    if (params.name === slowly) {
      const { steps = 4, pause = 150 } = params.arguments as { steps?: number; pause?: number };
      const progressToken = params._meta?.progressToken;
      for (let progress = 1; progress <= steps; progress++) {
        if (progressToken !== undefined) {
          await extra.sendNotification({
            method: 'notifications/progress',
            params: { progressToken, progress, total: steps },
          });
        }
        await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data: progress } });
        await sleep(pause);
      }
    }
    const said = { server: name, tool: params.name, arguments: params.arguments ?? {} };
    return { content: [{ type: 'text', text: JSON.stringify(said) }, ...content] };
  });
  for (const prompt of prompts ?? []) {
    const whom = completable(z.string(), (begun) => [`${begun} of ${prompt} of ${name}`]);
    mcp.registerPrompt(prompt, { argsSchema: { whom } }, ({ whom }) => ({
      messages: [{ type: 'text' as const, text: `${prompt} of ${name} for ${whom}` }, ...content].map((content) => ({
        role: 'user' as const,
        content,
      })),
    }));
  }
  const read = (uri: URL): ReadResourceResult => ({ contents: [{ uri: uri.href, text: `${uri.href} of ${name}` }] });
  for (const uri of resources) mcp.registerResource(uri, uri, {}, read);
  for (const template of templates) {
    const complete = { id: (begun: string): string[] => [`${begun} of ${template} of ${name}`] };
    mcp.registerResource(template, new ResourceTemplate(template, { list: undefined, complete }), {}, read);
  }
  if (resources.length > 0) {
    server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
      seen.subscriptions.add(params.uri);
      return {};
    });
    server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
      seen.subscriptions.delete(params.uri);
      return {};
    });
  }
  server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
    seen.levels.push(params.level);
    return {};
  });
  return mcp;
}
