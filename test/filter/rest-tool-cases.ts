// Calls of REST tools in the shipped module, to be compared with what the gateway does that their definitions are written
// for: what the service is sent, and what the client gets of its response.
import { ask, openSession } from './gateway.ts';
import { Host } from './host.ts';
import { type Headers, valueOf } from './pairs.ts';

interface Sent {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  /** Sorted by name, without those of the route, of framing, and of the gateway. */
  readonly headers: Headers;
  readonly body: string;
}

export interface Outcome {
  /** Absent: the service is not asked. */
  readonly sent?: Sent;
  /** The result of the call, or of the list; `structuredContent` as its bytes. */
  readonly result?: unknown;
  /** What is wrong with the configuration. */
  readonly refused?: string;
}

export interface RestCase {
  readonly name: string;
  /** Members of `rest` beside `tools`. */
  readonly rest?: object;
  readonly tool: object;
  /** Of `params`, as it is sent; absent: the tools are listed. */
  readonly arguments?: string;
  /** Headers of the client. */
  readonly client?: Headers;
  readonly response?: { readonly status: number; readonly headers?: Headers; readonly body?: string };
  /** Plain text in `config` and credentials is refused. */
  readonly strict?: true;
  /** What Higress does, where that is known. */
  readonly higress?: Outcome;
  /** What Sluice does, where it is something else, and the row of docs/rest.md that says so; none where it only refuses. */
  readonly here?: Outcome & { readonly row?: string };
}

const OK = { status: 200, headers: [['content-type', 'application/json']] as Headers, body: '{"ok":true}' };
const CLIENT: Headers = [
  ['content-type', 'application/json'],
  ['accept', 'application/json, text/event-stream'],
  ['accept-encoding', 'gzip'],
];
const NOT_COMPARED = /^(?::|x-mcp-|x-envoy-|via$|content-length$)/;

/** Configures a gateway of that one tool, and calls or lists it. */
export function outcomeOf({ rest = {}, tool, client = [], response = OK, ...asked }: RestCase): Outcome {
  const server = { name: 's', cluster: 's', authority: 'gw.example', prefix: '', rest: { ...rest, tools: [tool] } };
  const sessions = { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] };
  const configuration = JSON.stringify({ sessions, insecureInline: asked.strict !== true, servers: [server] });
  const environment = { SLUICE_KEY_1: Buffer.alloc(32, 1).toString('base64url'), SECRET: 's-1' };
  const host = new Host({ configuration, environment });
  if (!host.configure()) {
    const prefix = 'error: configuration refused: servers[0].rest.';
    return { refused: host.log.find((line) => line.startsWith(prefix))?.slice(prefix.length) ?? '' };
  }
  const session = openSession(host);
  const params = `,"params":{"name":"${(tool as { name: string }).name}","arguments":${asked.arguments ?? ''}}`;
  const call = asked.arguments === undefined ? '"method":"tools/list"' : `"method":"tools/call"${params}`;
  // A client's own session is one of the gateway's.
  const own = client.filter(([name]) => name !== 'mcp-session-id' && name !== 'content-length');
  const stream = ask(host, { headers: [...CLIENT, ...own, ...session], body: `{"jsonrpc":"2.0","id":1,${call}}` });
  const { forwarded } = stream;
  if (forwarded !== undefined) {
    const body = response.body ?? '';
    stream.respond(
      [[':status', String(response.status)], ...(response.headers ?? [])],
      body === '' ? [] : [Buffer.from(body)],
    );
  }
  const answer = (stream.response ?? stream.reply)?.body.toString() ?? '';
  return {
    ...(forwarded !== undefined && { sent: sentOf(forwarded.headers, forwarded.body.toString()) }),
    result: resultOf(answer),
  };
}

function sentOf(headers: Headers, body: string): Sent {
  const value = (name: string): string => valueOf(headers, name) ?? '';
  const others = headers.filter(([name]) => !NOT_COMPARED.test(name));
  return {
    method: value(':method'),
    authority: value(':authority'),
    path: value(':path'),
    // Bytes of headers are no text; those of a template are UTF-8.
    headers: others
      .map(([name, text]) => [name, Buffer.from(text, 'latin1').toString()] as [string, string])
      .sort(byName),
    body,
  };
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** Members of the result in any order, structured content as its bytes. */
function resultOf(message: string): unknown {
  const [, structured] = /"structuredContent":([^]*)\}\}$/.exec(message) ?? [];
  const { result } = JSON.parse(message) as { result?: object };
  return structured === undefined ? result : { ...result, structuredContent: structured };
}
