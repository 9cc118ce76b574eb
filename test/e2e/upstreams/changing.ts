// A server that is upgraded or rolled back while it serves: the same address, and behind it one server or another.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChangingServer {
  readonly url: string;
  /** From now on it is the server with this URL. */
  become(url: string): void;
  stop(): Promise<void>;
}

/** @param first the URL of the server that it is to begin with */
export async function startChangingServer(first: string): Promise<ChangingServer> {
  let current = first;
  const server = createServer((incoming, response) => {
    const { method, headers } = incoming;
    const outgoing = request(current, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    become: (url) => {
      current = url;
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
