// A client with a session calls a tool of a server of 2026-07-28 that makes a task of the call (SEP-2663): the gateway asks
// for the task until it is done, and the client sees a call like any other.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { overHttp2 } from './adjust.ts';
import { message as messageOf } from './clients/answers.ts';
import { type EventStream, postForEvents } from './clients/event-stream.ts';
import { connectSdk1 } from './real-clients/sdk1.ts';
import { callMessage, openSession, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { until } from './until.ts';
import {
  type Answer,
  events,
  json,
  never,
  pieces,
  reset,
  result,
  type Scripted,
  startScripted,
  status,
} from './upstreams/scripted.ts';
import { startTaskServer, type TaskServer } from './upstreams/tasks.ts';

const extension = 'io.modelcontextprotocol/tasks';
const discovered = result(
  `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"extensions":{"${extension}":{}}},"ttlMs":0,"cacheScope":"public"}`,
);
const said = (called: { content?: unknown }): string | undefined =>
  (called.content as { text?: string }[] | undefined)?.[0]?.text;

interface Message {
  readonly id: string | number;
  readonly method?: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly result?: { readonly content: readonly { readonly text: string }[]; readonly isError?: boolean };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: { readonly reason: string } };
}

describeGateway('a client with a session and servers that make tasks of calls', () => {
  let servers: TaskServer[];
  let raw: Scripted;
  let raw2: Scripted;
  beforeAll(async () => {
    servers = await Promise.all([startTaskServer('one'), startTaskServer('two')]);
    raw = await startScripted({ answers: { 'server/discover': discovered } });
    raw2 = await startScripted({ http2: true, answers: { 'server/discover': discovered } });
  });
  afterAll(() => Promise.all([...servers, raw, raw2].map((server) => server.stop())));
  const gateway = useGateway(() => ({
    servers: [
      ...servers.map(({ name, url }) => ({ name, url })),
      {
        name: 'raw',
        url: raw.url,
        protocol: '2026-07-28',
        tools: { timeouts: { late: '2s' }, results: { small: { maxBytes: 1024 } } },
      },
      { name: 'raw2', url: raw2.url, protocol: '2026-07-28', tools: { results: { small: { maxBytes: 1024 } } } },
    ],
    plugin: {
      limits: { event: 200_000, handshakeTimeout: '1s' },
      audit: {},
      virtualServers: [
        { name: 'team/one', tools: ['one_*'] },
        { name: 'team/found', tools: ['one_*', 'two_*'], toolSearch: { enabled: true } },
      ],
    },
    adjust: overHttp2('raw2'),
  }));

  const ofManyEnvoys = useGateway(() => ({
    servers: servers.map(({ name, url }) => ({ name, url })),
    plugin: { sessions: { keys: [{ id: 1, env: 'SESSION_KEY' }] } },
    env: { SESSION_KEY: randomBytes(32).toString('base64url') },
  }));

  it('polls tasks where another Envoy can have the session, too', async () => {
    const session = await openSession(ofManyEnvoys.current.url);
    const called = await session.post(callMessage('"two_slow_compute"', '{"seconds":0}'));
    expect(said(messageOf(called).result ?? {})).toBe('computed by two');
  });

  it.each(['one', 'two'])('gives SDK clients what the tasks of %s come to', async (name) => {
    const client = await connectModern(gateway.current.url, 'legacy');
    const call = (tool: string, args = {}) => client.callTool({ name: `${name}_${tool}`, arguments: args });
    expect(said(await call('greet', { name: 'Bo' }))).toBe('Hello, Bo!');
    expect(said(await call('slow_compute', { seconds: 0.3 }))).toBe(`computed by ${name}`);
    expect(await call('failing_job')).toMatchObject({ isError: true, content: [{ text: 'it failed' }] });
    await expect(call('protocol_error_job')).rejects.toMatchObject({ code: -32603, message: /it broke/ });
    // Where there are several servers, a resource says which one has it.
    const linked = await call('linked_job');
    expect(linked.content).toMatchObject([{ uri: `file://${name}//report` }]);
    await client.close();
  });

  it('asks the client for what a server needs before it makes a task, and tells of what it needs in its course', async () => {
    const client = await connectModern(gateway.current.url, 'legacy');
    const call = (tool: string) => client.callTool({ name: tool, arguments: {} });
    expect(said(await call('one_test_tool_with_task'))).toBe('Hello, Ada!');
    const asked = await call('one_confirm_delete');
    expect(asked.isError).toBe(true);
    expect(said(asked)).toContain('nothing can be sent to the client any more');
    await until('it is cancelled', () => servers[0]?.messages.at(-1)?.message.method === 'tasks/cancel');
    await client.close();
  });

  it('does the same through a virtual server, and through call_tool', async () => {
    const one = await openSession(`${gateway.current.url}/team/one`);
    const called = await one.post(callMessage('"one_slow_compute"', '{"seconds":0}'));
    expect(said(messageOf(called).result ?? {})).toBe('computed by one');
    const found = await openSession(`${gateway.current.url}/team/found`);
    const args = '{"name":"two_slow_compute","arguments":{"seconds":0}}';
    const through = await found.post(callMessage('"call_tool"', args));
    expect(said(messageOf(through).result ?? {})).toBe('computed by two');
  });

  it('polls many at once, each for its own stream', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectSdk1(gateway.current.url)));
    const names = ['one', 'two', 'one', 'two', 'one'];
    const called = await Promise.all(
      clients.flatMap((client) => names.map((name) => client.call(`${name}_slow_compute`, { seconds: 0.2 }))),
    );
    expect(called.map(({ content }) => content[0]?.['text'])).toEqual(
      clients.flatMap(() => names.map((name) => `computed by ${name}`)),
    );
    await Promise.all(clients.map((client) => client.close()));
  });

  describe('in bytes', () => {
    let session: Session;
    let taskCount = 0;
    beforeEach(async () => {
      taskCount++;
      raw.forget();
      raw2.forget();
      session = await openSession(gateway.current.url);
    });
    const task = (more = '', id = `"t${taskCount}"`, state = 'working') =>
      `{"resultType":"task","taskId":${id},"status":"${state}","createdAt":"2026-11-30T10:00:00Z","lastUpdatedAt":"2026-11-30T10:00:00Z","ttlMs":60000,"pollIntervalMs":1${more}}`;
    const state = (named: string, more = '', id = `"t${taskCount}"`) =>
      `{"resultType":"complete","taskId":${id},"status":"${named}","createdAt":"x","lastUpdatedAt":"x","ttlMs":60000,"pollIntervalMs":1${more}}`;
    const bytes = '{"n":9007199254740993, "content":[{"text":"do\\u006ee","type":"text"}] }';
    /** The same of the task of the test that runs. */
    const says =
      (named: string, more = ''): Answer =>
      (request, reply) =>
        result(state(named, more))(request, reply);
    const done = () => state('completed', `,"result":${bytes}`);
    /** Answers one after the other; the last one for ever. */
    const inOrder = (...answers: Answer[]): Answer => {
      let next = 0;
      return (request, reply) => answers[Math.min(next++, answers.length - 1)]?.(request, reply);
    };
    /** The server makes a task, and says this of it in turn. */
    const script = (server: Scripted, ...gets: Answer[]) => {
      server.answers['tools/call'] = result(task());
      server.answers['tasks/get'] = inOrder(...gets);
      server.answers['tasks/cancel'] = result('{"resultType":"complete"}');
      server.answers['tasks/update'] = result('{"resultType":"complete"}');
    };
    const begin = (id = '7', name = 'raw_long', headers = {}): Promise<EventStream> =>
      postForEvents(gateway.current.url, session.id, callMessage(`"${name}"`, '{}', id), headers);
    const lastOf = async (stream: EventStream): Promise<Message> => {
      const messages = await stream.end();
      expect(messages).toHaveLength(1);
      return JSON.parse(messages[0] ?? '') as Message;
    };
    const params = (method: string, server = raw) =>
      (JSON.parse(server.last(method).body.toString()) as Message).params;
    const noted = async (method: string, server = raw) => {
      await until(`${method} has come`, () => server.of(method).length > 0);
      return params(method, server);
    };

    it.each([
      ['a document', () => result(task())],
      ['a document in parts', () => json('{"jsonrpc":"2.0",\r\n"id":', 'ID,\n"result":', task(), '\n}\n')],
      ['an event', () => events(': hi\n\n', `data: {"jsonrpc":"2.0","id":ID,"result":${task()}}\n\n`)],
      [
        'an event in parts',
        () =>
          pieces(
            'text/event-stream',
            `data: {"jsonrpc":"2.0","id":"I`.split('"I').concat(['ID', `,"result":${task()}}`, '\n', '\n']),
            2,
          ),
      ],
    ])('takes a task that comes in %s', async (name, first) => {
      script(raw, result(state('working')), result(done()));
      raw.answers['tools/call'] = first();
      const [text = ''] = await (await begin('"x"')).end();
      expect(text, name).toBe(`{"jsonrpc":"2.0","id":"x","result":${bytes}}`);
      expect(raw.of('tasks/get')).toHaveLength(2);
      const [first_, second] = raw.of('tasks/get');
      expect(first_?.id).not.toBe(second?.id);
      expect(second?.headers).toMatchObject({ 'mcp-method': 'tasks/get', 'mcp-name': `t${taskCount}` });
      for (const method of ['tools/call', 'tasks/get']) {
        expect(params(method)['_meta']).toMatchObject({
          'io.modelcontextprotocol/clientCapabilities': { extensions: { [extension]: {} } },
        });
      }
      expect(raw.of('tasks/cancel')).toEqual([]);
    });

    it('passes progress that comes before, and answers of other kinds as they are', async () => {
      script(raw, result(done()));
      const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}';
      const answer = `{"jsonrpc":"2.0","id":ID,"result":${task()}}`;
      raw.answers['tools/call'] = events(`data: ${progress}\n\n`, `data: ${answer}\n\n`);
      expect(await (await begin()).end()).toEqual([progress, `{"jsonrpc":"2.0","id":7,"result":${bytes}}`]);
      const plain = `{"jsonrpc": "2.0", "id":7,"result":{"structuredContent":{"resultType":"task"},"x":"${'y'.repeat(300_000)}"}}`;
      raw.answers['tools/call'] = json(plain.slice(0, 9), plain.slice(9, 200_000), plain.slice(200_000));
      expect(await (await begin()).end()).toEqual([plain]);
      const typed = '{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content":[]}}\n';
      raw.answers['tools/call'] = json(typed);
      expect(await (await begin()).end()).toEqual([typed]);
    });

    it('answers where the server leaves the stream of its answer open', async () => {
      script(raw, result(state('working')), result(done()));
      let end = (): void => undefined;
      raw.answers['tools/call'] = (request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write(`data: {"jsonrpc":"2.0","id":${request.id},"result":${task()}}\n\n`);
        end = () => {
          reply.write(': nothing more\n\n');
          reply.end();
        };
      };
      const stream = await begin();
      expect(await stream.next()).toBe(`{"jsonrpc":"2.0","id":7,"result":${bytes}}`);
      end();
      expect(await stream.end()).toEqual([]);
    });

    it('gives a client that takes JSON alone one document', async () => {
      script(raw, events('data: {"jsonrpc":"2.0","id":ID,"result":', `${state('working')}}\n\n`), result(done()));
      const post = async () =>
        session.post(callMessage('"raw_long"', '{}', '8'), { headers: { accept: 'application/json' } });
      const answer = await post();
      expect(answer.headers['content-type']).toBe('application/json');
      expect(answer.text).toBe(`{"jsonrpc":"2.0","id":8,"result":${bytes}}`);
      script(raw, result(state('cancelled')));
      expect(messageOf(await post()).result).toMatchObject({ isError: true });
      // What it would have to be asked for, nobody has told the server that it can be.
      raw.answers['tools/call'] = inOrder(
        result('{"resultType":"input_required","requestState":"s"}'),
        events('data: {"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"again"}]}}\n\n'),
      );
      expect(said(messageOf(await post()).result ?? {})).toBe('again');
      raw.answers['tools/call'] = json('{"jsonrpc":"2.0","id":ID,"result":', '{"resultType":"task"');
      expect(messageOf(await post()).error).toMatchObject({ data: { reason: 'upstream_protocol' } });
    });

    it.each([
      ['NUL and others', '"a\\u0000\\/ü\\n \\ud83d\\ude00"', 'a\0/ü\n 😀'],
      ['4,096 bytes', `"${'x'.repeat(4096)}"`, 'x'.repeat(4096)],
    ])('asks for a task whose id has %s', async (_, id, text) => {
      script(raw);
      raw.answers['tools/call'] = result(task('', id));
      raw.answers['tasks/get'] = result(state('completed', `,"result":${bytes}`, id));
      expect(said((await lastOf(await begin())).result ?? {})).toBe('done');
      expect(params('tasks/get')['taskId']).toBe(text);
    });

    const html: Answer = status(200, 'text/html', '<p>hello</p>');
    const other = '{"resultType":"complete","taskId":"another","status":"completed","result":{"content":[]}}';
    it.each<[string, string, string, string, boolean, Answer[]]>([
      ['an unknown status', 'upstream_protocol', 'a status that there is not', '', true, [says('paused')]],
      ['HTML', 'upstream_protocol', 'neither JSON nor', '', true, [html]],
      ['404', 'upstream_status', 'HTTP 404', '', true, [status(404, 'text/html', '<p>')]],
      ['another task', 'upstream_protocol', 'another one', '', true, [result(other)]],
      ['no task', 'upstream_protocol', 'neither a task', '', true, [result('{"content":[]}')]],
      [
        'the response to another request',
        'upstream_protocol',
        'neither a task',
        '',
        true,
        [json('{"jsonrpc":"2.0","id":1,"result":{}}')],
      ],
      ['no result of a completed one', 'upstream_protocol', 'neither a result', '', false, [says('completed')]],
      [
        'a result that is none',
        'upstream_protocol',
        'neither a result',
        '',
        false,
        [says('completed', ',"result":[1]')],
      ],
      ['no error of a failed one', 'upstream_protocol', 'neither a result', '', false, [says('failed')]],
      ['500 again and again', 'upstream_status', 'HTTP 500', '', true, [status(500, 'text/plain', 'x')]],
      ['nothing', 'upstream_timeout', 'no answer', '', true, [never]],
      ['the end of the connection', 'upstream_unreachable', '', '', true, [reset]],
    ])('tells the client of a server that says %s of its task', async (_, reason, why, more, isCancelled, gets) => {
      script(raw, ...gets);
      const stream = await begin();
      const last = await lastOf(stream);
      expect(last.error?.data?.reason, JSON.stringify(last)).toBe(reason);
      expect(last.error?.message).toContain(why + more);
      if (isCancelled) expect(await noted('tasks/cancel')).toMatchObject({ taskId: `t${taskCount}` });
      else expect(raw.of('tasks/cancel')).toEqual([]);
    });

    it.each([
      [
        'has lost it',
        json('{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"Task has expired"}}'),
        'expired',
      ],
      ['has cancelled it', says('cancelled'), 'cancelled there'],
    ])('tells the model of a server that %s', async (_, answer, why) => {
      script(raw, answer);
      const { result: called } = await lastOf(await begin());
      expect(called?.isError).toBe(true);
      expect(said(called ?? {})).toContain(why);
      expect(raw.of('tasks/cancel')).toEqual([]);
    });

    it('passes the error of a failed task byte by byte', async () => {
      const error = '{"message":"no\\u0021","code":-32603, "data":{"n":9007199254740993}}';
      script(raw, result(state('failed', `,"error":${error}`)));
      expect(await (await begin()).end()).toEqual([`{"jsonrpc":"2.0","id":7,"error":${error}}`]);
    });

    it('asks again where the server fails for a moment', async () => {
      script(raw, status(503, 'text/plain', 'x'), status(429), result(done()));
      expect(said((await lastOf(await begin())).result ?? {})).toBe('done');
    });

    it.each(['0', '-5', '"1"', 'null', '0.5', '[]'])('takes an interval of %s', async (interval) => {
      script(raw, result(done()));
      raw.answers['tools/call'] = result(task(`,"pollIntervalMs":${interval}`));
      expect(said((await lastOf(await begin())).result ?? {})).toBe('done');
    });

    it.each([
      ['a long interval', ',"pollIntervalMs":1e9', 'raw_late'],
      ['a time to live that is over', ',"ttlMs":1', 'raw_long'],
      ['neither', '', 'raw_late'],
    ])('gives up a task that is never done, with %s', async (_, more, name) => {
      script(raw, result(state('working', more)));
      raw.answers['tools/call'] = result(task(more));
      const last = await lastOf(await begin('7', name));
      expect(last.error?.data?.reason).toBe('upstream_timeout');
      expect(last.error?.message).toContain('not done in time');
      await noted('tasks/cancel');
    });

    it.each(['100', '""', 'null', '["t"]', `"${'x'.repeat(100_000)}"`, '"\\ud800"'])(
      'refuses a task with an id that nobody can ask for: %#',
      async (id) => {
        script(raw);
        raw.answers['tools/call'] = result(task('', id));
        const { error } = await lastOf(await begin());
        expect(error).toMatchObject({ data: { reason: 'upstream_protocol' } });
        expect(raw.of('tasks/get')).toEqual([]);
      },
    );

    it('tells the client of a task that is larger than limits.event', async () => {
      script(raw);
      raw.answers['tools/call'] = result(task(`,"statusMessage":"${'x'.repeat(300_000)}"`));
      expect((await lastOf(await begin())).result?.isError).toBe(true);
    });

    it('cancels the task of a call that is cancelled, and answers the call', async () => {
      script(raw, result(state('working')));
      const stream = await begin('9');
      await noted('tasks/get');
      await session.post('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}');
      expect(await lastOf(stream)).toMatchObject({ id: 9, error: { code: -32800, message: /cancel the task/ } });
      expect(await noted('tasks/cancel')).toMatchObject({ taskId: `t${taskCount}` });
      expect(raw.of('tasks/cancel')[0]?.headers).toMatchObject({
        'mcp-method': 'tasks/cancel',
        'mcp-name': `t${taskCount}`,
      });
    });

    it('cancels the task of a client that goes away', async () => {
      script(raw, result(state('working')));
      const stream = await begin('8');
      await noted('tasks/get');
      stream.leave();
      expect(await noted('tasks/cancel')).toMatchObject({ taskId: `t${taskCount}` });
      const before = raw.of('tasks/get').length;
      await sleep(500);
      expect(raw.of('tasks/get').length).toBeLessThanOrEqual(before + 1);
      expect(raw.of('tasks/cancel')).toHaveLength(1);
    });

    it('holds what a task comes to to results, and counts and records it as any call', async () => {
      script(raw);
      const large = `{"content":[{"type":"text","text":"${'z'.repeat(5000)}"}]}`;
      raw.answers['tasks/get'] = result(state('completed', `,"result":${large}`));
      expect(said((await lastOf(await begin('7', 'raw_small'))).result ?? {})).toContain(
        'The gateway has cut this result',
      );
      expect(said((await lastOf(await begin())).result ?? {})).toBe('z'.repeat(5000));
      raw.answers['tasks/get'] = result(state('cancelled'));
      await lastOf(await begin());
      await until('it is counted', async () => (await gateway.current.prometheus()).includes('task_failed'));
      await until('it is recorded', () => /audit \{[^\n]*"raw_long"[^\n]*task_failed/.test(gateway.current.log()));
    });

    it('takes the task of a server over HTTP/2, however its answer ends', async () => {
      script(raw2, result(done()));
      expect(said((await lastOf(await begin('7', 'raw2_x'))).result ?? {})).toBe('done');
      const text = `{"jsonrpc":"2.0","id":ID,"result":${task()}}`;
      for (const [type, body] of [
        ['application/json', text],
        ['text/event-stream', `data: ${text}\n\n`],
      ] as const) {
        raw2.answers['tools/call'] = async (request, reply) => {
          reply.head(200, { 'content-type': type });
          reply.write(body.replace('ID', request.id));
          await sleep(20);
          reply.end('', { 'x-trailer': 'of the server' });
        };
        for (const tool of ['raw2_x', 'raw2_small'])
          expect(said((await lastOf(await begin('7', tool))).result ?? {})).toBe('done');
      }
    });
  });
});
