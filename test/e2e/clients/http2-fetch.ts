import { once } from 'node:events';
import { type ClientHttp2Session, type IncomingHttpHeaders, connect } from 'node:http2';
import { Readable } from 'node:stream';

/** `fetch` over HTTP/2 with prior knowledge: the built-in one speaks HTTP/2 over TLS only. One connection for all. */
export function http2Fetch(origin: string): { fetch: typeof fetch; close: () => void } {
  const connection = connect(origin);
  connection.on('error', () => undefined); // each request reports it
  return {
    fetch: (input, init) => exchange(connection, new Request(input, init)),
    // Not at once: on Node 20 a process can die in native code where a connection goes that still has streams.
    close: () => {
      connection.close();
    },
  };
}

async function exchange(connection: ClientHttp2Session, request: Request): Promise<Response> {
  request.signal.throwIfAborted();
  const { pathname, search } = new URL(request.url);
  const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
  const stream = connection.request(
    { ':method': request.method, ':path': pathname + search, ...Object.fromEntries(request.headers) },
    { endStream: body === undefined },
  );
  request.signal.addEventListener('abort', () => {
    stream.destroy(new DOMException('aborted', 'AbortError'));
  });
  const answered = once(stream, 'response') as Promise<[IncomingHttpHeaders & { ':status': number }]>;
  if (body !== undefined) stream.end(body);
  const [received] = await answered;
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    if (!name.startsWith(':')) headers.set(name, String(value));
  }
  const status = received[':status'];
  const empty = status === 204 || status === 304;
  const content = empty ? null : Readable.toWeb(stream);
  return new Response(content, { status, headers });
}
