// The table of docs/compatibility.md that says what comes across the eras, cell by cell.
import { readFileSync } from 'node:fs';
import type { Client, ContentBlock } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postForEvents } from './clients/event-stream.ts';
import { callMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Meeting, type Row, matrix, meetings } from './era-matrix.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { until } from './until.ts';
import { type CompleteServer, startCompleteServer } from './upstreams/complete/server.ts';
import { type EventServer, startEventServer } from './upstreams/events.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';
import { startTaskServer, type TaskServer } from './upstreams/tasks.ts';

const revision = '2026-07-28';
const watched = 'watched-resource';

describeGateway('what comes across the eras', () => {
  let old: CompleteServer;
  let modern: ModernServer;
  /** The SDKs have neither events nor this extension for tasks yet. */
  let happening: EventServer;
  let tasking: TaskServer;
  beforeAll(async () => {
    [old, modern, happening, tasking] = await Promise.all([
      startCompleteServer('old'),
      startModernServer('modern'),
      startEventServer('happening'),
      startTaskServer('tasking'),
    ]);
  });
  afterAll(() => Promise.all([old.stop(), modern.stop(), happening.stop(), tasking.stop()]));
  const gateway = useGateway(() => ({
    servers: [old, modern, happening, tasking].map(({ name, url }) => ({ name, url })),
  }));

  /** A client and a server that meet. */
  interface Scene {
    readonly client: Meeting['client'];
    readonly server: Meeting['server'];
    readonly api: Client;
    /** The server's name and prefix. */
    readonly name: string;
    readonly told: readonly string[];
    /** What the page says. */
    readonly says: string;
  }

  const textOf = ({ content = [] }: { content?: unknown }): string => {
    const [block] = content as ContentBlock[];
    return block?.type === 'text' ? block.text : JSON.stringify(block);
  };
  const call = async ({ api, name }: Scene, tool: string, args = {}) =>
    api.callTool({ name: `${name}_${tool}`, arguments: args });

  /** Asks a server that asks back. @param tools one of each era, with arguments */
  const ask = async (scene: Scene, ofSession: [string, object], ofStateless: string, answer: RegExp): Promise<void> => {
    const [tool, args] = scene.server === 'session' ? ofSession : [ofStateless, {}];
    const result = await call(scene, tool, args).catch((error: unknown) => ({ content: [], failed: String(error) }));
    if (scene.says.startsWith('no')) expect(JSON.stringify(result)).toMatch(/not support|failed|isError/);
    else expect(textOf(result)).toMatch(answer);
    if (!scene.says.includes('once')) return;
    expect(textOf(await call(scene, 'test_input_required_result_multi_round'))).toContain('asks again');
  };

  /** A raw call that its server never answers by itself, of the client's era. */
  const begin = async ({ client, name }: Scene) => {
    const { url } = gateway.current;
    if (client === 'session') {
      const session = await openSession(url);
      const message = callMessage(`"${name}_test_waiting"`, '{}', '5');
      return { session, call: postForEvents(url, session.id, message) };
    }
    const controller = new AbortController();
    const meta = {
      'io.modelcontextprotocol/protocolVersion': revision,
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const params = { name: `${name}_test_waiting`, arguments: {}, _meta: meta };
    const sent = fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': revision,
        'mcp-method': 'tools/call',
        'mcp-name': params.name,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params }),
      signal: controller.signal,
    });
    sent.catch(() => undefined); // it is left
    return {
      leave: () => {
        controller.abort();
      },
    };
  };
  const waits = ({ told }: Scene, before: number) =>
    until('the call waits', () => told.slice(before).includes('a call waits'));
  const isCancelled = ({ told }: Scene, before: number) => told.slice(before).includes('a call was cancelled');

  const proofs: Record<Row, (scene: Scene) => Promise<void>> = {
    'lists of tools, prompts, resources, resource templates': async ({ api, name }) => {
      const lists = [
        await api.listTools(),
        await api.listPrompts(),
        await api.listResources(),
        await api.listResourceTemplates(),
      ];
      const text = JSON.stringify(lists);
      for (const mine of [
        `"${name}_test_same_name"`,
        `"test://${name}/static-text"`,
        `"test://${name}/template/{id}/data"`,
      ])
        expect(text).toContain(mine);
    },
    '`tools/call`, `prompts/get`': async (scene) => {
      const { api, name } = scene;
      expect(textOf(await call(scene, 'test_same_name', { filler: 'x'.repeat(100_000) }))).toBe(`a tool of ${name}`);
      const { messages } = await api.getPrompt({ name: `${name}_test_same_name` });
      expect(messages[0]?.content).toEqual({ type: 'text', text: `a prompt of ${name}` });
    },
    '`resources/read`': async ({ api, name }) => {
      const uri = `test://${name}/static-text`;
      const { contents } = await api.readResource({ uri });
      expect(contents[0]).toMatchObject({ uri, text: `The static text of ${name}.` });
    },
    '`completion/complete`': async ({ api, name }) => {
      const ref = { type: 'ref/prompt' as const, name: `${name}_test_prompt_with_arguments` };
      const { completion } = await api.complete({ ref, argument: { name: 'arg1', value: 'x' } });
      expect(completion.values).toEqual(['x0', 'x1', name]);
    },
    'progress of a call': async ({ api, name }) => {
      const seen: number[] = [];
      const params = { name: `${name}_test_tool_with_progress`, arguments: {} };
      await api.callTool(params, { onprogress: ({ progress }) => seen.push(progress) });
      expect(seen).toEqual([0, 50, 100]);
    },
    'an argument that a header repeats (`x-mcp-header`)': async (scene) => {
      const { tools } = await scene.api.listTools();
      const mirrored = tools.filter((tool) => JSON.stringify(tool).includes('x-mcp-header')).map((tool) => tool.name);
      expect(mirrored.some((tool) => tool.startsWith(scene.name))).toBe(scene.says !== 'no header');
      if (scene.says === 'no header') return;
      const called = call(scene, 'test_x_mcp_header', { region: 'zürich' });
      expect(textOf(await called)).toBe('{"region":"zürich"}');
    },
    'elicitation during a call': (scene) =>
      ask(
        scene,
        ['test_elicitation', { message: 'Who?' }],
        'test_input_required_result_elicitation',
        /action=accept|Hello, Ada!/,
      ),
    'sampling and roots during a call': async (scene) => {
      await ask(scene, ['test_sampling', { prompt: 'x' }], 'test_input_required_result_sampling', /Paris/);
      await ask(scene, ['test_roots', {}], 'test_input_required_result_list_roots', /file:\/\/\/home/);
    },
    tasks: async ({ client, server, api, name, says }) => {
      const own = server === 'session' ? name : tasking.name;
      if (client === 'session') {
        expect(JSON.stringify(api.getServerCapabilities())).not.toContain('tasks');
        if (says === 'no') return;
        const called = await api.callTool({ name: `${own}_slow_compute`, arguments: { seconds: 0.3 } });
        expect(textOf(called)).toBe('computed by tasking');
        const asked = tasking.messages.filter(({ message }) => message.method === 'tasks/get');
        expect(asked.length).toBeGreaterThan(0);
        return;
      }
      const ask = async (method: string, params: Record<string, unknown>): Promise<string> => {
        const _meta = {
          'io.modelcontextprotocol/protocolVersion': revision,
          'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
        };
        const named = String(params['taskId'] ?? params['name']);
        const headers = { 'mcp-protocol-version': revision, 'mcp-method': method, 'mcp-name': named };
        const body = JSON.stringify({ jsonrpc: '2.0', id: 5, method, params: { ...params, _meta } });
        return (await post(gateway.current.url, body, { headers })).text;
      };
      const tool = server === 'session' ? 'test_same_name' : 'slow_compute';
      const text = await ask('tools/call', { name: `${own}_${tool}`, arguments: { seconds: 60 } });
      const [, taskId] = /"taskId":"([^"]+)"/.exec(text) ?? [];
      expect(taskId !== undefined, text).toBe(says === 'yes');
      if (taskId !== undefined) expect(await ask('tasks/cancel', { taskId })).toContain('"result"');
    },
    '[events](#events): list, poll, stream, subscribe': async ({ client, name, says }) => {
      const { url } = gateway.current;
      const type = `${says === 'yes' ? 'happening' : name}_email.received`;
      if (client === 'session') {
        const session = await openSession(url);
        const asked = JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'events/poll', params: { name: type } });
        expect((await session.post(asked)).text).toContain('"method_not_found"');
        await session.end();
        return;
      }
      const meta = {
        'io.modelcontextprotocol/protocolVersion': revision,
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const answered: Record<string, string> = {};
      for (const method of ['events/list', 'events/poll', 'events/unsubscribe']) {
        const params = { ...(method !== 'events/list' && { name: type }), _meta: meta };
        const headers = { 'mcp-protocol-version': revision, 'mcp-method': method };
        const body = JSON.stringify({ jsonrpc: '2.0', id: 5, method, params });
        answered[method] = (await post(url, body, { headers })).text;
      }
      if (says === 'yes') expect(answered['events/list']).toContain(`"${type}"`);
      else expect(answered['events/list']).not.toContain(`"${type}"`);
      for (const method of ['events/poll', 'events/unsubscribe'])
        expect(answered[method]).toContain(says === 'yes' ? '"result"' : '"unknown_event"');
    },
    'changes of one of several servers': async ({ client, api, name, says, told }) => {
      const uri = `test://${name}/${watched}`;
      if (client === 'session') {
        if (says.startsWith('no')) await expect(api.subscribeResource({ uri })).rejects.toThrow();
        else {
          await api.subscribeResource({ uri });
          expect(told).toContain(`subscribed to test://${watched}`);
          const heard: unknown[] = [];
          api.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
          await api.callTool({ name: `${name}_test_updating`, arguments: {} });
          expect(heard).toEqual([uri]);
        }
        return;
      }
      const meta = {
        'io.modelcontextprotocol/protocolVersion': revision,
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const params = { notifications: { resourceSubscriptions: [uri] }, _meta: meta };
      const headers = { 'mcp-protocol-version': revision, 'mcp-method': 'subscriptions/listen' };
      const listened = await post(
        gateway.current.url,
        JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }),
        { headers },
      );
      expect(listened.text).toContain('notifications/subscriptions/acknowledged');
      expect(listened.text).toContain('"notifications":{}');
    },
    'the client cancels a call': async (scene) => {
      const before = scene.told.length;
      const { session, call: called, leave } = await begin(scene);
      await waits(scene, before);
      const notice = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}';
      if (session === undefined) leave();
      else expect((await session.post(notice)).status).toBe(202);
      await until('the server knows', () => isCancelled(scene, before));
      (await called)?.leave();
      await session?.end();
    },
    'the client goes away during a call': async (scene) => {
      const before = scene.told.length;
      if (scene.client === 'session') {
        const session = await openSession(gateway.current.url);
        const controller = new AbortController();
        const sent = fetch(gateway.current.url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-session-id': session.id,
          },
          body: callMessage(`"${scene.name}_test_waiting"`, '{}', '6'),
          signal: controller.signal,
        });
        sent.catch(() => undefined); // it is left
        await waits(scene, before);
        controller.abort();
        if (scene.says === 'cancelled') await until('the server knows', () => isCancelled(scene, before));
        else {
          await call(scene, 'test_same_name');
          expect(isCancelled(scene, before)).toBe(false);
        }
        await session.end();
        return;
      }
      const { leave } = await begin(scene);
      await waits(scene, before);
      leave?.();
      await until('the server knows', () => isCancelled(scene, before));
    },
    'a session that the server has lost': async (scene) => {
      await call(scene, 'test_same_name');
      old.forget();
      const from = modern.requests.length;
      expect(textOf(await call(scene, 'test_same_name'))).toBe(`a tool of ${scene.name}`);
      if (scene.says !== 'has none') return;
      const seen = modern.requests.slice(from);
      expect(seen.length).toBeGreaterThan(0);
      for (const { headers } of seen) expect(headers['mcp-session-id']).toBeUndefined();
    },
  };

  describe.each(meetings.map((meeting, column) => ({ ...meeting, column })))(
    'a $client client and a $server server',
    ({ client, server, column }) => {
      let api: Client;
      beforeAll(async () => {
        api = await connectModern(gateway.current.url, client === 'session' ? 'legacy' : { pin: revision });
      });
      afterAll(() => api.close());

      it.each(Object.keys(matrix) as Row[])('%s', async (row) => {
        const says = matrix[row][column] ?? '';
        const { name, told } = server === 'session' ? old : modern;
        await proofs[row]({ client, server, api, name, told, says });
      });
    },
  );

  it('is what the page says', () => {
    const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
    const [, section = ''] = page.split('### What comes across\n');
    const [table = ''] = /(?:^\|.*\n)+/m.exec(section) ?? [];
    const [, , ...rows] = table
      .trim()
      .split('\n')
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(rows).toEqual(Object.entries(matrix).map(([row, cells]) => [row, ...cells]));
  });
});
