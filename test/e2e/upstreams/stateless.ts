// What servers of revision 2026-07-28 have in common that no SDK can be made to be: one POST for each message, no session.
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Json = Record<string, unknown>;

export interface Message<Params extends Json> {
  readonly id: string | number;
  readonly method: string;
  readonly params: Params;
}

export interface Received<Params extends Json> {
  readonly body: string;
  readonly message: Message<Params>;
  readonly headers: IncomingHttpHeaders;
}

export interface StatelessServer<Params extends Json> {
  readonly url: string;
  /** What has come, in order. */
  readonly messages: readonly Received<Params>[];
  stop(): Promise<void>;
}

/** An error in the place of a result. */
export class Refusal extends Error {
  readonly code: number;
  readonly data: Json | undefined;
  constructor(code: number, message: string, data?: Json) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** @param answer answers a message, now or later, or throws a `Refusal` */
export async function startStatelessServer<Params extends Json>(
  answer: (received: Received<Params>, response: ServerResponse) => void,
): Promise<StatelessServer<Params>> {
  const messages: Received<Params>[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      // A request that is cut off is none.
      const body = await bodyOf(request).catch(() => undefined);
      if (body === undefined) return;
      const message = JSON.parse(body) as Message<Params>;
      const received = { body, message, headers: request.headers };
      messages.push(received);
      try {
        answer(received, response);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { code, message: said, data } = error;
        const status = code === -32601 ? 404 : code === -32602 || code === -32023 ? 200 : 400;
        writeJson(response, status, { jsonrpc: '2.0', id: message.id, error: { code, message: said, data } });
      }
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    messages,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export function writeResult(response: ServerResponse, id: string | number, result: Json): void {
  writeJson(response, 200, { jsonrpc: '2.0', id, result });
}

export function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
}

export function writeEvent(response: ServerResponse, message: Json): void {
  response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}

function writeJson(response: ServerResponse, status: number, message: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(message));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
