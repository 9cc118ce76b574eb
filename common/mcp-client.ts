// A small MCP client that keeps what it sees: the SDK's own refuses a whole list for one tool that it does not like, and
// says of a refusal neither its status nor its words.
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { EventReader } from './event-reader.ts';

/** Where MCP is spoken, and what is sent along. */
export interface McpEndpoint {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificate authorities, PEM; Node's own where it is absent. */
  readonly ca?: string;
}

/** The revision that begins a session, and the one that has none. */
const sessionRevision = '2025-11-25';
export const statelessRevision = '2026-07-28';

/** What answered, as far as it answered. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The first bytes of the body, as text. */
  readonly text: string;
  /** The JSON-RPC answer to the request. */
  readonly message?: JsonRpcAnswer | undefined;
  /** It was longer than was to be read. */
  readonly isCut?: boolean;
}

interface JsonRpcAnswer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
}

/** An answer that is not the one that was asked for. */
export class Refusal extends Error {
  readonly answer: Answer;
  /** `initialize`, `tools/list` */
  readonly method: string;
  /** It was asked as a server of revision 2026-07-28 is. */
  readonly isStateless: boolean;

  constructor(method: string, answer: Answer, isStateless = false) {
    super(`${method}: ${answer.status}`);
    this.name = 'Refusal';
    this.method = method;
    this.isStateless = isStateless;
    this.answer = answer;
  }
}

export interface Listing {
  /** Names of all tools, in the order of the list. */
  readonly tools: readonly string[];
  /** Headers of the last answer. */
  readonly headers: IncomingMessage['headers'];
}

/** What one exchange may take: ms, and bytes of an answer. */
interface ExchangeLimits {
  readonly time: number;
  readonly bytes: number;
}

const limits: ExchangeLimits = { time: 5_000, bytes: 32 << 20 };
const mostPages = 100;

/** Characters of an answer that are kept for a sentence about it. */
const headLength = 2_000;

/**
 * Lists the tools of an endpoint in a session of its own, which it ends.
 * @param revision offered in `initialize`
 * @throws Refusal, or the error of the connection
 */
export async function listInSession(endpoint: McpEndpoint, revision = sessionRevision): Promise<Listing> {
  const begun = await ask(endpoint, 'initialize', {
    protocolVersion: revision,
    capabilities: {},
    clientInfo: { name: 'sluice-start', version: '1' },
  });
  const { protocolVersion } = resultOf('initialize', begun) as { protocolVersion?: unknown };
  const id = begun.headers['mcp-session-id'];
  const headers = {
    ...endpoint.headers,
    'mcp-protocol-version': typeof protocolVersion === 'string' ? protocolVersion : revision,
    ...(typeof id === 'string' && { 'mcp-session-id': id }),
  };
  const session = { ...endpoint, headers };
  try {
    await exchange(session, 'POST', JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    return await listPages(session, {});
  } finally {
    if (id !== undefined) await exchange(session, 'DELETE').catch(() => undefined); // it ends by itself as well
  }
}

/**
 * Lists the tools of an endpoint of revision 2026-07-28, which knows no sessions.
 * @throws Refusal, or the error of the connection
 */
export function listStateless(endpoint: McpEndpoint): Promise<Listing> {
  const headers = { ...endpoint.headers, ...statelessHeaders('tools/list') };
  return listPages({ ...endpoint, headers }, { _meta: statelessClaims('sluice-start') });
}

/**
 * The headers that a request of revision 2026-07-28 has to have.
 * @param name of the tool that is called
 */
export function statelessHeaders(method: string, name?: string): Record<string, string> {
  return {
    'mcp-protocol-version': statelessRevision,
    'mcp-method': method,
    ...(name !== undefined && { 'mcp-name': headerText(name) }),
  };
}

/** `_meta` of such a request. @param client its name */
export function statelessClaims(client: string): object {
  return {
    'io.modelcontextprotocol/protocolVersion': statelessRevision,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: client, version: '1' },
  };
}

