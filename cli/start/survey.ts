// What a gateway serves, asked from both sides: each server by itself, which is the one that can say what is wrong with it,
// and the gateway as its clients see it, as far as a client without credentials sees anything.
import { readFileSync } from 'node:fs';
import { askRestService } from './rest.ts';
import type { GatewayServer } from '../../envoy/render/bootstrap.ts';
import { certificateAuthorities } from '../../envoy/render/upstream.ts';
import { type Configuration, hostModeOf } from './configuration.ts';
import { diagnoseServer, speaksStatelessOnly, waitsForCredentials } from './diagnosis.ts';
import { httpSseRevision, listOverHttpSse } from './http-sse-client.ts';
import {
  type Listing,
  type McpEndpoint,
  Refusal,
  listInSession,
  listStateless,
  statelessRevision,
} from '../../common/mcp-client.ts';
import { ClientNames } from './client-names.ts';
import { passesRules } from './rules.ts';
import { asked } from './asked-server.ts';

export interface FederatedServer {
  readonly name: string;
  /** Absent where it has prompts alone, which the gateway makes. */
  readonly url?: string;
  /** Names of its tools, as the gateway lists them; where that cannot be asked, as it would. */
  readonly tools: readonly string[];
  /** What is wrong with it, and the next step. */
  readonly problem?: string;
}

/** How a server answered by itself. */
export interface ServerState {
  /** Names of its tools, as it says them; absent where it could not be listed. */
  readonly tools?: readonly string[];
  /** What is wrong, and the next step. */
  readonly problem?: string;
  /** It lists its tools to clients with credentials of their own. */
  readonly isPrivate?: boolean;
}

export interface VirtualServer {
  readonly name: string;
  readonly url: string;
  /** How many tools it has; absent where that could not be asked. */
  readonly tools?: number;
}

/** Asked at the same time: more would be a burst of sockets. */
const atOnce = 32;

/** Virtual servers whose tools are counted; each costs a session. */
const mostVirtualServers = 100;

