// A server of revision 2026-07-28 with the extension for tasks (SEP-2663), which no SDK has yet. Its tools are those that the
// official suite asks such a server for. Tasks are told of on streams that listen.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  type Json,
  type Message,
  openStream,
  Refusal,
  startStatelessServer,
  type StatelessServer,
  writeEvent,
  writeResult,
} from './stateless.ts';

interface Params extends Json {
  readonly _meta?: Json;
  readonly name?: string;
  readonly arguments?: Json;
  readonly taskId?: string;
  readonly inputResponses?: Json;
  readonly requestState?: string;
  readonly notifications?: { readonly taskIds?: readonly string[] };
}

interface Task extends Json {
  taskId: string;
  status: string;
  inputRequests?: Json;
}

export interface TaskServer extends StatelessServer<Params> {
  readonly name: string;
  /** Changes a task, and tells those who listen. */
  tell(taskId: string, change: Json): void;
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

const missing = (): Refusal =>
  new Refusal(-32021, 'Missing required client capability', {
    requiredCapabilities: { extensions: { [extension]: {} } },
  });

export async function startTaskServer(name: string): Promise<TaskServer> {
  const tasks = new Map<string, Task>();
  const timers = new Set<NodeJS.Timeout>();
  const listeners = new Map<ServerResponse, { readonly id: string | number; readonly taskIds: readonly string[] }>();

  const tell = (taskId: string, change: Json): void => {
    const task = tasks.get(taskId);
    if (task === undefined) return;
    Object.assign(task, change, { lastUpdatedAt: new Date().toISOString() });
    for (const [response, { id, taskIds }] of listeners) {
      if (!taskIds.includes(taskId)) continue;
      const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
      writeEvent(response, { method: 'notifications/tasks', params: { ...task, _meta } });
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

  const answer = ({ id, method, params }: Message<Params>, response: ServerResponse): void => {
    const capabilities = params._meta?.['io.modelcontextprotocol/clientCapabilities'] as
      { extensions?: Json } | undefined;
    const declares = extension in (capabilities?.extensions ?? {});
    if (method.startsWith('tasks/') && method in answers && !declares) throw missing();
    if (method === 'subscriptions/listen') {
      const taskIds = params.notifications?.taskIds ?? [];
      const _meta = { 'io.modelcontextprotocol/subscriptionId': id };
      openStream(response);
      const acknowledged = { notifications: { taskIds }, _meta };
      const notification = 'notifications/subscriptions/acknowledged';
      writeEvent(response, { method: notification, params: acknowledged });
      listeners.set(response, { id, taskIds });
      response.once('close', () => listeners.delete(response));
      return;
    }
    writeResult(response, id, answers[method]?.(params, declares) ?? {});
  };

  const server = await startStatelessServer<Params>(({ message, headers }, response) => {
    const isKnown = message.method in answers || message.method === 'subscriptions/listen';
    if (!isKnown) throw new Refusal(-32601, `no ${message.method}`);
    const own = message.params.taskId ?? message.params.name;
    if (headers['mcp-method'] !== message.method || (own !== undefined && headers['mcp-name'] !== own)) {
      throw new Refusal(-32020, 'The headers say something else.');
    }
    answer(message, response);
  });
  return {
    ...server,
    name,
    tell,
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      await server.stop();
    },
  };
}
