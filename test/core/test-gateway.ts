import type { Core } from './core.ts';
import { instance } from './core.ts';
import { type Json, structOf } from './struct.ts';

const SESSION_KEY = `KEY=${Buffer.alloc(32, 7).toString('base64url')}\0`;

/** What the gateway does next; see Outcome in filter/flow/exchange.ts. */
const outcome = { forward: 2, reply: 3, wait: 4 } as const;

export interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly session?: string | undefined;
  /** Values of x-mcp-virtualserver. */
  readonly narrowed?: string | readonly string[];
  /** The value of x-mcp-authorized, which nobody has verified. */
  readonly unverified?: string;
}

/** The gateway without a host, between a client and servers that are tables of names. */
export class TestGateway {
  readonly #core: Core = instance();
  /** Names of the tools that each server has, by name of the server; undefined: it is down. */
  servers: Record<string, readonly string[] | undefined> = {};
  /** Members of the definitions of tools beside name and inputSchema, as JSON, by server and tool. */
  members: Record<string, Readonly<Record<string, string>>> = {};
  /** Further members of the definitions of tools, by the name at the server. */
  definitions: Record<string, object> = {};
  /** URIs of the resources, and URI templates, that each server has, by name of the server. */
  resources: Record<string, readonly string[]> = {};
  templates: Record<string, readonly string[]> = {};
  /** The names of each server's prompts, where it has any. */
  prompts: Record<string, readonly string[]> = {};
  /** Names of the servers that the last request asked, in turn. */
  asked: string[] = [];

  /** Returns what is wrong with the configuration. */
  configure(configuration: unknown): string[] {
    const sessions = { keys: [{ id: 1, env: 'KEY' }] };
    const json = JSON.stringify({ sessions, ...(configuration as object) });
    this.#core.call('gatewayConfigure', ...this.#core.span(json), ...this.#core.span(SESSION_KEY));
    this.#core.clear();
    return this.#all('gatewayProblem');
  }

  /** The verified token of the requests to come. */
  set token(claims: Readonly<Record<string, Json>>) {
    this.#core.call('gatewayToken', ...this.#core.span(structOf(claims)));
  }

  /** The verified payload of `x-mcp-authorized` in the requests to come. */
  set authorized(claims: Readonly<Record<string, Json>>) {
    this.#core.call('gatewayAuthorized', ...this.#core.span(structOf(claims)));
  }

  get warnings(): string[] {
    return this.#all('gatewayWarning');
  }

  /** What the last request has put into the log. */
  get logged(): string[] {
    return this.#all('gatewayLogged');
  }

  initialize(sent: Sent = {}): { session: string; result: Record<string, unknown> } | Refusal {
    const params =
      '"params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}';
    this.#exchange(sent, `{"jsonrpc":"2.0","id":1,"method":"initialize",${params}}`);
    const session = this.#core.text('gatewaySession');
    const reply = this.#reply();
    return session === undefined ? refusalIn(reply) : { session, result: reply.message.result ?? {} };
  }

  /** A session, or an error. */
  open(sent: Sent = {}): string {
    const opened = this.initialize(sent);
    if (!('session' in opened)) throw new Error(`initialize was refused: ${opened.message}`);
    return opened.session;
  }

  /** The names that are listed, or a refusal. */
  list(sent: Sent): string[] | Refusal {
    this.#exchange(sent, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    const reply = this.#reply();
    if (reply.message.result === undefined) return refusalIn(reply);
    return (reply.message.result['tools'] as { name: string }[]).map(({ name }) => name);
  }