/** Asks one server by itself, with the credentials that the gateway will use. Never throws. */
export async function askServer(
  entry: GatewayServer,
  configuration: Configuration,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ServerState> {
  const server = asked(entry);
  if (server === undefined) return { tools: [] };
  try {
    if (server['rest'] !== undefined) return { tools: await askRestService(server) };
    const endpoint = {
      url: server.url,
      headers: { ...hostOf(server), ...credentialsOf(server, env) },
      ...(server.url.startsWith('https:') && { ca: readFileSync(certificateAuthorities(), 'utf8') }),
    };
    if (isHttpSse(server)) return { tools: (await listOverHttpSse(endpoint)).tools };
    const { protocol } = server as { protocol?: unknown };
    const revision = typeof protocol === 'string' && protocol !== 'auto' ? protocol : undefined;
    const isStateless = hostModeOf(configuration) === 'headers' || revision === statelessRevision;
    const listing = await (isStateless ? listStateless(endpoint) : listInEither(endpoint, revision));
    return { tools: listing.tools };
  } catch (error) {
    if (waitsForCredentials(server, error)) return { isPrivate: true };
    return { problem: diagnoseServer(server, error) };
  }
}

/** With a session, or without one at a server that says that it has none. */
async function listInEither(endpoint: McpEndpoint, revision: string | undefined): Promise<Listing> {
  try {
    return await listInSession(endpoint, revision);
  } catch (error) {
    if (error instanceof Refusal && speaksStatelessOnly(error.answer)) return listStateless(endpoint);
    throw error;
  }
}

/** It speaks HTTP+SSE, the transport of 2024-11-05. */
function isHttpSse(server: GatewayServer): boolean {
  return server['protocol'] === httpSseRevision;
}

function hostOf({ authority }: GatewayServer): Record<string, string> {
  return typeof authority === 'string' ? { host: authority } : {};
}

function credentialsOf({ credentials }: GatewayServer, env: Readonly<Record<string, string | undefined>>): object {
  const { type, header, env: name } = (credentials ?? {}) as { type?: unknown; header?: unknown; env?: unknown };
  if (type !== 'header' || typeof header !== 'string' || typeof name !== 'string') return {};
  return { [header]: (env[name] ?? '').replace(/[\r\n]+$/, '') };
}

/** Who asks, where the configuration takes the identity from a header. */
const surveyor = 'sluice-start';

/**
 * Names of the tools that a client without credentials sees at a path of the gateway.
 * @returns undefined where it lists none to such a client
 */
async function listAtGateway(
  url: string,
  configuration: Configuration,
  token: string | undefined,
): Promise<readonly string[] | undefined> {
  const { trustedHeader } = (configuration.plugin['identity'] ?? {}) as { trustedHeader?: unknown };
  const headers = {
    ...(typeof trustedHeader === 'string' && { [trustedHeader]: surveyor }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  try {
    const list = hostModeOf(configuration) === 'headers' ? listStateless : listInSession;
    return (await list({ url, headers })).tools;
  } catch {
    return undefined; // the servers' own answers say why
  }
}

/** What keeps `start` from listing at the gateway itself; undefined: nothing. */
function unlisted(configuration: Configuration, token: string | undefined): string | undefined {
  const { identity, auth } = configuration.plugin as { identity?: unknown; auth?: { issuers?: unknown } };
  if (token !== undefined) return undefined;
  if (auth?.issuers !== undefined) return 'auth: clients need a token; tools were counted at the servers';
  if (typeof identity === 'object' && identity !== null && 'jwt' in identity) {
    return (
      'identity.jwt: every request is unauthenticated, since `sluice start` runs no jwt_authn filter; ' +
      'tools were counted at the servers'
    );
  }
  return undefined;
}

/** What a gateway serves, as `start` tells it. */
export interface Survey {
  readonly servers: readonly FederatedServer[];
  readonly virtualServers: readonly VirtualServer[];
  /** How many tools all servers have together. */
  readonly tools: number;
  /** What is as it was asked for, and may surprise all the same. */
  readonly notes: readonly string[];
}

export interface Surveyed {
  readonly mcp: string;
  readonly configuration: Configuration;
  /** What each server said, in their order. */
  readonly states: readonly ServerState[];
  /** A client's, where `start` has one. */
  readonly token?: string | undefined;
}

/** Asks the gateway what it serves, and puts that beside what its servers said. Never throws. */
export async function surveyGateway({ mcp, configuration, states, token }: Surveyed): Promise<Survey> {
  const { root = 'open', virtualServers: configured, overrides, toolSearch } = configuration.plugin;
  const why = unlisted(configuration, token);
  const rooted = why === undefined && root !== 'closed';
  const [listed, virtualServers] = await Promise.all([
    rooted ? listAtGateway(mcp, configuration, token) : undefined,
    surveyVirtualServers(
      mcp,
      configured,
      why === undefined ? (url) => listAtGateway(url, configuration, token) : undefined,
    ),
  ]);
  // What is reached over HTTP+SSE is in no list of the other transport.
  // Where tools are searched for, the list has few of them, and says nothing of the others.
  const isShort = rooted && (toolSearch as { enabled?: unknown } | undefined)?.enabled === true;
  const names = new ClientNames(overrides);
  const servers = configuration.servers.map((server, index) => {
    const isInList = !isShort && !isHttpSse(server);
    return federated(server, states[index] ?? {}, isInList ? listed : undefined, root === 'open', names);
  });
  const old = configuration.servers.filter(isHttpSse).map(({ name }) => name);
  const closed =
    root === 'closed'
      ? [`root: closed: ${mcp} serves nothing by itself; clients take the URL of a virtual server`]
      : [];
  return {
    servers,
    virtualServers,
    tools: servers.reduce((sum, { tools }) => sum + tools.length, 0),
    notes: [
      ...closed,
      ...(isShort ? [searchNote] : []),
      ...(why === undefined ? [] : [why]),
      ...(old.length === 0 ? [] : [httpSseNote(old)]),
    ],
  };
}

const searchNote =
  'toolSearch: clients list search_tools, call_tool and what is pinned, and find the other tools; ' +
  'tools were counted at the servers';

function httpSseNote(names: readonly string[]): string {
  return (
    `${names.join(', ')}: for clients of HTTP+SSE (2024-11-05), at a path that has one such server; ` +
    'docs/compatibility.md says how'
  );
}

/** Tool names carry their server's prefix, and no prefix begins with another; overrides give some of them another name. */
function federated(
  server: GatewayServer & { prefix?: unknown },
  { tools: own, problem, isPrivate }: ServerState,
  listed: readonly string[] | undefined,
  isOpen: boolean,
  names: ClientNames,
): FederatedServer {
  const { name, url } = server;
  const prefix = typeof server.prefix === 'string' ? server.prefix : `${name}_`;
  const nameOf = (tool: string): string => names.of(prefix + tool);
  const passing = (own ?? []).filter((tool) => passesRules(server['tools'], tool));
  const expected = new Set(passing.map(nameOf));
  const isOwn = (name: string): boolean => expected.has(name) || (name.startsWith(prefix) && !names.isGiven(name));
  const tools = listed?.filter(isOwn) ?? [...expected];
  const said = problem ?? (isPrivate ? privateText : isOpen ? leftOut(passing, tools, nameOf) : undefined);
  return { name, ...(url !== undefined && { url }), tools, ...(said !== undefined && { problem: said }) };
}

const privateText = 'it lists its tools to clients with credentials of their own';

/** Where no virtual server at the root hides tools, what passes the rules and is missing was left out by the gateway. */
function leftOut(
  passing: readonly string[],
  tools: readonly string[],
  nameOf: (tool: string) => string,
): string | undefined {
  const there = new Set(tools);
  const missing = passing.filter((tool) => !there.has(nameOf(tool)));
  if (missing.length === 0) return undefined;
  const shown = missing.slice(0, 5).map((tool) => JSON.stringify(tool.slice(0, 64)));
  const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : '';
  return `the gateway does not list ${shown.join(', ')}${more}: its log says why`;
}

async function surveyVirtualServers(
  mcp: string,
  configured: unknown,
  list: ((url: string) => Promise<readonly string[] | undefined>) | undefined,
): Promise<VirtualServer[]> {
  const entries = Array.isArray(configured) ? (configured as { name?: unknown }[]) : [];
  return inParallel(entries, async ({ name }, index) => {
    const url = `${mcp}/${String(name)}`;
    const tools = index < mostVirtualServers ? await list?.(url) : undefined;
    return { name: String(name), url, ...(tools !== undefined && { tools: tools.length }) };
  });
}

/** `map` of all of them, some at a time, in their order. */
export async function inParallel<T, R>(items: readonly T[], map: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await map(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
