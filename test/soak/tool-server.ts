// An MCP server that dies, loses its sessions and comes back, and that notices what no gateway may do to it.
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopListening } from '../e2e/upstreams/held-port.ts';

export interface ToolServer {
  readonly name: string;
  readonly url: string;
  /** Sessions of which a caller found another caller's, one line each. */
  readonly mixed: readonly string[];
  /** Event streams that it is writing. */
  readonly openStreams: number;
  /** Refuses connections and ends those that it has. */
  die(): Promise<void>;
  /** As after a restart: none of its sessions is left. */
  comeBack(): Promise<void>;
  loseSessions(): void;
  stop(): Promise<void>;
}

/** What the tools take. A caller says who it is in each call, so that the server can tell whose session it is. */
export interface CallArguments {
  readonly caller: string;
  readonly text: string;
  /** Events of the tool `stream`, and ms between two of them. */
  readonly events?: number;
  readonly pause?: number;
}

/** What the tools return, of the arguments of a call. */
export function digestOf(callArguments: unknown): string {
  return createHash('sha256').update(JSON.stringify(callArguments)).digest('hex');
}

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: {
    readonly protocolVersion?: string;
    readonly name?: string;
    readonly arguments?: CallArguments;
    readonly _meta?: { readonly progressToken?: string | number };
  };
}

const listed = ['echo', 'stream'].map((name) => ({ name, inputSchema: { type: 'object' } }));

export async function startToolServer(name: string): Promise<ToolServer> {
  /** Session → who calls in it. */
  const sessions = new Map<string, string | undefined>();
  const mixed: string[] = [];
  const sockets = new Set<Socket>();
  let openStreams = 0;

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const session = request.headers['mcp-session-id'];
    const message = request.method === 'POST' ? (JSON.parse(Buffer.concat(parts).toString()) as Message) : {};
    if (message.method === 'initialize') {
      const opened = randomUUID();
      sessions.set(opened, undefined);
      const { protocolVersion = '' } = message.params ?? {};
      const result = { protocolVersion, capabilities: { tools: {} }, serverInfo: { name, version: '1' } };
      answer(response, message, result, { 'mcp-session-id': opened });
      return;
    }
    if (typeof session !== 'string' || !sessions.has(session)) {
      response.writeHead(404).end();
      return;
    }
    if (request.method === 'DELETE') {
      sessions.delete(session);
      response.writeHead(200).end();
    } else if (message.id === undefined) response.writeHead(202).end();
    else if (message.method === 'tools/list') answer(response, message, { tools: listed });
    else if (message.method === 'tools/call') await call(response, message, session);
    else answer(response, message, {});
  };

  const call = async (response: ServerResponse, message: Message, session: string): Promise<void> => {
    const { name: tool, arguments: given = { caller: '', text: '' }, _meta } = message.params ?? {};
    const owner = sessions.get(session) ?? given.caller;
    sessions.set(session, owner);
    if (owner !== given.caller) mixed.push(`${name}: ${given.caller} called in the session of ${owner}`);
    const result = { content: [], structuredContent: { server: name, digest: digestOf(given) } };
    if (tool !== 'stream') {
      answer(response, message, result);
      return;
    }
    openStreams += 1;
    response.once('close', () => (openStreams -= 1));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let n = 1; n <= (given.events ?? 1) && !response.destroyed; n++) {
      await sleep(given.pause ?? 0);
      await writeEvent(response, n, given.caller, _meta?.progressToken);
    }
    response.end(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result })}\n\n`);
  };

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    respond(request, response).catch(() => response.destroy()); // cut off, or no JSON
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).once('close', () => sockets.delete(socket));
  });
  let port = 0;
  let letGo: (() => Promise<void>) | undefined;
  const listen = async (): Promise<void> => {
    await letGo?.();
    letGo = undefined;
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    letGo = await stopListening(server);
    for (const socket of sockets) socket.destroy();
  };
  await listen();
  return {
    name,
    url: `http://127.0.0.1:${port}/mcp`,
    mixed,
    get openStreams() {
      return openStreams;
    },
    die: close,
    comeBack: async () => {
      sessions.clear();
      await listen();
    },
    loseSessions: () => {
      sessions.clear();
    },
    stop: async () => {
      await close();
      await letGo?.();
    },
  };
}

function answer(response: ServerResponse, { id }: Message, result: object, headers: object = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}

/** Event number n: by turns a notification and progress, in each of the forms that the format has, in two pieces. */
async function writeEvent(
  response: ServerResponse,
  n: number,
  caller: string,
  progressToken: string | number | undefined,
): Promise<void> {
  const params =
    n % 2 === 0 && progressToken !== undefined
      ? { method: 'notifications/progress', params: { progressToken, progress: n, message: caller } }
      : { method: 'notifications/message', params: { level: 'info', data: { caller, n } } };
  const data = JSON.stringify({ jsonrpc: '2.0', ...params });
  const end = ['\n', '\r\n', '\r'][n % 3] ?? '\n';
  const middle = data.indexOf(',') + 1;
  const lines = n % 5 === 0 ? [`data: ${data.slice(0, middle)}`, `data: ${data.slice(middle)}`] : [`data: ${data}`];
  const event = [...(n % 4 === 0 ? [': still here'] : []), `id: ${n}`, ...lines, '', ''].join(end);
  const cut = Math.floor(Math.random() * event.length);
  if (n % 7 !== 0) {
    response.write(event);
    return;
  }
  response.write(event.slice(0, cut));
  await new Promise(setImmediate);
  response.write(event.slice(cut));
}
