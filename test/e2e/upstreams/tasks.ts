// A server of revision 2026-07-28 with the extension for tasks (SEP-2663), which no SDK has yet. Its tools are those that the
// official suite asks such a server for. Tasks are told of on streams that listen.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

interface Params extends Json {
  readonly _meta?: Json;
  readonly name?: string;
  readonly arguments?: Json;
  readonly taskId?: string;
  readonly inputResponses?: Json;
  readonly requestState?: string;
  readonly notifications?: { readonly taskIds?: readonly string[] };
}

interface Message {
  readonly id: string | number;
  readonly method: string;
  readonly params: Params;
}

interface Task extends Json {
  taskId: string;
  status: string;
  inputRequests?: Json;
}

export interface TaskServer {
  readonly name: string;
  readonly url: string;
  /** What has come, in order. */
  readonly messages: readonly {
    readonly body: string;
    readonly message: Message;
    readonly headers: IncomingHttpHeaders;
  }[];
  /** Changes a task, and tells those who listen. */
  tell(taskId: string, change: Json): void;
  stop(): Promise<void>;
}

const extension = 'io.modelcontextprotocol/tasks';
const text = (said: string) => ({ content: [{ type: 'text', text: said }] });
const elicit = (property: string) => ({
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message: 'Please say',
    requestedSchema: { type: 'object', properties: { [property]: { type: 'string' } } },
  },
});

