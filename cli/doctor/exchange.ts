// One HTTP exchange after the other, each on a connection of its own, so that every gateway behind an address is met.
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { EventReader } from '../../common/event-reader.ts';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The first bytes of the body, as text. */
  readonly text: string;
  /** The first JSON-RPC message in it that answers something. */
  readonly message: RpcAnswer | undefined;
}

interface RpcAnswer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly data?: { readonly reason?: unknown };
  };
}

interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds until the answer has to be there. */
  readonly within?: number;
  /** The answer may be a stream that stays open: its headers, and what comes with them, are all. */
  readonly headersOnly?: boolean;
}

/** Milliseconds, and bytes of an answer. */
const patience = 10_000;
const mostBytes = 4 << 20;

type Headers = Readonly<Record<string, string>>;

export type Send = (url: string, sending?: Sending) => Promise<Reply>;

/**
 * @param always headers of every request
 * @param ca certificate authorities, PEM; Node's own where it is undefined
 * @returns a function that throws the error of the connection, or one with the name TimeoutError
 */
export function sender(always: Readonly<Record<string, string>>, ca: string | undefined): Send {
  return (url, { method = 'GET', headers = {}, body, within = patience, headersOnly = false } = {}) => {
    const all = {
      'accept-encoding': 'identity',
      'user-agent': 'sluice-doctor',
      ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      ...always,
      ...headers,
    };
    const options = { method, headers: all, agent: false, signal: AbortSignal.timeout(within) };
    return new Promise((resolve, reject) => {
      const answered = (response: IncomingMessage): void => {
        read(response, headersOnly).then(resolve, reject);
      };
      const sent = url.startsWith('https:')
        ? requestHttps(url, { ...options, ...(ca !== undefined && { ca }) }, answered)
        : requestHttp(url, options, answered);
      sent.once('error', reject);
      sent.end(body);
    });
  };
}

/** What is said to the headers of a large body: that it may come, a refusal, or nothing in time. */
export type Expectation = 'continue' | 'silence' | Reply;

const expectationPatience = 5_000;

/**
 * Announces a body of so many bytes, and sends none of it (RFC 9110 §10.1.1).
 * @throws the error of the connection
 */
export function announce(url: string, headers: Headers, length: number, ca: string | undefined): Promise<Expectation> {
  const all = { ...headers, 'content-length': length, expect: '100-continue' };
  const options = { method: 'POST', headers: all, agent: false };
  return new Promise((resolve, reject) => {
    const sent = url.startsWith('https:')
      ? requestHttps(url, { ...options, ...(ca !== undefined && { ca }) })
      : requestHttp(url, options);
    const end = (said: Expectation | Promise<Expectation>): void => {
      clearTimeout(timer);
      resolve(said);
    };
    const timer = setTimeout(() => {
      end('silence');
      sent.destroy();
    }, expectationPatience);
    sent.once('continue', () => {
      end('continue');
      sent.destroy();
    });
    sent.once('response', (response) => {
      end(
        read(response, false).finally(() => {
          sent.destroy();
        }),
      );
    });
    sent.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    sent.flushHeaders();
  });
}

async function read(response: IncomingMessage, headersOnly: boolean): Promise<Reply> {
  const { statusCode: status = 0, headers } = response;
  if (headersOnly) {
    response.destroy();
    return { status, headers, text: '', message: undefined };
  }
  const events = new EventReader();
  const parts: Buffer[] = [];
  let size = 0;
  let message: RpcAnswer | undefined;
  const isStream = /^text\/event-stream\b/i.test(headers['content-type'] ?? '');
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    // A server may leave the stream open behind its answer.
    if (isStream) message = answerIn(events.read(part).map(({ data }) => data));
    if (message !== undefined || size > mostBytes) break;
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (!isStream) message = answerIn([text]);
  return { status, headers, text, message };
}

function answerIn(texts: readonly string[]): RpcAnswer | undefined {
  for (const text of texts) {
    const value = jsonOf(text);
    if (typeof value === 'object' && value !== null && ('result' in value || 'error' in value))
      return value as RpcAnswer;
  }
  return undefined;
}

/** The value of a JSON text; undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The stable name of the row of the error table that an answer is. */
export function reasonOf({ message }: Reply): string | undefined {
  const reason = message?.error?.data?.reason;
  return typeof reason === 'string' ? reason : undefined;
}

/** The module has handled it. */
export function isFromModule({ headers }: Reply): boolean {
  return headers['x-mcp-gateway'] !== undefined;
}

/** Headers that say who answered, and how; none of them is a secret. */
const telling = ['x-mcp-gateway', 'server', 'via', 'location', 'www-authenticate', 'content-type', 'allow'] as const;

/** `401, server: envoy, content-type: text/plain: "Jwt is missing"` */
export function summaryOf({ status, headers, text, message }: Reply): string {
  const told = telling.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${String(headers[name])}`]));
  const said = message?.error?.message;
  const body = typeof said === 'string' ? said : text;
  // Messages of the error table are told whole: their end is the next step.
  const most = typeof said === 'string' ? 600 : 200;
  const words = body.trim() === '' ? 'no body' : JSON.stringify(body.slice(0, most));
  return `${[String(status), ...told].join(', ')}: ${words}`;
}