/** MCP's form of a text that is no header value as it is, or looks like that form. */
function headerText(text: string): string {
  const isPlain = /^[!-~]*$/.test(text) && !text.startsWith('=?base64?');
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

async function listPages(endpoint: McpEndpoint, params: Readonly<Record<string, unknown>>): Promise<Listing> {
  const tools: string[] = [];
  let cursor: string | undefined;
  for (let page = 1; ; page++) {
    const answer = await ask(endpoint, 'tools/list', { ...params, ...(cursor !== undefined && { cursor }) });
    const result = resultOf('tools/list', answer, '_meta' in params) as { tools?: unknown; nextCursor?: unknown };
    if (!Array.isArray(result.tools)) throw new Refusal('tools/list', answer, '_meta' in params);
    for (const tool of result.tools as unknown[]) if (!requiresTask(tool)) tools.push(nameOf(tool));
    const next = result.nextCursor;
    // The cursor that was asked with is no next one: some servers never say that a list is over.
    if (typeof next !== 'string' || next === cursor || page === mostPages) return { tools, headers: answer.headers };
    cursor = next;
  }
}

/** Whether a tool can only be called as a task (MCP 2025-11-25), of which the gateway serves none: it lists no such tool. */
function requiresTask(tool: unknown): boolean {
  return (tool as { execution?: { taskSupport?: unknown } } | null)?.execution?.taskSupport === 'required';
}

function nameOf(tool: unknown): string {
  const name = typeof tool === 'object' && tool !== null ? (tool as { name?: unknown }).name : undefined;
  return typeof name === 'string' ? name : '(a tool without a name)';
}

function resultOf(method: string, answer: Answer, isStateless = false): object {
  const result = answer.message?.result;
  if (typeof result === 'object' && result !== null) return result;
  throw new Refusal(method, answer, isStateless);
}

/** Sends one request; the answer may be anything. */
export function ask(endpoint: McpEndpoint, method: string, params: object, most = limits): Promise<Answer> {
  return exchange(endpoint, 'POST', JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), most);
}

function exchange(
  { url, headers = {}, ca }: McpEndpoint,
  method: string,
  body?: string,
  most: ExchangeLimits = limits,
): Promise<Answer> {
  const all = {
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'identity',
    ...headers,
  };
  const options = { method, headers: all, agent: false, signal: AbortSignal.timeout(most.time) };
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      read(response, most.bytes).then(resolve, reject);
    };
    const sent = url.startsWith('https:')
      ? requestHttps(url, { ...options, ...(ca !== undefined && { ca }) }, answered)
      : requestHttp(url, options, answered);
    sent.once('error', reject);
    sent.end(body);
  });
}

async function read(response: IncomingMessage, mostBytes: number): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  const isStream = /^text\/event-stream\b/i.test(headers['content-type'] ?? '');
  const events = new EventReader();
  const parts: Buffer[] = [];
  let head = '';
  let size = 0;
  let message: JsonRpcAnswer | undefined;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (head.length < headLength) head += part.toString('utf8', 0, headLength);
    if (isStream) message = answerIn(events.read(part).map(({ data }) => data));
    else parts.push(part);
    // A server may leave the stream open behind its answer.
    if (message !== undefined || size > mostBytes) break;
  }
  if (!isStream && size <= mostBytes) message = answerIn([Buffer.concat(parts).toString('utf8')]);
  const isCut = message === undefined && size > mostBytes;
  return { status, headers, text: head.slice(0, headLength), message, isCut };
}

/** The first that is an answer; some errors have no id, or null. */
function answerIn(texts: readonly string[]): JsonRpcAnswer | undefined {
  for (const text of texts) {
    const value = parsed(text);
    const candidates = (Array.isArray(value) ? value : [value]) as unknown[]; // 2025-03-26 answers in batches too
    for (const candidate of candidates) {
      if (typeof candidate !== 'object' || candidate === null) continue;
      if ('result' in candidate || 'error' in candidate) return candidate as JsonRpcAnswer;
    }
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
