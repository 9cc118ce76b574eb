// What servers of 2026-07-28 give to a caller to be repeated: ids of tasks (SEP-2663), and the state of a request that asks for
// input. Each goes back to its server, from the caller alone that it was given to. The same in every host mode.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mcpHeaders } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type TaskServer, startTaskServer } from './upstreams/tasks.ts';

type Json = Record<string, unknown>;

interface Answer {
  readonly id: number;
  readonly method?: string;
  readonly params?: { readonly taskId?: string; readonly status?: string; readonly notifications?: Json };
  readonly result?: Json & { readonly taskId?: string; readonly requestState?: string; readonly result?: Json };
  readonly error?: { readonly code: number; readonly data: Json };
}

const modern = '2026-07-28';
const extension = 'io.modelcontextprotocol/tasks';
const keys = { SLUICE_TASKS_KEY: Buffer.alloc(32, 7).toString('base64url') };
const sessions = { keys: [{ id: 1, env: 'SLUICE_TASKS_KEY' }] };

const metaOf = (extensions: Json = { [extension]: {} }) => ({
  'io.modelcontextprotocol/protocolVersion': modern,
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, extensions },
});

/** @param body sent in the place of what `params` make */
function post(url: string, method: string, params: Json, user = 'ada', body?: string, signal?: AbortSignal) {
  const name = (params['taskId'] ?? params['name']) as string | undefined;
  const headers = {
    ...mcpHeaders,
    'x-user': user,
    'mcp-protocol-version': modern,
    'mcp-method': method,
    ...(name !== undefined && { 'mcp-name': name }),
  };
  const message = { jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: params['_meta'] ?? metaOf() } };
  return fetch(url, { method: 'POST', headers, body: body ?? JSON.stringify(message), ...(signal && { signal }) });
}

async function ask(...args: Parameters<typeof post>): Promise<Answer> {
  return (await (await post(...args)).json()) as Answer;
}

/** The first events of a stream. */
async function events(response: Response, count: number, after: (index: number) => void): Promise<Answer[]> {
  const found: Answer[] = [];
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    const whole = [...text.matchAll(/^data: (\{.+)$/gm)].map(([, data = '']) => JSON.parse(data) as Answer);
    while (found.length < whole.length) {
      found.push(...whole.slice(found.length, found.length + 1));
      after(found.length);
    }
    if (found.length >= count) break;
  }
  return found;
}

/** With another character in the middle, the same kind of text. */
const altered = (text: string): string => {
  const at = text.length >> 1;
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
};

const reasonOf = ({ error }: Answer) => error && [error.code, error.data['reason']];
const unknownTask = [-32602, 'unknown_task'];
const badState = [-32602, 'bad_request_state'];