class Refusal extends Error {
  readonly code: number;
  readonly data: Json | undefined;
  constructor(code: number, message: string, data?: Json) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

const missing = (): Refusal =>
  new Refusal(-32021, 'Missing required client capability', {
    requiredCapabilities: { extensions: { [extension]: {} } },
  });

export async function startTaskServer(name: string): Promise<TaskServer> {
  const tasks = new Map<string, Task>();
  const timers = new Set<NodeJS.Timeout>();
  const listeners = new Map<ServerResponse, { readonly id: string | number; readonly taskIds: readonly string[] }>();
  const messages: TaskServer['messages'][number][] = [];

  const tell = (taskId: string, change: Json): void => {
    const task = tasks.get(taskId);
    if (task === undefined) return;
    Object.assign(task, change, { lastUpdatedAt: new Date().toISOString() });
    for (const [response, { id, taskIds }] of listeners) {
      if (!taskIds.includes(taskId)) continue;
      const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
      writeEvent(response, { jsonrpc: '2.0', method: 'notifications/tasks', params: { ...task, _meta } });
    }
  };

  const create = (inputRequests?: Json): Task => {
    const at = new Date().toISOString();
    const status = inputRequests === undefined ? 'working' : 'input_required';
    const task = { taskId: `${name}/${randomUUID()}`, status, createdAt: at, lastUpdatedAt: at, ttlMs: 60_000 };
    tasks.set(task.taskId, { ...task, pollIntervalMs: 100, ...(inputRequests && { inputRequests }) });
    return { ...task, pollIntervalMs: 100, resultType: 'task' };
  };

  const later = (task: Task, ms: number, change: Json): Task => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (tasks.get(task.taskId)?.status === 'working') tell(task.taskId, change);
    }, ms);
    timers.add(timer);
    return task;
  };

  const call = (
    { name: tool = '', arguments: args = {}, inputResponses, requestState }: Params,
    declares: boolean,
  ): Json => {
    switch (tool) {
      case 'greet':
        return { resultType: 'complete', ...text(`Hello, ${String(args['name'])}!`) };
      case 'slow_compute': {
        const result = text(`computed by ${name}`);
        if (!declares) return { resultType: 'complete', ...result };
        return later(create(), Number(args['seconds'] ?? 0) * 1000, { status: 'completed', result });
      }
      case 'failing_job':
        if (!declares) throw missing();
        return later(create(), 100, { status: 'completed', result: { ...text('it failed'), isError: true } });
      case 'protocol_error_job':
        return later(create(), 100, { status: 'failed', error: { code: -32603, message: 'it broke' } });
      case 'confirm_delete':
        return create({ confirm: elicit('confirm') });
      case 'multi_input':
        return create({ first: elicit('first'), second: elicit('second') });
      case 'test_tool_with_task': {
        const asked = inputResponses?.['user_name'] as { content?: { name?: string } } | undefined;
        if (asked === undefined) {
          return { resultType: 'input_required', inputRequests: { user_name: elicit('name') }, requestState: '' };
        }
        if (requestState !== '') throw new Refusal(-32602, 'The empty state is not what came back.');
        return later(create(), 100, { status: 'completed', result: text(`Hello, ${asked.content?.name ?? ''}!`) });
      }
      case 'linked_job': {
        const content = [{ type: 'resource_link', name: 'report', uri: 'file:///report' }];
        return later(create(), 0, { status: 'completed', result: { content } });
      }
      default:
        throw new Refusal(-32602, `unknown tool ${tool}`);
    }
  };

  const taskOf = ({ taskId = '' }: Params): Task => {
    const task = tasks.get(taskId);
    if (task === undefined) throw new Refusal(-32602, 'Failed to retrieve task: Task not found');
    return task;
  };

  const answers: Record<string, (params: Params, declares: boolean) => Json> = {
    'server/discover': () => ({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, extensions: { [extension]: {}, 'com.example/other': {} } },
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name, version: '1' } },
    }),
    'tools/list': () => ({
      resultType: 'complete',
      tools: ['greet', 'slow_compute', 'failing_job', 'protocol_error_job', 'confirm_delete', 'multi_input']
        .concat('test_tool_with_task', 'linked_job')
        .map((tool) => ({ name: tool, inputSchema: { type: 'object' } })),
      ttlMs: 0,
      cacheScope: 'private',
    }),
    'tools/call': call,
    'tasks/get': (params) => ({ ...taskOf(params), resultType: 'complete' }),
    'tasks/update': (params) => {
      const task = taskOf(params);
      const left = Object.entries(task.inputRequests ?? {}).filter(([key]) => !(key in (params.inputResponses ?? {})));
      if (task.status === 'input_required' && left.length > 0) task.inputRequests = Object.fromEntries(left);
      else if (task.status === 'input_required') {
        delete task.inputRequests;
        tell(task.taskId, { status: 'completed', result: text('done') });
      }
      return { resultType: 'complete' };
    },
    'tasks/cancel': (params) => {
      const task = taskOf(params);
      if (['working', 'input_required'].includes(task.status)) tell(task.taskId, { status: 'cancelled' });
      return { resultType: 'complete' };
    },
  };

  const answer = ({ id, method, params }: Message, response: ServerResponse): void => {
    const capabilities = params._meta?.['io.modelcontextprotocol/clientCapabilities'] as
      { extensions?: Json } | undefined;
    const declares = extension in (capabilities?.extensions ?? {});
    if (method.startsWith('tasks/') && method in answers && !declares) throw missing();
    if (method === 'subscriptions/listen') {
      const taskIds = params.notifications?.taskIds ?? [];
      const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const acknowledged = { notifications: { taskIds }, _meta };
      const notification = 'notifications/subscriptions/acknowledged';
      writeEvent(response, { jsonrpc: '2.0', method: notification, params: acknowledged });
      listeners.set(response, { id, taskIds });
      response.once('close', () => listeners.delete(response));
      return;
    }
    writeJson(response, 200, { jsonrpc: '2.0', id, result: answers[method]?.(params, declares) });
  };

  const server = createServer((request, response) => {
    void (async () => {
      // A request that is cut off is none.
      const body = await bodyOf(request).catch(() => undefined);
      if (body === undefined) return;
      const message = JSON.parse(body) as Message;
      messages.push({ body, message, headers: request.headers });
      try {
        const isKnown = message.method in answers || message.method === 'subscriptions/listen';
        if (!isKnown) throw new Refusal(-32601, `no ${message.method}`);
        const own = message.params.taskId ?? message.params.name;
        const said = [request.headers['mcp-method'], request.headers['mcp-name']];
        if (said[0] !== message.method || (own !== undefined && said[1] !== own)) {
          throw new Refusal(-32020, 'The headers say something else.');
        }
        answer(message, response);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { code, message: said, data } = error;
        const status = code === -32601 ? 404 : code === -32602 ? 200 : 400;
        writeJson(response, status, { jsonrpc: '2.0', id: message.id, error: { code, message: said, data } });
      }
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    messages,
    tell,
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function writeEvent(response: ServerResponse, message: Json): void {
  response.write(`data: ${JSON.stringify(message)}\n\n`);
}

function writeJson(response: ServerResponse, status: number, message: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(message));
}
