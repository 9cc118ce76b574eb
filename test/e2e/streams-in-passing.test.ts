// What a server calls by names of its own has the client's names when it has passed, and passes as it is sent.
import { gzipSync } from 'node:zlib';
import { LoggingMessageNotificationSchema, type Progress } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { bothProtocols, type RawAnswer } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { callMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, compressed, events, json, startScripted } from './upstreams/scripted.ts';
import { type SdkServer, type SdkServerOptions, startSdkServer } from './upstreams/sdk.ts';

const content: SdkServerOptions['content'] = [
  { type: 'resource_link', uri: 'file:///repo/a', name: 'a' },
  { type: 'resource', resource: { uri: 'ui://form', text: 'file:///repo/a' } },
  { type: 'resource_link', uri: 'https://example.com/a', name: 'web' },
];
/** The same for a client of several servers. */
const marked = (server: string): unknown => [
  { type: 'resource_link', uri: `file://${server}//repo/a`, name: 'a' },
  { type: 'resource', resource: { uri: `ui://${server}/form`, text: 'file:///repo/a' } },
  { type: 'resource_link', uri: 'https://example.com/a', name: 'web' },
];

describeGateway('answers of SDK servers, of which there are two', () => {
  let servers: SdkServer[] = [];
  beforeAll(async () => {
    servers = await Promise.all([
      startSdkServer({ name: 'git', content, prompts: ['p'], resumable: true }),
      startSdkServer({ name: 'db', content, prompts: ['p'], json: true }),
    ]);
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  const gateway = useGateway(() => ({
    servers: ['git', 'db'].map((name, index) => ({ name, url: servers[index]?.url ?? '' })),
  }));

  it.each(bothProtocols)('name resources so that their server can be told, over %s', async (http) => {
    const { client, close } = await connectSdk(gateway.current.url, http);
    for (const server of ['git', 'db']) {
      const result = await client.callTool({ name: `${server}_echo` });
      expect((result.content as unknown[]).slice(1)).toEqual(marked(server));
      const { messages } = await client.getPrompt({ name: `${server}_p`, arguments: { whom: 'me' } });
      expect(messages.slice(1).map((message) => message.content)).toEqual(marked(server));
    }
    await close();
  });

  it.each(bothProtocols)('bring progress and logs before the result, over %s', async (http) => {
    const { client, close } = await connectSdk(gateway.current.url, http);
    const seen: unknown[] = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void seen.push(params.data));
    const onprogress = ({ progress }: Progress): void => void seen.push(`progress ${progress}`);
    await client.callTool({ name: 'git_slowly', arguments: { steps: 3, pause: 20 } }, undefined, { onprogress });
    expect(seen).toEqual(['progress 1', 1, 'progress 2', 2, 'progress 3', 3]);
    await close();
  });

  it('bring each event when it is sent', async () => {
    const session = await openSession(gateway.current.url);
    const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"git_slowly","arguments":{"steps":3,"pause":200},"_meta":{"progressToken":"t"}}}`;
    const answer = await session.post(call);
    const withProgress = answer.parts.filter(({ bytes }) => bytes.includes('notifications/progress'));
    expect(withProgress.length).toBe(3);
  });
});

const withEvents = { 'content-type': 'text/event-stream' };
const uuid = '5e4b7a3c-1f6d-4d0e-9b7a-3c1f6d4d0e9b';
const links = '{"content":[{"type":"resource_link","uri":"file:///a","name":"a"}]}';
const response = `{"jsonrpc":"2.0","id":ID,"result":${links}}`;
const seen = (id = '1'): string => response.replace('file:///a', 'file://one//a').replace('ID', id);

describeGateway('answers of servers whose every byte is known', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['t'], sessionId: uuid });
    two = await startScripted({ tools: ['t'] });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  afterEach(() => {
    one.answers = {};
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    plugin: { limits: { event: '64Ki' } },
  }));

  const call = async (answer: Answer, http: 'HTTP/1.1' | 'HTTP/2' = 'HTTP/1.1', id = '1'): Promise<RawAnswer> => {
    const session = await openSession(gateway.current.url, { http });
    one.answers = { 'tools/call': answer };
    return session.post(callMessage('"one_t"', '{}', id));
  };
  const outcomes = async (outcome: string): Promise<number> => {
    const stats = await gateway.current.stats();
    return stats.get(`wasmcustom.sluice_requests_total.method=tools/call.server=one.outcome=${outcome}.end`) ?? 0;
  };

  describe.each(bothProtocols)('over %s', (http) => {
    it.each<[string, Answer, string | RegExp]>([
      ['a document', json(response), seen()],
      ['a document in pieces', json(...response.split(/(?<=^(?:.{9})+)/)), seen()],
      [
        'a document of some length',
        (request, reply) => {
          const body = response.replace('ID', request.id);
          reply.head(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
          reply.end(body);
        },
        seen(),
      ],
      ['an event', events(`data: ${response}\n\n`), `data: ${seen()}\n\n`],
      [
        'events with all that may be in them',
        events(
          ': hi\r\n\r\nretry: 5\r\ndata:\r\n\r\nevent: message\r\n',
          `data: ${response.slice(0, 40)}`,
          `${response.slice(40)}\r`,
          '\n\r\n',
        ),
        `: hi\r\n\r\nretry: 5\r\ndata:\r\n\r\nevent: message\r\ndata: ${seen()}\r\n\r\n`,
      ],
      [
        'two events in one chunk',
        events(
          `data: {"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///b"}}\n\ndata: ${response}\n\n`,
        ),
        `data: {"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file://one//b"}}\n\ndata: ${seen()}\n\n`,
      ],
      [
        'an event in lines',
        events('data: {"jsonrpc":"2.0","id":1,\ndata: "result":{"contents":\n', 'data: [{"uri":"file:///a"}]}}\n\n'),
        'data: {"jsonrpc":"2.0","id":1,\ndata: "result":{"contents":\ndata: [{"uri":"file://one//a"}]}}\n\n',
      ],
      [
        'an id of an event that is the session’s',
        events(`id: ${uuid}\ndata: ${response}\n\n`),
        /^id: [\w-]{80,}\ndata: \{/,
      ],
      [
        'a request of the server',
        events('data: {"jsonrpc":"2.0","id":0,"method":"ping"}\n\n', `data: ${response}\n\n`),
        /^data: \{"jsonrpc":"2.0","id":"[\w-]{70,}","method":"ping"\}\n\ndata: \{"jsonrpc":"2.0","id":1,/,
      ],
      ['an event without a blank line behind it', events(`data: ${response}`), `data: ${seen()}\n\n`],
    ])('%s', async (_, answer, expected) => {
      const { status, text } = await call(answer, http);
      expect(status).toBe(200);
      if (typeof expected === 'string') expect(text).toBe(expected);
      else expect(text).toMatch(expected);
      expect(text).not.toContain(uuid);
    });

    it.each<[string, Answer]>([
      ['nothing', events('')],
      ['progress alone', events('data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n')],
      ['half an event', events('data: {"jsonrpc":"2.0","id":')],
      ['half an event in lines', events('data: {"jsonrpc":"2.0",\r\n')],
      ['half a name of a field', events(': x\n\nda')],
      ['an event that is no JSON', events('data: \0\xff{"id":1,"result":{}}\n\n')],
      ['the answer to another request', events('data: {"id":"other","result":{}}\n\n')],
    ])('a stream that ends with %s gets the error as an event', async (_, answer) => {
      const before = await outcomes('upstream_protocol');
      const answered = await call(answer, http, '"the id"');
      const last = eventsIn(answered.text).at(-1);
      expect(last?.type).toBe('message');
      expect(refusal({ ...answered, text: last?.data ?? '' })).toEqual({
        status: 200,
        id: 'the id',
        code: -32603,
        reason: 'upstream_protocol',
        server: 'one',
      });
      expect(await outcomes('upstream_protocol')).toBe(before + 1);
    });

    it('a stream that can go on gets no error where it ends', async () => {
      const { text } = await call(events('id: 1\nretry: 500\ndata:\n\n'), http);
      expect(text).toMatch(/^id: [\w-]{40,}\nretry: 500\ndata:\n\n$/);
    });

    it('a document without a byte becomes the error', async () => {
      const answer = await call(json(''), http, '7');
      expect(refusal(answer)).toMatchObject({ status: 200, id: 7, reason: 'upstream_protocol', server: 'one' });
    });

    it.each([
      ['a URI', '{"jsonrpc":"2.0","id":1,"result":{"contents":[{"uri":"a:'],
      ['an id', '{"jsonrpc":"2.0","method":"ping","id":"'],
    ])('%s without end is an error at limits.event, and nothing follows it', async (_, begin) => {
      const answer = await call(
        events(`data: ${begin}`, ...Array<string>(40).fill('x'.repeat(4096)), `"}]}}\n\ndata: ${response}\n\n`),
        http,
      );
      const found = eventsIn(answer.text);
      expect(found.length).toBe(2);
      expect(found[0]?.type).toBe('incomplete');
      expect(JSON.parse(found[1]?.data ?? '')).toMatchObject({
        id: 1,
        error: { data: { reason: 'upstream_protocol' } },
      });
      expect(answer.text).toContain('limits.event');
    });

    it('a document with such a URI breaks off', async () => {
      const before = await outcomes('upstream_protocol');
      const endless = json('{"jsonrpc":"2.0","id":1,"result":{"contents":[{"uri":"a:', 'x'.repeat(200_000), response);
      // Envoy 1.36 resets a stream of HTTP/2 with NO_ERROR, which this client takes for its end.
      const { text } = await call(endless, http).catch(() => ({ text: '' }));
      expect(text).not.toContain('xxx');
      await until('it is counted', async () => (await outcomes('upstream_protocol')) > before);
    });

    it('an answer of 40 MB passes as it comes, its URI with it', async () => {
      const before = gateway.current.residentMemory() ?? 0;
      const part = 'x'.repeat(1 << 20);
      for (const type of ['application/json', 'text/event-stream']) {
        const { body } = await call(async (request, reply) => {
          const isStream = type !== 'application/json';
          reply.head(200, { 'content-type': type });
          reply.write(`${isStream ? 'data: ' : ''}{"id":${request.id},"result":{"content":[{"type":"text","text":"`);
          for (let i = 0; i < 40; i++) {
            reply.write(part);
            await new Promise(setImmediate);
          }
          reply.end(`"},{"type":"resource_link","uri":"file:///a"}]}}${isStream ? '\n\n' : ''}`);
        }, http);
        expect(body.length).toBeGreaterThan(40 << 20);
        expect(body.subarray(-60).toString()).toContain('"file://one//a"}]}}');
      }
      expect((gateway.current.residentMemory() ?? 0) - before).toBeLessThan(96);
    });

    it('a stream that is reset stays one', async () => {
      const before = await outcomes('upstream_unreachable');
      const resets: Answer = (_, reply) => {
        reply.head(200, withEvents);
        reply.write('data: {"jsonrpc":"2.0","method":"x"}\n\n');
        setTimeout(() => {
          reply.reset();
        }, 50);
      };
      const { text } = await call(resets, http).catch(() => ({ text: '' }));
      expect(text).not.toContain('upstream_');
      await until('it is counted', async () => (await outcomes('upstream_unreachable')) > before);
    });
  });

  it('a server asks without end, and is read without end', async () => {
    const many = 'data: {"jsonrpc":"2.0","id":0,"method":"ping"}\n\n'.repeat(2000);
    const { text } = await call(events(many, many, `data: ${response}\n\n`));
    expect(text.match(/"method":"ping"/g)?.length).toBe(4000);
    expect(text.endsWith(`data: ${seen()}\n\n`)).toBe(true);
  });

  it('what is compressed cannot be rewritten, whatever its client accepts', async () => {
    const session = await openSession(gateway.current.url);
    one.answers = { 'tools/call': compressed((id) => gzipSync(response.replace('ID', id))) };
    const answer = await session.post(callMessage('"one_t"'), { headers: { 'accept-encoding': 'gzip' } });
    expect(refusal(answer)).toMatchObject({ status: 200, id: 1, reason: 'upstream_protocol', server: 'one' });
    expect(message(answer).error?.message).toContain('gzip');
  });
});

interface Event {
  readonly type: string;
  readonly data: string;
}

/** As a client takes them (WHATWG HTML §9.2.6). */
function eventsIn(text: string): Event[] {
  const found: Event[] = [];
  let type = '';
  let data: string[] = [];
  for (const line of text.split(/\r\n|\r|\n/).slice(0, -1)) {
    if (line === '') {
      if (data.join('\n') !== '') found.push({ type: type === '' ? 'message' : type, data: data.join('\n') });
      type = '';
      data = [];
    } else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
    else if (line.startsWith('event:')) type = line.slice(6).replace(/^ /, '');
  }
  return found;
}
