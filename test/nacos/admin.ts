// What an administrator does to a Nacos, over its own API.
import { setTimeout as sleep } from 'node:timers/promises';
import { groups } from '../../plugin-server/nacos/listing.ts';
import type { Nacos } from './nacos.ts';

export const user = { username: 'nacos', password: 'a-password-of-tests' };

/** Milliseconds of one request. */
const timeout = 10_000;
const mostRemovals = 3;

interface ToolSpecification {
  readonly tools: readonly object[];
  readonly toolsMeta?: Readonly<Record<string, object>>;
  readonly securitySchemes?: readonly object[];
}

export interface ServerOptions {
  readonly protocol?: string;
  readonly version?: string;
  readonly description?: string;
  readonly enabled?: boolean;
  readonly exportPath?: string;
  readonly namespace?: string;
  /** Whether the version is published. */
  readonly latest?: boolean;
  readonly tools?: ToolSpecification;
  /** `host:port` of its own, or a service that is registered. */
  readonly endpoint?: string | { readonly groupName: string; readonly serviceName: string };
}

/** A document as it is, with its address. */
export interface StoredDocument {
  readonly dataId: string;
  readonly groupName: string;
  readonly content: string;
}

export class NacosAdmin {
  readonly #base: string;
  #token = '';

  constructor({ address }: Pick<Nacos, 'address'>) {
    this.#base = `${address}/nacos`;
  }

  /** Makes the user where there is none, and logs in. */
  async logIn(): Promise<void> {
    await this.#send('POST', '/v3/auth/user/admin', { password: user.password });
    for (let attempt = 0; ; attempt++) {
      const response = await this.#send('POST', '/v3/auth/user/login', user);
      const { accessToken } = (response.status === 200 ? await response.json() : {}) as { accessToken?: string };
      this.#token = accessToken ?? '';
      if (this.#token !== '') return;
      if (attempt > 100) throw new Error(`no login: ${response.status}`);
      await sleep(300);
    }
  }

  async makeNamespace(id: string): Promise<void> {
    await this.#must('POST', '/v3/admin/core/namespace', { namespaceId: id, namespaceName: id });
  }

  async create(name: string, options: ServerOptions = {}): Promise<void> {
    await this.#must('POST', '/v3/admin/ai/mcp', specification(name, options));
  }

  async update(name: string, options: ServerOptions = {}): Promise<void> {
    await this.#must('PUT', '/v3/admin/ai/mcp', specification(name, options));
  }

  async remove(name: string, namespace = 'public', version = '1.0.0'): Promise<void> {
    const fields = { mcpName: name, namespaceId: namespace, version };
    // Nacos 3.1 answers one removal in some hundred with status 101, which for a client is the beginning of another protocol.
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#must('DELETE', '/v3/admin/ai/mcp', fields);
        return;
      } catch (error) {
        if (attempt > 1 && error instanceof Error && error.message.includes(': 404 ')) return;
        if (attempt === mostRemovals) throw error;
      }
    }
  }

  async putDocument({ dataId, groupName, content }: StoredDocument, namespace = 'public'): Promise<void> {
    await this.#must('POST', '/v3/admin/cs/config', {
      dataId,
      groupName,
      content,
      namespaceId: namespace,
      type: 'json',
    });
  }

  async removeDocument({ dataId, groupName }: Omit<StoredDocument, 'content'>, namespace = 'public'): Promise<void> {
    await this.#must('DELETE', '/v3/admin/cs/config', { dataId, groupName, namespaceId: namespace });
  }

  /** A document of a server. */
  async document(name: string, group: keyof typeof groups, namespace = 'public'): Promise<StoredDocument> {
    const groupName = groups[group];
    const query = { pageNo: '1', pageSize: '500', dataId: '*', search: 'blur', groupName, namespaceId: namespace };
    const list = (await this.#must('GET', '/v3/admin/cs/config/list', query)) as {
      pageItems: { dataId: string; appName: string }[];
    };
    const dataId = list.pageItems.find(({ appName }) => appName === name)?.dataId ?? '';
    const read = { dataId, groupName, namespaceId: namespace };
    const { content } = (await this.#must('GET', '/v3/client/cs/config', read)) as { content: string };
    return { dataId, groupName, content };
  }

  /** Registers an instance that nobody has to keep alive. */
  async register(serviceName: string, endpoint: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { address, port } = split(endpoint);
    await this.#must('POST', '/v3/client/ns/instance', { serviceName, ip: address, port, ephemeral: 'false', ...more });
  }

  async deregister(serviceName: string, endpoint: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { address, port } = split(endpoint);
    await this.#must('DELETE', '/v3/client/ns/instance', {
      serviceName,
      ip: address,
      port,
      ephemeral: 'false',
      ...more,
    });
  }

  async #must(method: string, path: string, fields: Readonly<Record<string, string>>): Promise<unknown> {
    const response = await this.#send(method, path, fields);
    const text = await response.text();
    const answer = parsed(text) as { code?: number; data?: unknown };
    if (answer.code !== 0) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
    return answer.data;
  }

  #send(method: string, path: string, fields: Readonly<Record<string, string>>): Promise<Response> {
    const parameters = new URLSearchParams(fields);
    const hasBody = method === 'POST' || method === 'PUT';
    return fetch(`${this.#base}${path}${hasBody ? '' : `?${parameters.toString()}`}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.timeout(timeout),
      ...(hasBody && { body: parameters }),
    });
  }
}

function specification(name: string, options: ServerOptions): Record<string, string> {
  const { protocol = 'mcp-streamable', version = '1.0.0', endpoint = '192.0.2.1:8080', tools } = options;
  const direct = typeof endpoint === 'string';
  const target = direct
    ? { type: 'DIRECT', data: { ...split(endpoint), transportProtocol: 'http' } }
    : { type: 'REF', data: { namespaceId: options.namespace ?? 'public', ...endpoint } };
  return {
    namespaceId: options.namespace ?? 'public',
    serverSpecification: JSON.stringify({
      name,
      protocol,
      frontProtocol: 'mcp-streamable',
      description: options.description ?? name,
      versionDetail: { version },
      remoteServerConfig: { exportPath: options.exportPath ?? '/mcp' },
      enabled: options.enabled ?? true,
    }),
    endpointSpecification: JSON.stringify(target),
    ...(tools !== undefined && { toolSpecification: JSON.stringify(tools) }),
    latest: String(options.latest ?? true),
  };
}

function split(endpoint: string): { address: string; port: string } {
  const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(endpoint) ?? [];
  return { address, port };
}

function parsed(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}
