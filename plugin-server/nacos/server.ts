import * as z from 'zod';
import { pathText } from '../../envoy/yaml/place.ts';
import type { CatalogServer } from '../catalog/catalog.ts';
import { secretsIn } from '../catalog/secrets.ts';
import { groups } from './listing.ts';
import { toolDefinition } from './rest-tools.ts';

/** What an index document says of a server. */
export interface IndexEntry {
  readonly id: string;
  readonly name: string;
  /** The version that is published; absent where none is, or the server is switched off: it is left out then. */
  readonly version: string | undefined;
}

/** A service of the naming API. */
export interface ServiceRef {
  readonly namespaceId: string;
  readonly groupName: string;
  readonly serviceName: string;
}

/** A server but for its endpoints, which its service has. */
export interface Described {
  readonly server: CatalogServer;
  readonly service: ServiceRef;
}

const indexSchema = z.looseObject({
  id: z.string().min(1),
  name: z.string().min(1),
  enabled: z.boolean().default(true),
  status: z.string().nullish(),
  latestPublishedVersion: z.string().nullish(),
});

const serverSchema = z.looseObject({
  name: z.string().min(1),
  protocol: z.string(),
  frontProtocol: z.string().nullish(),
  enabled: z.boolean().default(true),
  toolsDescriptionRef: z.string().nullish(),
  remoteServerConfig: z
    .looseObject({
      exportPath: z.string().nullish(),
      serviceRef: z
        .looseObject({
          namespaceId: z.string().nullish(),
          groupName: z.string().nullish(),
          serviceName: z.string().min(1),
          transportProtocol: z.string().nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

const toolsSchema = z.looseObject({
  specificationType: z.string().nullish(),
  tools: z.array(z.looseObject({ name: z.string().min(1) })).nullish(),
  toolsMeta: z
    .record(
      z.string(),
      z.looseObject({
        enabled: z.boolean().nullish(),
        templates: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .nullish(),
  securitySchemes: z.array(z.looseObject({})).nullish(),
});

const promptsSchema = z.looseObject({ prompts: z.array(z.looseObject({})) });

/** Protocols of Nacos that are served, by what a server of theirs is here. */
const kinds: Readonly<Record<string, 'rest' | 'mcp' | 'mcp-sse'>> = {
  http: 'rest',
  https: 'rest',
  'mcp-streamable': 'mcp',
  'mcp-sse': 'mcp-sse',
};

export const indexSuffix = '-mcp-versions.json';
/** What the name of a server stands before, in the dataId of its prompts. */
export const promptsSuffix = '-mcp-prompts.json';

/** @throws Error that says what is wrong, after the name of the document */
export function readIndex(text: string): IndexEntry {
  const { id, name, enabled, status, latestPublishedVersion } = read(indexSchema, text);
  const isPublished = enabled && status !== 'deleted' && typeof latestPublishedVersion === 'string';
  return { id, name, version: isPublished && latestPublishedVersion !== '' ? latestPublishedVersion : undefined };
}

export function serverDocument({ id, version = '' }: IndexEntry): string {
  return `${id}-${version}-mcp-server.json`;
}

/**
 * The document with the tools of a server; `undefined` where it has none.
 * @throws Error that says what is wrong
 */
export function toolsDocument(serverText: string): string | undefined {
  return read(serverSchema, serverText).toolsDescriptionRef ?? undefined;
}

/** Why a server of Nacos is not served, although nothing is wrong with it. */
export class NotServed extends Error {}

/** Definitions of a server, called as it is called here, with something else in the place of each secret. */
export type SecretReplacement = (
  name: string,
  rest: Readonly<Record<string, unknown>>,
) => Readonly<Record<string, unknown>>;

/**
 * What the documents of one version say.
 * @param name of the server here
 * @param tools undefined where the server has no such document
 * @param replaceSecrets without it, a server whose definitions have a secret is wrong
 * @throws Error that says what is wrong; NotServed
 */
export function describeServer(
  name: string,
  serverText: string,
  tools: string | undefined,
  replaceSecrets?: SecretReplacement,
): Described {
  const spec = read(serverSchema, serverText, groups.server);
  if (!spec.enabled) throw new NotServed('it is switched off');
  const kind = kinds[spec.protocol];
  if (kind === undefined) {
    throw new NotServed(`its protocol is ${shown(spec.protocol)}; served are ${Object.keys(kinds).join(', ')}`);
  }
  const ref = spec.remoteServerConfig?.serviceRef;
  if (!ref) throw new Error(`${groups.server}: it names no service (remoteServerConfig.serviceRef)`);
  const service = {
    namespaceId: ref.namespaceId ?? 'public',
    groupName: ref.groupName ?? 'DEFAULT_GROUP',
    serviceName: ref.serviceName,
  };
  const tls = ref.transportProtocol === 'https' || (ref.transportProtocol == null && spec.protocol === 'https');
  const server: CatalogServer = {
    name,
    prefix: `${name}_`,
    service: [service.namespaceId, service.groupName, service.serviceName].join('/'),
    path: kind === 'rest' ? '/' : pathOf(spec.remoteServerConfig?.exportPath),
    ...(tls && { tls }),
    ...(kind === 'mcp-sse' && { protocol: '2024-11-05' }),
    ...toolMembers(kind === 'rest', tools, replaceSecrets && ((rest) => replaceSecrets(name, rest))),
  };
  return { server, service };
}

/** Tools that are made here for REST, and for an MCP server those that are not to be seen. */
function toolMembers(
  isRest: boolean,
  text: string | undefined,
  replaceSecrets: ((rest: Readonly<Record<string, unknown>>) => object) | undefined,
): Partial<CatalogServer> {
  const { specificationType, tools, toolsMeta, securitySchemes } = read(toolsSchema, text ?? '{}', groups.tools);
  if (specificationType === 'encrypted') throw new Error(`${groups.tools}: it is encrypted, which is not read here`);
  const isOff = (tool: string): boolean => toolsMeta?.[tool]?.enabled === false;
  if (!isRest) {
    const off = (tools ?? []).map(({ name }) => name).filter(isOff);
    return off.length === 0 ? {} : { tools: { deny: off } };
  }
  const on = (tools ?? []).filter(({ name }) => !isOff(name));
  if (on.length === 0) throw new NotServed('it has no tool that is switched on');
  const definitions = on.map((tool) => {
    try {
      return toolDefinition(tool, toolsMeta?.[tool.name]?.templates);
    } catch (error) {
      throw new Error(`${groups.tools}: ${(error as Error).message}`, { cause: error });
    }
  });
  const schemes = (securitySchemes ?? []).map(withVariable);
  const rest = { tools: definitions, ...(schemes.length > 0 && { securitySchemes: schemes }) };
  const [secret] = secretsIn(rest);
  if (secret !== undefined) {
    if (replaceSecrets !== undefined) return { rest: replaceSecrets(rest) };
    const advice = 'a catalog holds no secret: write ${env.NAME} as defaultCredential, and set the variable for Envoy';
    throw new Error(`${groups.tools}: ${pathText(secret)}: ${advice}`);
  }
  return { rest };
}

/** Nacos takes no object for a credential; `${env.NAME}` is one. */
function withVariable(scheme: Readonly<Record<string, unknown>>): object {
  const { defaultCredential: credential } = scheme;
  const text = typeof credential === 'string' ? credential : '';
  const [, name] = /^\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text) ?? [];
  return name === undefined ? scheme : { ...scheme, defaultCredential: { env: name } };
}

function pathOf(exportPath: string | null | undefined): string {
  const path = exportPath ?? '';
  if (path === '') return '/mcp';
  if (!/^\/?[\x21-\x7e]*$/.test(path) || /[?#]/.test(path)) {
    throw new Error(`${groups.server}: exportPath is no path: ${shown(path)}`);
  }
  return path.startsWith('/') ? path : `/${path}`;
}

const nameLength = 63;

/**
 * The prompts of a document, in the form of `servers[].rest.prompts`; a member that is null is none.
 * @throws Error that says what is wrong
 */
export function readPrompts(text: string): readonly object[] {
  return read(promptsSchema, text).prompts.map((prompt) => withoutNulls(prompt) as object);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}

/** A name of Nacos as one of a server, which is a part of URLs and of metrics; empty where there is none. */
export function serverName(name: string): string {
  const kept = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, nameLength);
  return kept.replaceAll(/^-+|-+$/g, '');
}

function read<T>(schema: z.ZodType<T>, text: string, document = ''): T {
  const said = document === '' ? '' : `${document}: `;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${said}it is no JSON: ${(error as Error).message.slice(0, 100)}`, { cause: error });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Error(said + problem(result.error));
}

function problem({ issues: [issue] }: z.ZodError): string {
  return issue === undefined ? 'is not what it has to be' : `${issue.path.join('.')}: ${issue.message}`;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
