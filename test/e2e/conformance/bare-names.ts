// A proxy in front of the gateway: the suite calls bare names, and the gateway has them with the prefix of a server. Only
// names and URIs are changed, in their places; all other bytes pass as they are, as soon as they come.
import { once } from 'node:events';
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  createServer,
  request as send,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

export interface BareNames {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param server whose prefix is its name and `_`, and whose resources are marked with its name */
export async function startBareNames(gateway: string, server: string): Promise<BareNames> {
  const proxy = createServer((request, response) => {
    pass(request, response, gateway, server).catch(() => response.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://localhost:${(proxy.address() as AddressInfo).port}${new URL(gateway).pathname}`,
    stop: async () => {
      const closed = once(proxy, 'close');
      proxy.close();
      proxy.closeAllConnections();
      await closed;
    },
  };
}

async function pass(request: IncomingMessage, response: ServerResponse, gateway: string, server: string) {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = withNames(Buffer.concat(parts).toString(), server);
  const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const headers = withHeader({ ...withoutLength(request), ...length }, server);
  const onward = send(gateway, { method: request.method, headers });
  response.once('close', () => onward.destroy());
  onward.end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  response.writeHead(answer.statusCode ?? 502, withoutLength(answer));
  response.flushHeaders();
  answer.pipe(withoutNames(server)).pipe(response);
}

function withoutLength({ headers }: IncomingMessage): IncomingHttpHeaders {
  const own = ['content-length', 'transfer-encoding'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !own.includes(name)));
}

/** The header that repeats the name, as the gateway wants it. */
function withHeader(headers: IncomingHttpHeaders, server: string): IncomingHttpHeaders {
  const name = headers['mcp-name'];
  const method = headers['mcp-method'];
  // The id of a task has no prefix.
  if (typeof name !== 'string' || name.startsWith('=?') || method?.toString().startsWith('tasks/')) return headers;
  const isUri = method === 'resources/read';
  return { ...headers, 'mcp-name': isUri ? name.replace(/^test:\/\//, `$&${server}/`) : `${server}_${name}` };
}

/** A request as the gateway wants it. */
function withNames(body: string, server: string): string {
  const { method = '' } = body === '' ? {} : (JSON.parse(body) as { method?: string });
  const named = ['tools/call', 'prompts/get', 'completion/complete'].includes(method);
  // The first `name` of these messages is the one that is called; arguments of the suite have none.
  const prefixed = named ? body.replace(/"name":"/, `$&${server}_`) : body;
  return prefixed.replace(/"uri":"test:\/\//g, `$&${server}/`);
}

/** An answer as the suite expects it. */
function withoutNames(server: string): Transform {
  const bare = (line: string): string =>
    line
      .replaceAll(`"name":"${server}_`, '"name":"')
      .replace(new RegExp(`("uri(?:Template)?":"test://)${server}/`, 'g'), '$1');
  let rest = '';
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      done(null, Buffer.from(lines.map((line) => `${bare(line)}\n`).join(''), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(bare(rest), 'latin1'));
    },
  });
}
