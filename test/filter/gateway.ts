// A gateway of two servers with everything that it takes to ask it something, for tests that need more than a case.
import type { Callout, CalloutAnswer } from './callouts.ts';
import { type Filter, openStream, OTHER, refuseUndecided } from './filters.ts';
import { Host, type HostOptions } from './host.ts';
import { type Headers, valueOf } from './pairs.ts';
import { DECIDER } from './replies.ts';
import type { Stream } from './stream.ts';
import type { Worker } from './worker.ts';

const servers = [
  { name: 'weather', cluster: 'weather' },
  { name: 'notes', cluster: 'notes' },
];

/** Started and configured. @param plugin further members of the plugin configuration */
export function startHost(plugin: object = {}, options: Partial<HostOptions> = {}): Host {
  const host = newHost(plugin, options);
  if (!host.configure()) throw new Error(host.log.join('\n'));
  return host;
}

function newHost(plugin: object, options: Partial<HostOptions>): Host {
  const sessions = { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] };
  const environment = { SLUICE_KEY_1: Buffer.alloc(32, 1).toString('base64url') };
  const configuration = JSON.stringify({ sessions, servers, ...plugin });
  return new Host({ configuration, environment, ...options });
}

export const HOLDER = 'sluice-holder';

/** What a request can be opened at. */
export interface Gateway {
  readonly worker: Worker;
  readonly pending: Callout[];
  open(): Stream;
  answer(callout: Callout, answer: CalloutAnswer): void;
  /** An update: the same configuration again. */
  configure(): boolean;
  tick(): void;
  /** Of the memories of its VMs. */
  readonly pages: number;
  /** Callbacks for a stream that nobody has heard of. */
  callUnknown(id: number): void;
}

export interface Pair extends Gateway {
  /** The VM of the one that decides, and that of the one that holds: the same one, unless they are apart. */
  readonly host: Host;
  readonly other: Host;
}

export interface PairOptions extends Partial<HostOptions> {
  /** Each in a VM of its own. */
  readonly apart?: boolean;
  /** A filter of another kind stands between the two. */
  readonly waits?: boolean;
}

/** Both filters of host mode `pair`. */
export function startPair(plugin: object = {}, { apart, waits, ...options }: PairOptions = {}): Pair {
  const host = startHost({ hostMode: 'pair', ...plugin }, options);
  const { worker, pending } = host;
  const other = apart === true ? newHost({}, { ...options, seed: 2, worker }) : host;
  const holds = (): boolean => other.configure(JSON.stringify({ hostMode: 'pair' }), HOLDER);
  if (!holds()) throw new Error(other.log.join('\n'));
  const decider: Filter = { host, rootId: DECIDER, flag: 'unneeded' };
  const holder: Filter = { host: other, rootId: HOLDER, flag: 'unneeded' };
  const filters = waits === true ? [decider, OTHER, holder] : [decider, holder];
  return {
    host,
    other,
    worker,
    pending,
    get pages() {
      return host.pages + (other === host ? 0 : other.pages);
    },
    configure: () => host.configure() && holds(),
    open: () => openStream(filters, worker.loop, { route: refuseUndecided }),
    answer: (callout, answer) => {
      host.answer(callout, answer);
    },
    tick: () => {
      host.tick();
      if (other !== host) other.tick();
    },
    callUnknown: (id) => {
      host.callUnknown(id);
      other.callUnknown(id);
    },
  };
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Headers;
  readonly body?: string | Buffer;
  /** The body comes in chunks of this size. */
  readonly chunkSize?: number;
}

/** Sends a request and answers no callout. */
export function ask(
  gateway: Gateway,
  { method = 'POST', path = '/mcp', headers = [], body = '', chunkSize }: Asked,
): Stream {
  const stream = gateway.open();
  const bytes = Buffer.from(body);
  const all: Headers = [[':authority', 'mcp.example.com'], [':method', method], [':path', path], ...headers];
  stream.requestHeaders(all, bytes.length === 0);
  const size = chunkSize ?? bytes.length;
  for (let at = 0; at < bytes.length; at += size) stream.requestBody(bytes.subarray(at, at + size), false);
  if (bytes.length > 0) stream.requestBody(Buffer.alloc(0), true);
  return stream;
}

/** Answers every callout, also those that answers lead to. */
export function answerAll(gateway: Gateway, answer: (callout: Callout) => CalloutAnswer = usualAnswer): void {
  for (let next = gateway.pending[0]; next !== undefined; next = gateway.pending[0]) gateway.answer(next, answer(next));
}

/** What a server that works answers. */
export function usualAnswer({ cluster, headers, body }: Callout): CalloutAnswer {
  const text = body.toString();
  const id = /"id":("[^"]*")/.exec(text)?.[1];
  if (valueOf(headers, ':method') === 'DELETE' || id === undefined)
    return { headers: [[':status', '202']], body: NOTHING };
  const session: Headers = text.includes('"initialize"') ? [['mcp-session-id', `${cluster}-1`]] : [];
  const result = text.includes('"initialize"')
    ? { protocolVersion: '2025-06-18', capabilities: { tools: {} } }
    : { tools: [{ name: 'get', inputSchema: { type: 'object' } }] };
  return {
    headers: [[':status', '200'], ['content-type', 'application/json'], ...session],
    body: Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`),
  };
}

/** Like usualAnswer, but a list is one tool of about `size` bytes. */
export function listOf(callout: Callout, size: number): CalloutAnswer {
  const id = /"id":("[^"]*")/.exec(callout.body.toString())?.[1];
  if (id === undefined || !callout.body.includes('tools/list')) return usualAnswer(callout);
  const tool = { name: 'get', description: 'x'.repeat(size), inputSchema: { type: 'object' } };
  return {
    headers: [
      [':status', '200'],
      ['content-type', 'application/json'],
    ],
    body: Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify({ tools: [tool] })}}`),
  };
}

const NOTHING = Buffer.alloc(0);
export const INITIALIZE = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}';
export const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';

/** A call whose arguments are `size` bytes. */
export function callOf(name: string, size = 10): string {
  return `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"${name}","arguments":{"a":"${'x'.repeat(size)}"}}}`;
}

/** Begins a session; its header. */
export function openSession(gateway: Gateway, answer: (callout: Callout) => CalloutAnswer = usualAnswer): Headers {
  const stream = ask(gateway, { body: INITIALIZE });
  answerAll(gateway, answer);
  const token = valueOf(stream.reply?.headers ?? [], 'mcp-session-id');
  if (token === undefined) throw new Error(`no session: ${stream.reply?.body.toString() ?? 'no reply'}`);
  return [['mcp-session-id', token]];
}

/** The `reason` of an error. */
export function reasonOf({ reply }: Stream): string | undefined {
  const text = reply?.body.toString() ?? '';
  return /"reason":"(\w+)"/.exec(text)?.[1];
}
