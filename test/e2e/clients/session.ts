// A client that writes its messages itself, in a session of the gateway's.
import { type Http, type RawAnswer, type RawRequest, send } from './raw.ts';

const latest = '2025-11-25';

export const mcpHeaders = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const;

/** Another one each time: what a server without sessions answers to an introduction is known for a while. */
let clients = 0;

export function initializeMessage(revision = latest, id: string | number = 0, capabilities: object = {}): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: { protocolVersion: revision, capabilities, clientInfo: { name: 'raw', version: String(++clients) } },
  });
}

/** Sends one message, as given, without a session. */
export function post(
  url: string,
  body: RawRequest['body'],
  request: Omit<RawRequest, 'body'> = {},
): Promise<RawAnswer> {
  return send(url, { ...request, body: body ?? '', headers: { ...mcpHeaders, ...request.headers } });
}

export interface Session {
  readonly id: string;
  /** Sends one message, as given. */
  readonly post: (body: RawRequest['body'], request?: Omit<RawRequest, 'body'>) => Promise<RawAnswer>;
  /** Ends it. */
  readonly end: () => Promise<RawAnswer>;
}

interface Speech {
  readonly http?: Http;
  readonly revision?: string;
  /** What the client declares; nothing unless said otherwise. */
  readonly capabilities?: object;
  /** Sent with every message. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws Error with the answer where initialize is refused */
export async function openSession(
  url: string,
  speech: Speech = {},
): Promise<Session & { readonly initialized: RawAnswer }> {
  const { http = 'HTTP/1.1', revision = latest, capabilities = {}, headers = {} } = speech;
  const initialized = await post(url, initializeMessage(revision, 0, capabilities), { http, headers });
  const id = initialized.headers['mcp-session-id'];
  if (typeof id !== 'string') throw new Error(`initialize was refused: ${initialized.status} ${initialized.text}`);
  return { initialized, ...resumeSession(url, id, speech) };
}

/** A session by its id, whoever opened it. */
export function resumeSession(url: string, id: string, speech: Speech = {}): Session {
  const { http = 'HTTP/1.1', revision = latest, headers: more = {} } = speech;
  const headers = { 'mcp-session-id': id, 'mcp-protocol-version': revision, ...more };
  return {
    id,
    post: (body, request = {}) => post(url, body, { http, ...request, headers: { ...headers, ...request.headers } }),
    end: () => send(url, { http, method: 'DELETE', headers }),
  };
}

/** The bytes of a `tools/call`, `name` and `args` as JSON. */
export function callMessage(name: string, args = '{}', id = '1'): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":${name},"arguments":${args}}}`;
}

/** A call whose name comes last, so that it cannot be sent on before all of it was read. */
export function lateNameMessage(name: string, args: string): string {
  return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":${args},"name":${name}}}`;
}

export const listMessage = (id = '1'): string => `{"jsonrpc":"2.0","id":${id},"method":"tools/list"}`;
