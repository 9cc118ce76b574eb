// A client of HTTP+SSE (MCP 2024-11-05) that does no more than to list tools.
import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { EventReader, type StreamEvent } from '../../common/event-reader.ts';
import { type Listing, type McpEndpoint, Refusal } from '../../common/mcp-client.ts';

/** The revision whose transport it is, as `servers[].protocol` names it. */
export const httpSseRevision = '2024-11-05';

/** What all of it may take: ms, bytes of the stream, pages of the list. */
const limits = { time: 5_000, bytes: 32 << 20, pages: 100 };

interface Result {
  readonly tools?: unknown;
  readonly nextCursor?: unknown;
}

/**
 * Lists the tools of a server, in a stream of its own.
 * @param endpoint of the stream
 * @throws Refusal, or the error of the connection
 */
export async function listOverHttpSse(endpoint: McpEndpoint): Promise<Listing> {
  const signal = AbortSignal.timeout(limits.time);
  const leave = new AbortController();
  const stream = await send(endpoint, 'GET', undefined, AbortSignal.any([signal, leave.signal]));
  const answer = { status: stream.statusCode ?? 0, headers: stream.headers, text: '' };
  try {
    const isStream = /^text\/event-stream\b/i.test(stream.headers['content-type'] ?? '');
    if (answer.status !== 200 || !isStream) throw new Refusal('GET', answer);
    const events = eventsIn(stream);
    const first = await nextOf(events);
    if (first.type !== 'endpoint') throw new Refusal('GET', answer);
    const to = { ...endpoint, url: new URL(first.data, endpoint.url).href };
    const tell = async (message: object): Promise<void> => {
      const accepted = await send(to, 'POST', JSON.stringify({ jsonrpc: '2.0', ...message }), signal);
      accepted.resume();
      const { statusCode: status = 0, headers } = accepted;
      if (status >= 300) throw new Refusal('POST', { status, headers, text: '' });
    };
    const ask = async (id: number, method: string, params: object): Promise<Result> => {
      await tell({ id, method, params });
      for (;;) {
        const message = parsed((await nextOf(events)).data) as {
          id?: unknown;
          result?: unknown;
          error?: object;
        } | null;
        if (message?.id !== id) continue;
        if (typeof message.result === 'object' && message.result !== null) return message.result;
        throw new Refusal(method, { ...answer, message });
      }
    };
    const clientInfo = { name: 'sluice-start', version: '1' };
    await ask(0, 'initialize', { protocolVersion: httpSseRevision, capabilities: {}, clientInfo });
    await tell({ method: 'notifications/initialized' });
    const tools: string[] = [];
    let cursor: string | undefined;
    for (let page = 1; page <= limits.pages; page++) {
      const result = await ask(page, 'tools/list', cursor === undefined ? {} : { cursor });
      if (!Array.isArray(result.tools)) throw new Refusal('tools/list', answer);
      tools.push(...(result.tools as { name?: unknown }[]).map(({ name }) => String(name)));
      const next = result.nextCursor;
      if (typeof next !== 'string' || next === cursor) break;
      cursor = next;
    }
    return { tools, headers: stream.headers };
  } finally {
    leave.abort();
  }
}

async function send(
  { url, headers = {}, ca }: McpEndpoint,
  method: string,
  body: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const own =
    body === undefined
      ? { accept: 'text/event-stream', 'accept-encoding': 'identity' }
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const options = { method, headers: { ...own, ...headers }, agent: false, signal };
  const sent = url.startsWith('https:')
    ? requestHttps(url, { ...options, ...(ca !== undefined && { ca }) })
    : requestHttp(url, options);
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  sent.on('error', () => undefined); // fails what reads the response
  response.on('error', () => undefined); // it is left in the middle
  return response;
}

async function nextOf(events: AsyncGenerator<StreamEvent, void>): Promise<StreamEvent> {
  const { value, done } = await events.next();
  if (done === true) throw Object.assign(new Error('the stream ended'), { code: 'ECONNRESET' });
  return value;
}

async function* eventsIn(stream: IncomingMessage): AsyncGenerator<StreamEvent, void> {
  const events = new EventReader();
  let size = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limits.bytes) return;
    yield* events.read(part);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
