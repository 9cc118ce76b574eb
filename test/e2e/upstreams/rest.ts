// A small REST service: items of a shop, in memory. It records what it is asked.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface RestCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface RestService {
  readonly url: string;
  readonly calls: readonly RestCall[];
  /** @throws where there was none */
  last(): RestCall;
  stop(): Promise<void>;
}

/** One pixel. */
const image = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

const json = { 'content-type': 'application/json; charset=utf-8', 'set-cookie': 'service=1', 'x-internal': 'secret' };

/**
 * `GET /items/{id}`: an item, 404 for `none`. `POST /items`: 201 and what was sent. `GET /image`, `/bytes`, `/text`: other
 * types. `GET /large?size=N`: so many bytes, in parts. `GET /empty`: 204. `GET /slow`: its body comes after its headers.
 */
export async function startRestService(): Promise<RestService> {
  const calls: RestCall[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(parts).toString();
      calls.push({ method, path: url, headers, body });
      answer(new URL(url, 'http://service'), method, body, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    last() {
      const call = calls.at(-1);
      if (call === undefined) throw new Error('the service was not called');
      return call;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer({ pathname, searchParams }: URL, method: string, body: string, response: ServerResponse): void {
  const [, kind = '', id = ''] = pathname.split('/').map(decodeURIComponent);
  if (kind === 'items' && method === 'POST') {
    response.writeHead(201, json).end(`{"created":${body === '' ? 'null' : body}}`);
  } else if (kind === 'items' && id === 'none') {
    response.writeHead(404, json).end('{"why":"no such item"}');
  } else if (kind === 'items') {
    response.writeHead(200, json).end(JSON.stringify({ id, name: 'Tea', price: 1.5, tags: ['hot', 'green'] }));
  } else if (kind === 'image') {
    response.writeHead(200, { 'content-type': 'image/gif' }).end(image);
  } else if (kind === 'bytes') {
    response.writeHead(200, { 'content-type': 'application/pdf' }).end(Buffer.from([0x25, 0xff, 0x00]));
  } else if (kind === 'text') {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('plain "text"\n');
  } else if (kind === 'empty') {
    response.writeHead(204).end();
  } else if (kind === 'large') {
    response.writeHead(200, { 'content-type': 'text/plain' });
    for (let left = Number(searchParams.get('size')); left > 0; left -= 10_000)
      response.write('x'.repeat(Math.min(left, 10_000)));
    response.end();
  } else {
    response.writeHead(200, json);
    response.flushHeaders();
    setTimeout(() => response.end('{"slow":true}'), 300);
  }
}
