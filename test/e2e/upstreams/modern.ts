// Real MCP servers of revision 2026-07-28, made with version 2 of the MCP TypeScript SDK as its documentation leads: each
// request by itself, without sessions. The names are those of the official conformance suite.
import { once } from 'node:events';
import { type IncomingHttpHeaders, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import {
  InMemoryServerEventBus,
  type McpHttpHandler,
  McpServer,
  type ServerContext,
  createMcpHandler,
} from '@modelcontextprotocol/server';
import { registerPrompts } from './complete/prompts.ts';
import { registerResources } from './complete/resources.ts';
import { registerTools } from './complete/tools.ts';
import { registerModernTools, stateCodec } from './complete/modern-tools.ts';

export interface ModernServer {
  readonly name: string;
  readonly url: string;
  /** What has come, in order: the method that its header says, and all headers. */
  readonly requests: readonly { readonly method: string; readonly headers: IncomingHttpHeaders }[];
  /** What its clients made happen, in order: `a call waits` */
  readonly told: readonly string[];
  /** Tells those who listen of a change. */
  readonly notify: McpHttpHandler['notify'];
  /** How many streams listen for changes. */
  listeners(): number;
  /** Ends what it serves as a server does before it goes. */
  close(): Promise<void>;
  /** Ends all connections, as a server does that dies. */
  cut(): void;
  stop(): Promise<void>;
}

/** @param legacy whether it serves clients with sessions, too: as the SDK does by default, each request by itself */
export async function startModernServer(name: string, legacy = false): Promise<ModernServer> {
  const requests: ModernServer['requests'][number][] = [];
  const told: string[] = [];
  const codec = stateCodec();
  const bus = new InMemoryServerEventBus();
  const handler: McpHttpHandler = createMcpHandler(
    () =>
      mcpServer(
        name,
        codec,
        () => handler.notify,
        (what) => told.push(what),
      ),
    {
      bus,
      legacy: legacy ? 'stateless' : 'reject',
    },
  );
  const serve = toNodeHandler(handler);
  const hostIsOurs = localhostHostValidation();
  const originIsOurs = localhostOriginValidation();
  const server = createServer((request, response) => {
    requests.push({ method: String(request.headers['mcp-method']), headers: request.headers });
    if (!hostIsOurs(request, response) || !originIsOurs(request, response)) return;
    void serve(request as Parameters<typeof serve>[0], response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    requests,
    told,
    notify: handler.notify,
    listeners: () => bus.listenerCount,
    close: () => handler.close(),
    cut: () => {
      server.closeAllConnections();
    },
    stop: async () => {
      const closed = once(server, 'close');
      await handler.close();
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function mcpServer(
  name: string,
  codec: ReturnType<typeof stateCodec>,
  notifier: () => McpHttpHandler['notify'],
  told: (what: string) => void,
): McpServer {
  const capabilities = { tools: {}, prompts: {}, resources: {}, completions: {} };
  const options = {
    capabilities,
    instructions: `Use ${name}.`,
    requestState: { verify: (state: string, context: ServerContext) => codec.verify(state, context) },
  };
  const mcp = new McpServer({ name, version: '1.0.0' }, options);
  registerTools(mcp, name, told);
  registerModernTools(mcp, codec, notifier);
  registerPrompts(mcp, name);
  registerResources(mcp, name, () => undefined);
  return mcp;
}