  /** Where the call goes, or a refusal. */
  call(name: string, sent: Sent): { server: string; tool: string; removes: (header: string) => boolean } | Refusal {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
    if (this.#exchange(sent, JSON.stringify(body)) !== outcome.forward) return refusalIn(this.#reply());
    const removes = (header: string): boolean => this.#core.call('gatewayRemoves', ...this.#core.span(header)) === 1;
    return { server: this.#forwarded('x-mcp-servername'), tool: this.#forwarded('x-mcp-toolname'), removes };
  }

  /** The result of a call that the gateway answers itself, or a refusal. */
  answerTo(name: string, args: unknown, sent: Sent): Record<string, unknown> | Refusal {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
    if (this.#exchange(sent, JSON.stringify(body)) === outcome.forward) throw new Error('it went on');
    const reply = this.#reply();
    return reply.message.result ?? refusalIn(reply);
  }

  /** What becomes of a call with these arguments, a text of JSON: the server's name where it goes on. */
  callWith(name: string, args: string | undefined, sent: Sent): string | Refusal | { readonly isError: string } {
    const params = `{"name":${JSON.stringify(name)}${args === undefined ? '' : `,"arguments":${args}`}}`;
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
    if (this.#exchange(sent, body) === outcome.forward) return this.#forwarded('x-mcp-servername');
    const reply = this.#reply();
    const result = reply.message.result as { content: [{ text: string }]; isError: boolean } | undefined;
    return result?.isError === true ? { isError: result.content[0].text } : refusalIn(reply);
  }

  /** The value that the last request got in a header when it went on. */
  sentHeader(name: string): string {
    return this.#forwarded(name);
  }

  /** The arguments of the last call as the record of calls shows them. */
  get auditedArguments(): string | undefined {
    return this.#core.text('gatewayAuditedArguments');
  }

  /** The URIs that are listed, then the templates. */
  listResources(sent: Sent): [uris: string[], templates: string[]] {
    this.#exchange(sent, '{"jsonrpc":"2.0","id":1,"method":"resources/list"}');
    const resources = this.#reply().message.result?.['resources'] as { uri: string }[];
    this.#exchange(sent, '{"jsonrpc":"2.0","id":1,"method":"resources/templates/list"}');
    const templates = this.#reply().message.result?.['resourceTemplates'] as { uriTemplate: string }[];
    return [resources.map(({ uri }) => uri), templates.map(({ uriTemplate }) => uriTemplate)];
  }

  listPrompts(sent: Sent): string[] {
    this.#exchange(sent, '{"jsonrpc":"2.0","id":1,"method":"prompts/list"}');
    return (this.#reply().message.result?.['prompts'] as { name: string }[]).map(({ name }) => name);
  }

  /** Where the request for a prompt goes, or a refusal. */
  getPrompt(name: string, sent: Sent): { server: string } | Refusal {
    return this.#ask('prompts/get', { name }, sent);
  }

  /** Where a read goes, or a refusal. */
  read(uri: string, sent: Sent): { server: string; uri: string } | Refusal {
    return this.#ask('resources/read', { uri }, sent);
  }

  /** The same of a completion of a template. */
  complete(uri: string, sent: Sent): { server: string; uri: string } | Refusal {
    return this.#ask('completion/complete', { ref: { type: 'ref/resource', uri } }, sent);
  }

  #ask(method: string, params: object, sent: Sent): { server: string; uri: string } | Refusal {
    const next = this.#exchange(sent, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
    if (next !== outcome.forward) return refusalIn(this.#reply());
    return { server: this.#forwarded('x-mcp-servername'), uri: this.#forwarded('x-mcp-resourceuri') };
  }

  end(sent: Sent): number {
    this.#exchange({ method: 'DELETE', ...sent }, '');
    return this.#core.call('gatewayStatus');
  }

  /**
   * The decision alone.
   * @param path index of a virtual server, -1 for none
   * @param header the same
   * @returns how often of `times` it was yes
   */
  decide(server: number, name: number, length: number, path: number, header: number, times: number): number {
    return this.#core.call('gatewayDecide', server, name, length, path, header, times);
  }

  /**
   * The same by the rules, for so many requests with the token, each of which decides on all names.
   * @param names address of names of tools of the first server, a space between
   */
  decideByRules(names: number, length: number, requests: number): number {
    return this.#core.call('gatewayDecideByRules', names, length, requests);
  }

  /**
   * What the rules say of tools of a server: for each a digit, see Access in filter/policy/permissions.ts.
   * @param facts bits of Hint and Fact. @param afresh nothing is remembered
   */
  accesses(server: number, names: readonly string[], facts: number, afresh: boolean): string {
    const digits = this.#core.text('gatewayAccesses', server, ...this.#core.span(names.join(' ')), facts, afresh);
    this.#core.clear();
    return digits ?? '';
  }

  /** Bytes of the module's memory. */
  get memory(): number {
    return this.#core.memory.byteLength;
  }

  /** Address and length of a text that stays. */
  keep(text: string): [number, number] {
    return this.#core.span(text);
  }

  #all(name: string): string[] {
    const lines: string[] = [];
    for (let line = this.#core.text(name, 0); line !== undefined; line = this.#core.text(name, lines.length)) {
      lines.push(line);
    }
    return lines;
  }

  #forwarded(header: string): string {
    const value = this.#core.text('gatewayForwarded', ...this.#core.span(header)) ?? '';
    return value.startsWith('=?base64?') ? Buffer.from(value.slice(9, -2), 'base64').toString() : value;
  }

  /** Sends a message and answers every callout that it leads to. */
  #exchange({ path = '/mcp', method = 'POST', session, narrowed = [], unverified }: Sent, body: string): number {
    const headers: [string, string][] = [
      [':method', method],
      [':path', path],
      [':authority', 'localhost'],
    ];
    if (session !== undefined) headers.push(['mcp-session-id', session]);
    for (const value of typeof narrowed === 'string' ? [narrowed] : narrowed)
      headers.push(['x-mcp-virtualserver', value]);
    if (unverified !== undefined) headers.push(['x-mcp-authorized', unverified]);
    this.asked = [];
    let next = this.#core.call('gatewayRequest', ...this.#core.span(pairs(headers)), ...this.#core.span(body));
    while (next === outcome.wait) {
      const server = this.#core.text('gatewayCallout');
      if (server === undefined) throw new Error('the gateway waits for nothing');
      this.asked.push(server);
      const answer = this.#answer(server, this.#core.text('gatewayCalloutBody') ?? '');
      next = this.#core.call('gatewayAnswer', answer === undefined ? 503 : 200, ...this.#core.span(answer ?? ''));
    }
    this.#core.clear();
    return next;
  }

  #answer(server: string, asked: string): string | undefined {
    const names = this.servers[server];
    if (names === undefined) return undefined;
    const { id, method } = JSON.parse(asked === '' ? '{}' : asked) as { id?: string; method?: string };
    const result =
      method === 'tools/list' ? this.#toolsOf(server, names) : JSON.stringify(this.#resultOf(method ?? '', server));
    return id === undefined ? '' : `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
  }

  #toolsOf(server: string, names: readonly string[]): string {
    const tools = names.map((name) => {
      const members = this.members[server]?.[name];
      const tool = JSON.stringify({ name, inputSchema: { type: 'object' }, ...this.definitions[name] });
      return members === undefined ? tool : `${tool.slice(0, -1)},${members}}`;
    });
    return `{"tools":[${tools.join(',')}]}`;
  }

  #resultOf(method: string, server: string): object {
    const resources = this.resources[server];
    const prompts = this.prompts[server];
    const more = {
      ...(resources !== undefined && { resources: {}, completions: {} }),
      ...(prompts !== undefined && { prompts: {} }),
    };
    switch (method) {
      case 'initialize':
        return {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {}, ...more },
          instructions: `about ${server}`,
        };
      case 'prompts/list':
        return { prompts: prompts?.map((name) => ({ name })) };
      case 'resources/list':
        return { resources: resources?.map((uri) => ({ uri })) };
      case 'resources/templates/list':
        return { resourceTemplates: this.templates[server]?.map((uriTemplate) => ({ uriTemplate })) };
      default:
        return {};
    }
  }

  #reply(): Reply {
    const text = this.#core.text('gatewayReply') ?? '';
    return { status: this.#core.call('gatewayStatus'), message: JSON.parse(text) as Reply['message'] };
  }
}

interface Reply {
  status: number;
  message: { result?: Record<string, unknown>; error?: Omit<Refusal, 'status'> };
}

function refusalIn({ status, message }: Reply): Refusal {
  if (message.error === undefined) throw new Error('neither a result nor an error');
  return { status, ...message.error };
}

/** A header map in the ABI's form; see filter/bytes/pairs.ts. */
function pairs(headers: readonly (readonly [string, string])[]): Uint8Array {
  const sizes = Buffer.alloc(4 + headers.length * 8);
  sizes.writeUInt32LE(headers.length);
  headers.forEach(([name, value], index) => {
    sizes.writeUInt32LE(Buffer.byteLength(name), 4 + index * 8);
    sizes.writeUInt32LE(Buffer.byteLength(value), 8 + index * 8);
  });
  return Buffer.concat([sizes, ...headers.map(([name, value]) => Buffer.from(`${name}\0${value}\0`))]);
}
