import type { Expectation, Reply, Send } from './exchange.ts';
import type { Findings } from './finding.ts';

/** The gateway that is looked at, and with what. */
export interface Subject {
  /** The endpoint of MCP, as clients use it. */
  readonly url: string;
  readonly send: Send;
  /** Announces a body of so many bytes, see `announce`. */
  readonly announce: (url: string, headers: Readonly<Record<string, string>>, length: number) => Promise<Expectation>;
  readonly findings: Findings;
  /** A client's; undefined: there is none. */
  readonly token: string | undefined;
  readonly statusToken: string | undefined;
  readonly origin: string | undefined;
  readonly tool: string | undefined;
}

export const sessionRevisions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;
export const statelessRevision = '2026-07-28';

const clientInfo = { name: 'sluice-doctor', version: '1' };

/** A JSON-RPC request, as text. Its id is always 1, as every connection has one exchange. */
export function rpc(method: string, params?: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, ...(params !== undefined && { params }) });
}

/** `initialize` of a client that speaks this revision, as text. */
export function initializeBody(revision: string): string {
  return rpc('initialize', { protocolVersion: revision, capabilities: {}, clientInfo });
}

/** What the stateless revision asks every request to say of itself. */
export const statelessMeta = {
  'io.modelcontextprotocol/protocolVersion': statelessRevision,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': clientInfo,
};

/** Sends a message as a client does. @param headers beside those of every client */
export function post(
  { url, send }: Subject,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  return send(url, { method: 'POST', headers: { ...usual, ...headers }, body });
}

/** The header of a token; none where there is no token. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/**
 * The endpoints that a URL may belong to: itself, or, where it is that of a virtual server, what stands before
 * `/<namespace>/<name>`.
 */
export function endpointsOf(url: string): string[] {
  const { origin, pathname } = new URL(url);
  const path = pathname.replace(/\/$/, '');
  const shorter = path.split('/').slice(0, -2).join('/');
  return [path, ...(shorter === '' ? [] : [shorter])].map((each) => origin + each);
}
