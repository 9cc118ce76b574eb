// What one era has and the other one has not: messages of a server's log, the error that asks for pages to be opened, and
// data of tools that are no objects. None of it may reach a client whose revision forbids it.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toolNames } from './clients/answers.ts';
import type { RawAnswer } from './clients/raw.ts';
import { callMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { type CompleteServer, startCompleteServer } from './upstreams/complete/server.ts';
import { events, json, pieces, result, type Scripted, startScripted } from './upstreams/scripted.ts';

const modern = '2026-07-28';
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const log = (level: string) =>
  `event: message\nid: e-${level}\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"${level}","data":"x"}}\n\n`;
const done = 'data: {"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"done"}]}}\n\n';

interface Claim {
  readonly logLevel?: string;
  readonly capabilities?: object;
  readonly params?: object;
}

/** The messages of an answer: a document, or events with a line of data each. */
function messagesOf({ text }: RawAnswer): unknown[] {
  if (text.startsWith('{')) return [JSON.parse(text)];
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as unknown);
}

const messageOf = (answer: RawAnswer): unknown => messagesOf(answer).at(-1);

/** Calls a tool as a client of 2026-07-28. */
function call(url: string, name: string, { logLevel, capabilities = {}, params = {} }: Claim = {}) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': modern,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    ...(logLevel === undefined ? {} : { 'io.modelcontextprotocol/logLevel': logLevel }),
  };
  const body = { jsonrpc: '2.0', id: 'c', method: 'tools/call', params: { name, arguments: {}, ...params, _meta } };
  const headers = { 'mcp-protocol-version': modern, 'mcp-method': 'tools/call', 'mcp-name': name };
  return post(url, JSON.stringify(body), { headers });
}

