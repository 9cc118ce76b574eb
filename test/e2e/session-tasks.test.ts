// Tasks of 2025-11-25, which the gateway does not carry: nothing says that it does.
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { callMessage, listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { result, type Scripted, startScripted, status } from './upstreams/scripted.ts';

const tool = (name: string, taskSupport: string): string =>
  `{"name":"${name}","inputSchema":{"type":"object"},"execution":{"taskSupport":"${taskSupport}"}}`;
const tasks = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
const clientTasks = { list: {}, cancel: {}, requests: { sampling: { createMessage: {} } } };

describeGateway('servers with tasks of 2025-11-25', () => {
  let servers: Scripted[];
  beforeAll(async () => {
    const options = {
      sessionId: 'session',
      initialized: { capabilities: { tools: {}, tasks } },
      tools: `[${['required', 'optional', 'forbidden'].map((support) => tool(support, support)).join()}]`,
    };
    servers = await Promise.all([startScripted(options), startScripted(options)]);
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  describe.each([['one'], ['one', 'two']])('%j', (...names) => {
    const gateway = useGateway(() => ({
      servers: names.map((name, index) => ({ name, url: servers[index]?.url ?? '' })),
    }));

    it('offer none, and list no tool that needs one', async () => {
      const client = new Client({ name: 'tasks', version: '1' });
      await client.connect(new StreamableHTTPClientTransport(new URL(gateway.current.url)));
      expect(client.getServerCapabilities()).toEqual({ tools: {} });
      const { tools } = await client.listTools();
      expect(tools.map(({ name, execution }) => [name, execution?.taskSupport])).toEqual(
        names.flatMap((name) => ['optional', 'forbidden'].map((support) => [`${name}_${support}`, support])),
      );
      await client.close();
    });

    it(`${names.length > 1 ? 'do not hear' : 'hear'} of tasks of the client, and of all else`, async () => {
      const ofTasks = names.length > 1 ? {} : { tasks: clientTasks };
      const remembered = { sampling: {}, roots: { listChanged: true }, ...ofTasks };
      const told = { experimental: { x: { n: 1 } }, ...remembered };
      const declared = { ...told, tasks: clientTasks };
      const capabilitiesOf = ({ body }: Scripted['requests'][number]): unknown =>
        (JSON.parse(body.toString()) as { params: { capabilities: unknown } }).params.capabilities;
      for (const server of servers) server.forget();
      const session = await openSession(gateway.current.url, { capabilities: declared });
      const asked = servers.slice(0, names.length);
      for (const server of asked) expect(capabilitiesOf(server.last('initialize'))).toEqual(told);

      // A server that has lost its session is told what is remembered.
      const [one] = asked;
      if (one === undefined) throw new Error('there is no server');
      let lost = true;
      one.answers = {
        'tools/call': (request, reply) => {
          const answer = lost ? status(404) : result('{"content":[]}');
          lost = false;
          return answer(request, reply);
        },
      };
      one.forget();
      expect((await session.post(callMessage('"one_optional"'))).text).toContain('"result"');
      expect(capabilitiesOf(one.last('initialize'))).toEqual(remembered);
      one.answers = {};
    });

    it.each(['tasks/list', String.raw`t\u0061sks\/list`])(
      `${names.length > 1 ? 'do not get' : 'get'} what a client does for all that ask it (%s)`,
      async (method) => {
        const taskStore = new InMemoryTaskStore();
        const client = new Client({ name: 'tasks', version: '1' }, { capabilities: { tasks: clientTasks }, taskStore });
        await client.connect(new StreamableHTTPClientTransport(new URL(gateway.current.url)));
        await taskStore.createTask({}, 1, { method: 'sampling/createMessage', params: {} });
        const last = servers[names.length - 1];
        if (last === undefined) throw new Error('there is no server');
        let answered = (): void => undefined;
        last.answers = {
          POST: (request, reply) => {
            void status(202)(request, reply);
            answered();
          },
          'tools/call': async ({ id }, reply) => {
            const heard = new Promise<void>((resolve) => (answered = resolve));
            reply.head(200, { 'content-type': 'text/event-stream' });
            reply.write(`data: {"jsonrpc":"2.0","id":5,"method":"${method}"}\n\n`);
            await heard;
            reply.end(`data: {"jsonrpc":"2.0","id":${id},"result":{"content":[]}}\n\n`);
          },
        };
        last.forget();
        await client.callTool({ name: `${names.at(-1) ?? ''}_optional` });
        const response: unknown = JSON.parse(last.last('POST').body.toString());
        const unknown = { error: { code: -32601 } };
        const listed = { result: { tasks: [{ status: 'working' }] } };
        expect(response).toMatchObject({ id: 5, ...(names.length > 1 ? unknown : listed) });
        last.answers = {};
        await client.close();
      },
    );

    it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
      'tell a client of %s what they say of tools, and serve it',
      async (revision) => {
        const session = await openSession(gateway.current.url, { revision });
        const listed = message(await session.post(listMessage()));
        expect(listed.result?.['tools']).toMatchObject(
          names.flatMap(() => ['optional', 'forbidden'].map((taskSupport) => ({ execution: { taskSupport } }))),
        );
        for (const server of servers) server.answers = { 'tools/call': result('{"content":[]}') };
        for (const support of ['optional', 'forbidden']) {
          const called = await session.post(callMessage(`"${names[0]}_${support}"`));
          expect(message(called).result).toEqual({ content: [] });
        }
        for (const server of servers) server.answers = {};
      },
    );

    it.each(['tasks/list', 'tasks/get', 'tasks/result', 'tasks/cancel'])('have no %s', async (method) => {
      const session = await openSession(gateway.current.url);
      for (const server of servers) server.forget();
      const asked = await session.post(`{"jsonrpc":"2.0","id":7,"method":"${method}","params":{"taskId":"1"}}`);
      expect(refusal(asked)).toMatchObject({ status: 200, id: 7, code: -32601, reason: 'method_not_found' });
      expect(servers.flatMap(({ requests }) => requests)).toEqual([]);
    });
  });
});
