// What a server of 2026-07-28 needs for a call, asked of a client with a session in the stream of its answer.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { overHttp2 } from './adjust.ts';
import { refusal } from './clients/answers.ts';
import { type EventStream, postForEvents } from './clients/event-stream.ts';
import { callMessage, openSession, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectSdk1 } from './real-clients/sdk1.ts';
import { connectModern } from './stateless-era.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';
import { type Answer, type Scripted, events, json, result, startScripted } from './upstreams/scripted.ts';
import { until } from './until.ts';

const said = (called: { content?: unknown }): string | undefined =>
  (called.content as { text?: string }[] | undefined)?.[0]?.text;

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const discovered = result(
  '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"public"}',
);
const done = result('{"resultType":"complete","content":[{"type":"text","text":"done"}]}');

interface Message {
  readonly id: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: { readonly content: readonly { readonly text: string }[]; readonly isError?: boolean };
}

describeGateway('a client with a session and servers that ask for input', () => {
  let servers: ModernServer[];
  let raw: Scripted;
  let raw2: Scripted;
  beforeAll(async () => {
    servers = await Promise.all([startModernServer('one'), startModernServer('two')]);
    raw = await startScripted({ answers: { 'server/discover': discovered } });
    raw2 = await startScripted({ http2: true, answers: { 'server/discover': discovered } });
  });
  afterAll(() => Promise.all([...servers, raw, raw2].map((server) => server.stop())));
  const configured = () => [
    ...servers.map(({ name, url }) => ({ name, url })),
    { name: 'raw', url: raw.url, protocol: '2026-07-28' },
    { name: 'raw2', url: raw2.url, protocol: '2026-07-28' },
  ];
  const gateway = useGateway(() => ({
    servers: configured(),
    plugin: { limits: { event: 65_536 } },
    adjust: overHttp2('raw2'),
  }));
  const ofManyEnvoys = useGateway(() => ({
    servers: configured(),
    plugin: { sessions: { keys: [{ id: 1, env: 'SESSION_KEY' }] } },
    env: { SESSION_KEY: randomBytes(32).toString('base64url') },
  }));

  it.each(['one', 'two'])('has SDK clients ask their users for %s', async (name) => {
    const client = await connectModern(gateway.current.url, 'legacy');
    const call = async (tool: string) => said(await client.callTool({ name: `${name}_${tool}`, arguments: {} }));
    expect(await call('test_input_required_result_elicitation')).toBe('Hello, Ada!');
    expect(await call('test_input_required_result_sampling')).toContain('Paris');
    expect(await call('test_input_required_result_list_roots')).toContain('file:///home');
    expect(await call('test_input_required_result_request_state')).toBe('state-ok');
    expect(await call('test_input_required_result_multiple_inputs')).toBe('all are there');
    const prompt = await client.getPrompt({ name: `${name}_test_input_required_result_prompt` });
    expect(prompt.messages[0]?.content).toEqual({ type: 'text', text: 'here' });
    await client.close();
  });

  it('asks many at once, each in its own stream', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectSdk1(gateway.current.url)));
    const names = ['one', 'two', 'one', 'two', 'one'];
    const called = await Promise.all(
      clients.flatMap((client) => names.map((name) => client.call(`${name}_test_input_required_result_sampling`))),
    );
    for (const { content } of called) expect(content[0]?.['text']).toContain('What is the capital of France?');
    await Promise.all(clients.map((client) => client.close()));
  });

  describe('in bytes', () => {
    let session: Session;
    /** What the server was called with, in order. */
    const calls = () => raw.of('tools/call').map(({ body }) => JSON.parse(body.toString()) as Message);
    const need = (requests: string, state = '"s\\u0031 9007199254740993"') =>
      `{"requestState":${state},"inputRequests":${requests},"resultType":"input_required"}`;
    const elicitation =
      '{"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object"}}}';
    /** Asks at first, and answers the second time. */
    const asking =
      (first: Answer, second: Answer = done): Answer =>
      (request, reply) =>
        (request.body.includes('"requestState"') ? second : first)(request, reply);
    beforeEach(async () => {
      raw.forget();
      session = await openSession(gateway.current.url, { capabilities });
    });

    const begin = (id = '7', name = 'raw_ask'): Promise<EventStream> =>
      postForEvents(gateway.current.url, session.id, callMessage(`"${name}"`, '{"n":9007199254740993}', id));
    const nextOf = async (stream: EventStream) => JSON.parse(await stream.next()) as Message;
    const respond = (asked: Message, value = '"result":{"action":"accept","content":{"n":9007199254740993}}') =>
      session.post(`{"jsonrpc":"2.0","id":${JSON.stringify(asked.id)},${value}}`);
    const textOf = ({ result: called }: Message) => called?.content[0]?.text;

    const message = (requests: string) => `{"jsonrpc":"2.0","id":ID,"result":${need(requests)}}`;
    it.each([
      ['a document', json(message(`{"k":${elicitation}}`))],
      [
        'a document in parts, with line breaks',
        json('{"jsonrpc":"2.0",\r\n"id":', 'ID,\n"result":', need(`{"k":\n${elicitation}}`), '\n}\n'),
      ],
      ['events', events(': hi\n\n', `data: ${message(`{"k":${elicitation}}`)}\n\n`)],
      [
        'events in parts',
        events(
          'event: message\nda',
          `ta: ${message(`{"k":${elicitation}}`).slice(0, 60)}`,
          `${message(`{"k":${elicitation}}`).slice(60)}\n`,
          '\n',
        ),
      ],
    ])('asks for what comes in %s', async (_, first) => {
      raw.answers['tools/call'] = asking(first);
      const stream = await begin();
      const asked = await nextOf(stream);
      expect(asked).toMatchObject({ method: 'elicitation/create', params: { message: 'Who?' } });
      expect((await respond(asked)).status).toBe(202);
      expect(textOf(await nextOf(stream))).toBe('done');
      expect(await stream.end()).toEqual([]);
      const [first_, again] = calls();
      expect(first_?.params?.['_meta']).toMatchObject({
        'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
      });
      expect(again?.id).not.toBe(first_?.id);
      const body = raw.last('tools/call').body.toString();
      expect(body).toContain('"arguments":{"n":9007199254740993}');
      expect(body).toContain('"inputResponses":{"k":{"action":"accept","content":{"n":9007199254740993}}}');
      expect(body).toContain('"requestState":"s\\u0031 9007199254740993"');
    });

    it('passes on what comes before, and takes responses in any order', async () => {
      const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}';
      const requests = `{"a":${elicitation},"b\\"":{"method":"roots/list"},"c":{"method":"sampling/createMessage","params":{"messages":[]}}}`;
      raw.answers['tools/call'] = asking(events(`data: ${progress}\n\n`, `data: ${message(requests)}\n\n`));
      const stream = await begin('"x"');
      expect(await nextOf(stream)).toEqual(JSON.parse(progress));
      const [a, b, c] = [await nextOf(stream), await nextOf(stream), await nextOf(stream)];
      expect([a, b, c].map(({ method }) => method)).toEqual([
        'elicitation/create',
        'roots/list',
        'sampling/createMessage',
      ]);
      await respond(c, '"result":{"n":3}');
      await respond(a, '"error":{"code":-1,"message":"no"}');
      // The first one counts.
      await respond(c, '"result":{"n":4}');
      await respond(b, '"result":{"n":2}');
      const last = await nextOf(stream);
      expect(last.id).toBe('x');
      expect(textOf(last)).toBe('done');
      expect(calls().at(-1)?.params?.['inputResponses']).toEqual({
        a: { action: 'cancel' },
        'b"': { n: 2 },
        c: { n: 3 },
      });
    });

    it('gives a page to be opened the id that this revision has for it', async () => {
      const page =
        '{"method":"elicitation/create","params":{"mode":"url","message":"Open","url":"https://example.com/"}}';
      raw.answers['tools/call'] = asking(result(need(`{"k":${page}}`)));
      const stream = await begin();
      const asked = await nextOf(stream);
      expect(asked.params).toEqual({
        mode: 'url',
        message: 'Open',
        url: 'https://example.com/',
        elicitationId: asked.id,
      });
      await respond(asked);
      expect(textOf(await nextOf(stream))).toBe('done');
    });

    it('asks the server again at once where nothing is to be known', async () => {
      let rounds = 0;
      raw.answers['tools/call'] = (request, reply) =>
        (++rounds < 4 ? result('{"resultType":"input_required","requestState":"s"}') : done)(request, reply);
      expect(textOf(await nextOf(await begin()))).toBe('done');
      rounds = Number.MIN_SAFE_INTEGER;
      expect(textOf(await nextOf(await begin()))).toContain('without end');
    });

    const many = Object.fromEntries(
      Array.from({ length: 17 }, (_, index) => [index, JSON.parse(elicitation) as object]),
    );
    it.each([
      ['asks twice', asking(result(need(`{"k":${elicitation}}`)), result(need(`{"k":${elicitation}}`))), 'asks again'],
      ['asks for what nobody knows', result(need('{"k":{"method":"tasks/new"}}')), 'does not know'],
      ['asks for nothing', result('{"resultType":"input_required"}'), 'or for nothing'],
      ['asks for 17 things', result(need(JSON.stringify(many))), 'more than 16'],
      ['asks for too much', result(need(`{"k":${elicitation.replace('Who?', 'x'.repeat(70_000))}}`)), 'limits.event'],
    ])('tells the client of a server that %s', async (_, answer, why) => {
      raw.answers['tools/call'] = answer;
      const stream = await begin();
      let last = await nextOf(stream);
      if (last.method !== undefined) {
        await respond(last);
        last = await nextOf(stream);
      }
      expect(last.result?.isError).toBe(true);
      expect(textOf(last)).toContain(why);
      expect(await stream.end()).toEqual([]);
    });

    it.each(['{"_meta":{}', '{"resultType":"input_required"'])(
      'tells the client of an answer that ends with %s',
      async (end) => {
        raw.answers['tools/call'] = json('{"jsonrpc":"2.0","id":ID,"result":', end);
        const stream = await begin();
        expect(await nextOf(stream)).toMatchObject({ id: 7, error: { data: { reason: 'upstream_protocol' } } });
        expect(await stream.end()).toEqual([]);
      },
    );

    it('tells the client of an error that has no place in what the server gets', async () => {
      raw.answers['tools/call'] = asking(result(need('{"k":{"method":"roots/list"}}')));
      const stream = await begin();
      await respond(await nextOf(stream), '"error":{"code":-32601,"message":"no"}');
      expect(textOf(await nextOf(stream))).toContain('answered with an error');
    });

    it('passes results of other kinds whole, in the order in which they come', async () => {
      const large = `{"content":[{"type":"text","text":"${'x'.repeat(300_000)}"}],"resultType":"complete"}`;
      raw.answers['tools/call'] = json(
        '{"jsonrpc":"2.0","id":ID,"result":',
        large.slice(0, 100_000),
        large.slice(100_000),
        '}',
      );
      expect(textOf(await nextOf(await begin()))).toHaveLength(300_000);
      raw.answers['tools/call'] = result(
        `{"_meta":{"x":"${'y'.repeat(100_000)}"},"content":[{"type":"text","text":"z"}]}`,
      );
      expect(textOf(await nextOf(await begin()))).toBe('z');
    });

    it('takes no response of another session, no forged one, and none twice', async () => {
      raw.answers['tools/call'] = asking(result(need(`{"k":${elicitation}}`)));
      const stream = await begin();
      const asked = await nextOf(stream);
      const other = await openSession(gateway.current.url, { capabilities });
      const foreign = await other.post(`{"jsonrpc":"2.0","id":${JSON.stringify(asked.id)},"result":{}}`);
      expect(refusal(foreign)).toMatchObject({ status: 400, reason: 'invalid_request' });
      const forged = { id: String(asked.id).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) };
      expect(refusal(await respond(forged))).toMatchObject({ status: 400, reason: 'invalid_request' });
      expect((await respond(asked)).status).toBe(202);
      expect(textOf(await nextOf(stream))).toBe('done');
      expect((await respond(asked)).status).toBe(202);
      expect(calls()).toHaveLength(2);
    });

    it('ends the stream of a call that is cancelled meanwhile, and forgets one whose client goes away', async () => {
      raw.answers['tools/call'] = asking(result(need(`{"k":${elicitation}}`)));
      const gone = await begin('8');
      const asked = await nextOf(gone);
      gone.leave();
      await until('it is gone', async () => (await gateway.current.stats()).get('http.mcp.downstream_rq_active') === 0);
      expect((await respond(asked)).status).toBe(202);
      const stream = await begin('9');
      await nextOf(stream);
      await session.post('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}');
      expect(await nextOf(stream)).toMatchObject({ id: 9, error: { code: -32800 } });
      expect(calls()).toHaveLength(2);
    });

    it('asks for what a server over HTTP/2 needs that ends its stream in a frame of its own', async () => {
      const apart: Answer = async (request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write(`data: ${message(`{"k":${elicitation}}`).replace('ID', request.id)}\n\n`);
        await sleep(20);
        reply.end();
      };
      raw2.answers['tools/call'] = asking(apart);
      const stream = await begin('7', 'raw2_ask');
      await respond(await nextOf(stream));
      expect(textOf(await nextOf(stream))).toBe('done');
      // In the frame that has its last byte, or in the next one, as it comes.
      raw2.answers['tools/call'] = asking(result(need(`{"k":${elicitation}}`)));
      const other = await begin('8', 'raw2_ask');
      const first = await nextOf(other);
      if (first.method === undefined) expect(textOf(first)).toContain('no moment to ask');
      else expect((await respond(first)).status).toBe(202);
      await other.end();
    });

    const inTrailers =
      (type: string, ...parts: string[]): Answer =>
      (request, reply) => {
        reply.head(200, { 'content-type': type });
        for (const part of parts) reply.write(part.replaceAll('ID', request.id));
        reply.end('', { 'x-end': 'yes' });
      };
    const whole = '{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"in time"}]}}';
    it.each([
      ['a document', inTrailers('application/json', whole)],
      ['a document in parts', inTrailers('application/json', whole.slice(0, 50), whole.slice(50), '\n')],
      ['an event', inTrailers('text/event-stream', `data: ${whole}\n\n`)],
    ])('passes the result that stands in %s before trailers', async (_, answer) => {
      raw2.answers['tools/call'] = answer;
      const stream = await begin('7', 'raw2_ask');
      expect(textOf(await nextOf(stream))).toBe('in time');
      expect(await stream.end()).toEqual([]);
    });

    it('passes a result whose kind its end alone tells, before trailers', async () => {
      raw2.answers['tools/call'] = inTrailers('application/json', '{"jsonrpc":"2.0","id":ID,"result":{"a":[1]}}');
      expect(await nextOf(await begin('7', 'raw2_ask'))).toMatchObject({ id: 7, result: { a: [1] } });
    });

    it.each([
      ['an event', inTrailers('text/event-stream', `data: ${message(`{"k":${elicitation}}`)}\n\n`)],
      ['a document', inTrailers('application/json', message(`{"k":${elicitation}}`))],
    ])('ends the stream of a client that is asked in %s, where trailers are the end', async (_, answer) => {
      raw2.answers['tools/call'] = answer;
      const stream = await begin('7', 'raw2_ask');
      await expect(stream.end()).rejects.toThrow('aborted');
      expect(gateway.current.log()).toContain('its answer ends in HTTP trailers behind its question');
    });

    it('asks nothing of a client that has declared nothing, or where another Envoy can have its session', async () => {
      raw.answers['tools/call'] = done;
      session = await openSession(gateway.current.url);
      expect(textOf(await nextOf(await begin()))).toBe('done');
      const elsewhere = await openSession(ofManyEnvoys.current.url, { capabilities });
      await elsewhere.post(callMessage('"raw_ask"'));
      for (const { params } of calls()) {
        expect(params?.['_meta']).toMatchObject({ 'io.modelcontextprotocol/clientCapabilities': {} });
        expect(JSON.stringify(params)).not.toContain('elicitation');
      }
    });
  });
});