describeGateway('what the eras do not share', () => {
  describe('of a server with sessions, for a client of 2026-07-28', () => {
    let old: Scripted;
    let complete: CompleteServer;
    beforeAll(async () => {
      old = await startScripted({ tools: ['echo'] });
      complete = await startCompleteServer('complete');
    });
    afterAll(() => Promise.all([old.stop(), complete.stop()]));
    beforeEach(() => {
      old.forget();
    });
    const gateway = useGateway(() => ({
      plugin: { discover: 'always' },
      servers: [
        { name: 'old', url: old.url, protocol: '2025-11-25' },
        { name: 'complete', url: complete.url },
      ],
    }));

    it.each([
      [undefined, []],
      ['nonsense', []],
      ['debug', levels],
      ['warning', ['warning', 'error', 'critical', 'alert', 'emergency']],
      ['emergency', ['emergency']],
    ] as const)('messages of its log: asked for from %s on, %j come', async (logLevel, expected) => {
      old.answers = { 'tools/call': events(...levels.map(log), log('odd'), done) };
      const answer = await call(gateway.current.url, 'old_echo', logLevel === undefined ? {} : { logLevel });
      const told = messagesOf(answer) as { method?: string; params?: { level: string }; result?: object }[];
      const heard = told.flatMap(({ params }) => (params === undefined ? [] : [params.level]));
      // A level that nobody knows may be severe.
      expect(heard).toEqual(expected.length === 0 ? [] : [...expected, 'odd']);
      expect(told.at(-1)?.result).toMatchObject({ resultType: 'complete', content: [{ text: 'done' }] });
    });

    it('messages of its log, in pieces', async () => {
      const text = levels.map(log).join('') + done;
      const parts = text.match(/[^]{1,37}/g) ?? [];
      // The id of the request must not be cut.
      const at = parts.findIndex((part) => part.includes('"id":'));
      old.answers = { 'tools/call': events(...parts.slice(0, at), parts.slice(at).join('')) };
      const answer = await call(gateway.current.url, 'old_echo', { logLevel: 'alert' });
      const told = messagesOf(answer) as { params?: { level: string } }[];
      expect(told.flatMap(({ params }) => (params === undefined ? [] : [params.level]))).toEqual([
        'alert',
        'emergency',
      ]);
    });

    it('progress comes all the same', async () => {
      const client = await connectModern(gateway.current.url, { pin: modern });
      const seen: number[] = [];
      await client.callTool(
        { name: 'complete_test_tool_with_progress', arguments: {} },
        { onprogress: ({ progress }) => seen.push(progress) },
      );
      expect(seen).toEqual([0, 50, 100]);
      await client.close();
    });

    it('a real server that logs does not log to a real client that has not asked', async () => {
      const client = await connectModern(gateway.current.url, { pin: modern });
      const heard: unknown[] = [];
      client.setNotificationHandler('notifications/message', (notification) => void heard.push(notification));
      await client.callTool({ name: 'complete_test_tool_with_logging', arguments: {} });
      expect(heard).toEqual([]);
      await client.close();
    });

    const pages = [
      { mode: 'url', elicitationId: 'a', url: 'https://example.com/a', message: 'Sign in "here".' },
      { mode: 'url', elicitationId: 'b', url: 'https://example.com/b', message: 'And\nhere.' },
    ];
    const required = (elicitations: unknown) =>
      `{"jsonrpc":"2.0","id":ID,"error":{"code":-32042,"message":"URL elicitation required","data":{"elicitations":${JSON.stringify(elicitations)}}}}`;
    const forms = {
      'a document': (text: string) => json(text),
      'a document in pieces': (text: string) => json(text.slice(0, 70), text.slice(70, 110), `${text.slice(110)}\n`),
      'an event': (text: string) => events(`: hi\n\nid: 7\ndata: ${text}\n\n`),
    };

    describe.each(Object.entries(forms))('the error that asks for pages to be opened, in %s', (_, form) => {
      it('asks for input, where the client can open them', async () => {
        old.answers = { 'tools/call': form(required(pages)) };
        const answer = await call(gateway.current.url, 'old_echo', { capabilities: { elicitation: { url: {} } } });
        expect(messageOf(answer)).toEqual({
          jsonrpc: '2.0',
          id: 'c',
          result: {
            resultType: 'input_required',
            inputRequests: Object.fromEntries(
              pages.map(({ url, message }, i) => [
                String(i + 1),
                { method: 'elicitation/create', params: { mode: 'url', url, message } },
              ]),
            ),
          },
        });
      });

      it.each([
        ['the client can open none', pages, {}],
        ['the client knows forms alone', pages, { elicitation: {} }],
        ['nothing is asked for', [], { elicitation: { url: {} } }],
        ['it is no list', 'x', { elicitation: { url: {} } }],
        [
          'one is no page',
          [...pages, { mode: 'form', url: 'https://example.com', message: 'x' }],
          { elicitation: { url: {} } },
        ],
        ['one has no address', [{ mode: 'url', message: 'x' }], { elicitation: { url: {} } }],
        ['there are too many', Array.from({ length: 17 }, () => pages[0]), { elicitation: { url: {} } }],
      ])('has a code of the revision where %s', async (_why, elicitations, capabilities) => {
        old.answers = { 'tools/call': form(required(elicitations)) };
        const answer = await call(gateway.current.url, 'old_echo', { capabilities });
        expect(messageOf(answer)).toEqual({
          jsonrpc: '2.0',
          id: 'c',
          error: { code: -32603, message: 'URL elicitation required', data: { elicitations } },
        });
      });
    });

    it('a page that was opened: the server gets the same request again, and nothing that it would not know', async () => {
      let asked = 0;
      old.answers = {
        'tools/call': (request, reply) =>
          (asked++ === 0 ? json(required(pages)) : result('{"content":[{"type":"text","text":"done"}]}'))(
            request,
            reply,
          ),
      };
      const capabilities = { elicitation: { url: {} } };
      for (const params of [{}, { inputResponses: { 1: { action: 'accept' }, 2: { action: 'accept' } } }]) {
        await call(gateway.current.url, 'old_echo', { capabilities, params });
      }
      const [first, second] = old.of('tools/call').map(({ body }) => JSON.parse(body.toString()) as { params: object });
      expect(second?.params).toEqual(first?.params);
      expect(asked).toBe(2);
    });

    it.each([
      '{"code":-32041,"message":"x"}',
      '{"code":7,"message":"a -32042"}',
      '{"message":"no code"}',
      '"no object"',
      'null',
    ])('the error %s passes as it is', async (error) => {
      old.answers = { 'tools/call': json(`{"jsonrpc":"2.0","id":ID,"error":${error}}`) };
      const answer = await call(gateway.current.url, 'old_echo', { capabilities: { elicitation: { url: {} } } });
      expect(messageOf(answer)).toEqual({ jsonrpc: '2.0', id: 'c', error: JSON.parse(error) as unknown });
    });
  });

  describe('of a server of 2026-07-28, for a client with a session', () => {
    const tools = [
      { name: 'list', inputSchema: { type: 'object' }, outputSchema: { type: 'array', items: { type: 'number' } } },
      { name: 'any', inputSchema: { type: 'object' }, outputSchema: { anyOf: [{ type: 'object' }, { type: 'null' }] } },
      { name: 'plain', inputSchema: { type: 'object' } },
    ];
    let server: Scripted;
    beforeAll(async () => {
      server = await startScripted({
        answers: {
          'server/discover': result(
            `{"resultType":"complete","supportedVersions":["${modern}"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"public"}`,
          ),
          'tools/list': result(JSON.stringify({ resultType: 'complete', tools, ttlMs: 0, cacheScope: 'public' })),
        },
      });
    });
    afterAll(() => server.stop());
    const gateway = useGateway(() => ({ servers: [{ name: 'new', url: server.url, protocol: modern }] }));

    it('a tool whose outputSchema is of no object is left out of the list, and its own client sees it', async () => {
      const session = await openSession(gateway.current.url);
      const answer = await session.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
      expect(toolNames(answer)).toEqual(['new_plain']);
      expect(gateway.current.log()).toContain('outputSchema.type must be "object"');
      const client = await connectModern(gateway.current.url, { pin: modern });
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['new_list', 'new_any', 'new_plain']);
      await client.close();
    });

    const data = ['[1,[2],{"a":[3]}]', '[]', '"text"', '12345678901234567890', '-1.50', 'true', 'null'];
    const forms = {
      'a document': (text: string) => json(text),
      'a document in pieces': (text: string) => pieces('application/json', text.match(/[^]{1,90}/g) ?? [], 2),
      'an event': (text: string) => events(`data: ${text}\n\n`),
    };
    describe.each(Object.entries(forms))('data of a tool in %s', (_, form) => {
      it.each(data)('that are %s become an object, and stay what they are', async (value) => {
        server.answers['tools/call'] = form(
          `{"jsonrpc":"2.0","id":ID,"result":{"resultType":"complete","content":[],"structuredContent": ${value} ,"_meta":{"a":1}}}`,
        );
        const session = await openSession(gateway.current.url);
        const answer = await session.post(callMessage('"new_plain"'));
        expect(answer.text).toContain(`"structuredContent": {"result":${value}} ,"_meta":{"a":1}`);
      });

      it.each(['{"a":[1]}', '{}'])('that are the object %s stay as they are', async (value) => {
        server.answers['tools/call'] = form(
          `{"jsonrpc":"2.0","id":ID,"result":{"resultType":"complete","content":[],"structuredContent":${value}}}`,
        );
        const session = await openSession(gateway.current.url);
        const answer = await session.post(callMessage('"new_plain"'));
        expect(answer.text).toContain(`"content":[],"structuredContent":${value}}`);
      });
    });

    it('a real client of that era takes them', async () => {
      server.answers['tools/call'] = result('{"resultType":"complete","content":[],"structuredContent":[1,2]}');
      const client = new Client({ name: 'old', version: '1' });
      await client.connect(new StreamableHTTPClientTransport(new URL(gateway.current.url)));
      const called = await client.callTool({ name: 'new_plain', arguments: {} });
      expect(called.structuredContent).toEqual({ result: [1, 2] });
      await client.close();
    });

    it('data that are no object reach a client of its own revision as they are', async () => {
      server.answers['tools/call'] = result('{"resultType":"complete","content":[],"structuredContent":[1,2]}');
      const answer = await call(gateway.current.url, 'new_plain');
      expect(messageOf(answer)).toMatchObject({ result: { structuredContent: [1, 2] } });
    });

    it('the error that asks for pages to be opened passes: that revision has it', async () => {
      const error = { code: -32042, message: 'x', data: { elicitations: [] } };
      server.answers['tools/call'] = json(`{"jsonrpc":"2.0","id":ID,"error":${JSON.stringify(error)}}`);
      const session = await openSession(gateway.current.url);
      expect(messageOf(await session.post(callMessage('"new_plain"')))).toMatchObject({ error });
    });
  });
});