export function proveTasks(): void {
  describeGateway('what servers give to be repeated', () => {
    let servers: [TaskServer, TaskServer];
    beforeAll(async () => {
      servers = await Promise.all([startTaskServer('one'), startTaskServer('two')]);
    });
    afterAll(() => Promise.all(servers.map((server) => server.stop())));
    const received = () => servers.map(({ messages }) => messages.length);

    describe('with several servers, and callers that are known', () => {
      const gateway = useGateway(() => ({
        servers: servers.map(({ name, url }) => ({ name, url })),
        plugin: { identity: { trustedHeader: 'x-user' }, sessions },
        env: keys,
      }));
      const url = () => gateway.current.url;
      const create = async (server = 'one', user = 'ada', seconds = 60): Promise<string> => {
        const params = { name: `${server}_slow_compute`, arguments: { seconds } };
        const { result } = await ask(url(), 'tools/call', params, user);
        expect(result).toMatchObject({ resultType: 'task', status: 'working' });
        return result?.taskId ?? '';
      };

      it('offers tasks, as its servers do', async () => {
        const { result } = await ask(url(), 'server/discover', {});
        expect(result?.['capabilities']).toEqual({ tools: {}, extensions: { [extension]: {} } });
      });

      it('routes what names a task to its server, under the id that it has there', async () => {
        for (const [index, server] of servers.entries()) {
          const taskId = await create(server.name);
          expect(taskId).toMatch(/^[\w-]{60,}$/);
          expect(await ask(url(), 'tasks/get', { taskId })).toMatchObject({ result: { taskId, status: 'working' } });
          const before = received();
          expect(await ask(url(), 'tasks/cancel', { taskId })).toEqual({
            jsonrpc: '2.0',
            id: 7,
            result: { resultType: 'complete' },
          });
          expect(received()).toEqual(before.map((count, at) => (at === index ? count + 1 : count)));
          const last = server.messages.at(-1);
          expect(last?.message.params.taskId).toContain(`${server.name}/`);
          expect(last?.headers['mcp-name']).toBe(last?.message.params.taskId);
          expect(await ask(url(), 'tasks/get', { taskId })).toMatchObject({ result: { taskId, status: 'cancelled' } });
        }
      });

      it('takes the answers that a task waits for', async () => {
        const { result } = await ask(url(), 'tools/call', { name: 'two_multi_input' });
        const taskId = result?.taskId ?? '';
        const update = (key: string) => ask(url(), 'tasks/update', { taskId, inputResponses: { [key]: {} } });
        await update('first');
        const waiting = await ask(url(), 'tasks/get', { taskId });
        expect(Object.keys(waiting.result?.['inputRequests'] as Json)).toEqual(['second']);
        await update('second');
        expect(await ask(url(), 'tasks/get', { taskId })).toMatchObject({ result: { status: 'completed' } });
      });

      it('gives the result of a task as that of a call', async () => {
        const { result } = await ask(url(), 'tools/call', { name: 'one_linked_job' });
        const taskId = result?.taskId ?? '';
        await expect
          .poll(async () => (await ask(url(), 'tasks/get', { taskId })).result?.result)
          .toMatchObject({ content: [{ uri: 'file://one//report' }] });
      });

      it('refuses tasks of others, and ids that are none', async () => {
        const taskId = await create();
        const own = servers[0].messages.at(-1)?.message.params.name === 'slow_compute' ? taskId : '';
        const { result } = await ask(url(), 'tools/call', { name: 'one_test_tool_with_task' });
        const before = received();
        for (const [id, user] of [
          [own, 'bob'],
          [altered(taskId), 'ada'],
          [`${taskId}A`, 'ada'],
          ['one/0', 'ada'],
          ['', 'ada'],
          [result?.requestState ?? '', 'ada'],
        ] as const) {
          for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
            expect(reasonOf(await ask(url(), method, { taskId: id }, user)), `${user} ${id}`).toEqual(unknownTask);
          }
        }
        expect(received()).toEqual(before);
      });

      it('asks for a client that is capable of tasks', async () => {
        const response = await post(url(), 'tasks/get', { taskId: 'any', _meta: metaOf({}) });
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({
          error: {
            code: -32021,
            data: { reason: 'missing_capability', requiredCapabilities: { extensions: { [extension]: {} } } },
          },
        });
      });

      it('streams what becomes of the tasks of one server', async () => {
        const taskId = await create();
        const other = await create('two');
        const notifications = { toolsListChanged: true, taskIds: [taskId, other] };
        const stop = new AbortController();
        const response = await post(url(), 'subscriptions/listen', { notifications }, 'ada', undefined, stop.signal);
        expect(servers[0].messages.at(-1)?.message.params.notifications).toEqual({
          taskIds: [expect.stringContaining('one/')],
        });
        const [id = ''] = servers[0].messages.at(-1)?.message.params.notifications?.taskIds ?? [];
        const [acknowledged, told] = await events(response, 2, (index) => {
          if (index === 1) servers[0].tell(id, { status: 'completed', result: { content: [] } });
        });
        stop.abort();
        expect(acknowledged?.params?.notifications).toEqual({ taskIds: [taskId] });
        expect(told).toMatchObject({ method: 'notifications/tasks', params: { taskId, status: 'completed' } });

        const before = received();
        for (const ids of [[altered(taskId)], [taskId, 'one/0'], [7]]) {
          const params = { notifications: { taskIds: ids } };
          expect(reasonOf(await ask(url(), 'subscriptions/listen', params))).toEqual(unknownTask);
        }
        const forBob = await ask(url(), 'subscriptions/listen', { notifications: { taskIds: [taskId] } }, 'bob');
        expect(reasonOf(forBob)).toEqual(unknownTask);
        expect(received()).toEqual(before);
      });

      describe('the state of a request that asks for input', () => {
        const inputResponses = { user_name: { action: 'accept', content: { name: 'Ada' } } };
        const begin = async (server = 'one', user = 'ada'): Promise<string> => {
          const { result } = await ask(url(), 'tools/call', { name: `${server}_test_tool_with_task` }, user);
          expect(result).toMatchObject({ resultType: 'input_required' });
          expect(result?.requestState).toMatch(/^[\w-]+$/);
          return result?.requestState ?? '';
        };
        const again = (requestState: unknown, more: Json = {}, user = 'ada') => {
          const params = { name: 'one_test_tool_with_task', ...more, inputResponses, requestState };
          return ask(url(), 'tools/call', params, user);
        };

        it('comes back to its server, even the empty one', async () => {
          expect(await again(await begin())).toMatchObject({ result: { resultType: 'task' } });
          expect(servers[0].messages.at(-1)?.message.params.requestState).toBe('');
        });

        it('comes back in a call of any size', async () => {
          const blob = 'x'.repeat(300_000);
          for (const size of [1_000, 66_000, 300_000, 3_000_000]) {
            const more = { arguments: { blob: 'x'.repeat(size) } };
            expect(await again(await begin(), more), `${size} bytes`).toMatchObject({ result: { resultType: 'task' } });
          }
          const first = { requestState: await begin(), name: 'one_test_tool_with_task', arguments: { blob } };
          const answer = await ask(url(), 'tools/call', { ...first, inputResponses });
          expect(answer).toMatchObject({ result: { resultType: 'task' } });
        });

        it('is refused where it is no state of this server and this caller', async () => {
          const [state, ofTwo, ofBob] = [await begin(), await begin('two'), await begin('one', 'bob')];
          const taskId = await create();
          const before = received();
          const forged = [altered(state), ofTwo, ofBob, taskId, '', 'raw', 7, { a: 1 }];
          for (const requestState of forged) {
            expect(reasonOf(await again(requestState)), JSON.stringify(requestState)).toEqual(badState);
          }
          expect(received()).toEqual(before);
          expect(await again(state)).toMatchObject({ result: { resultType: 'task' } });
        });

        it('lets no call through whose state is refused, however large it is', async () => {
          const forged = altered(await begin());
          const before = received();
          const more = { arguments: { blob: 'x'.repeat(300_000) } };
          await again(forged, more).catch(() => undefined);
          expect(received()).toEqual(before);
        });

        it('is absent where there is none', async () => {
          const answer = await ask(url(), 'tools/call', { name: 'one_test_tool_with_task', requestState: null });
          expect(answer).toMatchObject({ result: { resultType: 'input_required' } });
        });
      });
    });

    describe('with one server, and callers that nobody tells apart', () => {
      const gateway = useGateway(() => ({
        servers: [{ name: servers[0].name, url: servers[0].url, prefix: '' }],
      }));

      it('passes every byte as it is', async () => {
        const { url } = gateway.current;
        const { result } = await ask(url, 'tools/call', { name: 'slow_compute', arguments: { seconds: 60 } });
        const taskId = result?.taskId ?? '';
        expect(taskId).toMatch(/^one\//);
        const _meta = metaOf();
        const get = JSON.stringify({ id: 7, jsonrpc: '2.0', method: 'tasks/get', params: { taskId, _meta } }, null, 1);
        expect(await ask(url, 'tasks/get', { taskId }, 'ada', get)).toMatchObject({ result: { taskId } });
        expect(servers[0].messages.at(-1)?.body).toBe(get);

        const params = { requestState: '\\/', name: 'greet', arguments: { name: 'Bo' }, _meta };
        const call = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }, null, 1);
        expect(await ask(url, 'tools/call', params, 'ada', call)).toMatchObject({ result: { resultType: 'complete' } });
        expect(servers[0].messages.at(-1)?.body).toBe(call);
        expect((await ask(url, 'server/discover', {})).result?.['capabilities']).toMatchObject({
          extensions: { [extension]: {}, 'com.example/other': {} },
        });
      });
    });
  });
}
