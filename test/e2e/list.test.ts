import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, toolNames } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, events, json, result, startScripted } from './upstreams/scripted.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

/** Bytes that a parser and a serialiser between would change. */
const oddTools = [
  '{"name":"limits","inputSchema":{"type":"object","properties":{},"maximum":18446744073709551615}}',
  '{ "inputSchema" : {"type":"object","$defs":{"name":"x"},"properties":{"name":{"type":"string","default":"\\ud800"}}},\n\t"name" : "last" }',
  '{"_meta":{"example.org/x":[1.0,1e400,-0,0.10]},"name":"numbers","inputSchema":{"type":"object","minimum":1E3},"icons":[]}',
  '{"name":"t\\u00e4st\\/2","title":"ä","description":"the tool odd_limits","inputSchema":{"type":"object"}}',
];

const spliced = oddTools.map((tool) => tool.replace(/("name"\s*:\s*")(limits|last|numbers|t\\u00e4st)/, '$1odd_$2'));

describeGateway('tools/list', () => {
  let paged: SdkServer;
  let streaming: SdkServer;
  let odd: Scripted;
  beforeAll(async () => {
    paged = await startSdkServer({ name: 'paged', json: true, pages: [['a', 'b'], ['c'], ['d', 'e']] });
    streaming = await startSdkServer({ name: 'streaming', pages: [['one'], ['two'], ['three']] });
    odd = await startScripted({ tools: `[${oddTools.join(',')}]` });
  });
  afterAll(async () => {
    await Promise.all([paged.stop(), streaming.stop(), odd.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'paged', url: paged.url },
      { name: 'streaming', url: streaming.url },
      { name: 'odd', url: odd.url },
    ],
  }));
  const names = [
    ...['paged_a', 'paged_b', 'paged_c', 'paged_d', 'paged_e', 'paged_slowly'],
    ...['streaming_one', 'streaming_two', 'streaming_three', 'streaming_slowly'],
    ...['odd_limits', 'odd_last', 'odd_numbers', 'odd_täst/2'],
  ];

  describe.each(bothProtocols)('over %s', (http) => {
    it('has the tools of all pages of all servers, in one order', async () => {
      const { client, close } = await connectSdk(gateway.current.url, http);
      for (let round = 0; round < 5; round++) {
        const { tools, nextCursor } = await client.listTools();
        expect(tools.map(({ name }) => name)).toEqual(names);
        expect(nextCursor).toBeUndefined();
      }
      await close();
    });

    it('carries each tool as its server wrote it, but for the prefix', async () => {
      const session = await openSession(gateway.current.url, { http });
      const { text } = await session.post(listMessage('"list"'));
      expect(text.startsWith('{"jsonrpc":"2.0","id":"list","result":{"tools":[{')).toBe(true);
      expect(text.endsWith(`},${spliced.join(',')}]}}`)).toBe(true);
    });

    it.each(['""', '"page 1"', '7'])('refuses the cursor %s, as it gives none', async (cursor) => {
      const session = await openSession(gateway.current.url, { http });
      const answer = await session.post(`{"jsonrpc":"2.0","id":8,"method":"tools/list","params":{"cursor":${cursor}}}`);
      expect(refusal(answer)).toEqual({ status: 200, id: 8, code: -32602, reason: 'bad_cursor' });
    });

    it('takes a cursor that is null for none', async () => {
      const session = await openSession(gateway.current.url, { http });
      const answer = await session.post('{"jsonrpc":"2.0","id":8,"method":"tools/list","params":{"cursor":null}}');
      expect(toolNames(answer)).toEqual(names);
    });
  });

  it('gives every cursor back to its own server, byte for byte', async () => {
    const cursor = '"c\\u0061rry \\ud800 \\/ \\"on\\""';
    const bare = (name: string): string => `{"name":"${name}","inputSchema":{"type":"object"}}`;
    const page = (tools: string, next = '') => `{"jsonrpc":"2.0","id":ID,"result":{${next}"tools":[${tools}]}}`;
    odd.forget();
    odd.answers = {
      'tools/list': (request, reply) => {
        const first = !request.body.includes('cursor');
        const body = first ? page(bare('p1'), `"nextCursor":${cursor},`) : page(bare('p2'));
        return (first ? json : events)(first ? body : `data: ${body}\n\n`)(request, reply);
      },
    };
    const session = await openSession(gateway.current.url);
    expect(toolNames(await session.post(listMessage())).filter((name) => name.startsWith('odd_'))).toEqual([
      'odd_p1',
      'odd_p2',
    ]);
    const [, second] = odd.of('tools/list');
    expect(second?.body.toString()).toContain(`"params":{"cursor":${cursor}}`);
    odd.answers = {};
  });

  it.each<[string, Record<string, string>, string[], string[]]>([
    // By the cursor that a page is asked for with: its tools, and the next cursor.
    ['repeats its last cursor', { first: 'a|MQ==', 'MQ==': 'a|MQ==' }, ['a'], ['MQ==']],
    ['repeats it behind tools of its own', { first: 'a|2', 2: 'b|2' }, ['a', 'b'], ['2']],
    ['ends its list with an empty cursor', { first: 'a|', '': 'a|' }, ['a'], ['']],
    ['ends several pages so', { first: 'a|2', 2: 'b|', '': 'a|2' }, ['a', 'b'], ['2', '']],
    ['has a page behind an empty cursor', { first: 'a|', '': 'b' }, ['a', 'b'], ['']],
    ['refuses the empty cursor that it gave', { first: 'a|' }, ['a'], ['']],
    ['leads in a circle', { first: 'a|2', 2: 'b|3', 3: 'c|2' }, ['a', 'b', 'c'], ['2', '3']],
  ])('takes the list of a server for complete that %s', async (_, pages, tools, cursors) => {
    odd.answers = {
      'tools/list': (request, reply) => {
        const { params = {} } = JSON.parse(request.body.toString()) as { params?: { cursor?: string } };
        const [names = '', nextCursor] = pages[params.cursor ?? 'first']?.split('|') ?? [];
        if (names === '') {
          return json('{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"Invalid cursor"}}')(request, reply);
        }
        const list = { tools: [{ name: names, inputSchema: { type: 'object' } }], nextCursor };
        return json(`{"jsonrpc":"2.0","id":ID,"result":${JSON.stringify(list)}}`)(request, reply);
      },
    };
    const session = await openSession(gateway.current.url);
    odd.forget();
    const listed = toolNames(await session.post(listMessage())).filter((name) => name.startsWith('odd_'));
    expect(listed).toEqual(tools.map((name) => `odd_${name}`));
    const asked = odd
      .of('tools/list')
      .map(({ body }) => (JSON.parse(body.toString()) as { params?: { cursor: string } }).params?.cursor);
    expect(asked).toEqual([undefined, ...cursors]);
    odd.answers = {};
  });

  it.each([
    ['as JSON', json],
    ['in an event stream', (body: string) => events(`data: ${body}\n\n`)],
  ])('reads answers in a batch %s, as 2025-03-26 allows them', async (_, send) => {
    const notification = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}';
    const initialized =
      '{"protocolVersion":"2025-03-26","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}';
    const batch = (result: string): Answer => send(`[${notification},{"jsonrpc":"2.0","id":ID,"result":${result}}]`);
    odd.answers = {
      initialize: batch(initialized),
      'tools/list': batch('{"tools":[{"name":"one","inputSchema":{"type":"object"}}]}'),
    };
    const session = await openSession(gateway.current.url, { revision: '2025-03-26' });
    const listed = toolNames(await session.post(listMessage()));
    expect(listed.filter((name) => name.startsWith('odd_'))).toEqual(['odd_one']);
    odd.answers = {};
  });

  it('leaves out what could not be called: tools without a name, or with two', async () => {
    odd.answers = {
      'tools/list': json(
        '{"jsonrpc":"2.0","id":ID,"result":{"tools":[{},{"name":1},{"name":"x","name":"y"},"z",null,[],{"name":"kept","inputSchema":{"type":"object"}}]}}',
      ),
    };
    const session = await openSession(gateway.current.url);
    expect(toolNames(await session.post(listMessage())).filter((name) => name.startsWith('odd_'))).toEqual([
      'odd_kept',
    ]);
    odd.answers = {};
  });

  it('leaves out a tool for which clients would refuse the whole list, and says so once', async () => {
    const good = '{ "name" : "good", "inputSchema" : {"type":"object"}, "x":1e2}';
    const bad = [
      '{"name":"bare"}',
      '{"name":"array","inputSchema":{"type":"array"}}',
      '{"name":"output","inputSchema":{"type":"object"},"outputSchema":{"type":"string"}}',
      '{"name":"hint","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":"yes"}}',
      '{"name":"in\\ntwo \\u001b[31mlines","inputSchema":{"type":"object"},"description":null}',
    ];
    odd.answers = { 'tools/list': result(`{"tools":[${bad[0]},${good},${bad.slice(1).join(',')}]}`) };
    const from = gateway.current.log().length;
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    for (let round = 0; round < 6; round++) {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name).filter((name) => name.startsWith('odd_'))).toEqual(['odd_good']);
    }
    await close();
    const session = await openSession(gateway.current.url);
    expect((await session.post(listMessage())).text).toContain(`,${good.replace('good', 'odd_good')}]`);
    odd.answers = {};
    const lines = (): string[] =>
      gateway.current
        .log()
        .slice(from)
        .split('\n')
        .filter((line) => line.includes('left out'));
    await until('the log names them', () => lines().length >= bad.length);
    for (const says of [
      'server odd: tool "bare" is left out of every list, as clients could not call it, or would refuse the whole list for it (MCP schema): inputSchema must be an object',
      'tool "array" is left out of every list, as clients could not call it, or would refuse the whole list for it (MCP schema): inputSchema.type must be "object"',
      'tool "output" is left out of every list, as clients could not call it, or would refuse the whole list for it (MCP schema): outputSchema.type must be "object"',
      'tool "hint" is left out of every list, as clients could not call it, or would refuse the whole list for it (MCP schema): annotations.readOnlyHint must be true or false',
      'tool "in\\u000atwo \\u001b[31mlines" is left out of every list, as clients could not call it, or would refuse the whole list for it (MCP schema): description must be a string',
    ]) {
      const found = lines().filter((line) => line.includes(says)).length;
      expect(found, says).toBeGreaterThanOrEqual(1);
      expect(found, 'once for each worker').toBeLessThanOrEqual(2);
    }
  });

  it('names no more than a few tools in the log, however many are left out', async () => {
    const bad = Array.from({ length: 500 }, (_, i) => `{"name":"many-${i}"}`);
    odd.answers = { 'tools/list': result(`{"tools":[${bad.join(',')}]}`) };
    const from = gateway.current.log().length;
    const session = await openSession(gateway.current.url);
    for (let round = 0; round < 6; round++) await session.post(listMessage());
    odd.answers = {};
    const log = (): string => gateway.current.log().slice(from);
    await until('the log says that there are more', () => log().includes('more of its tools are left out'));
    expect(log().split('left out').length).toBeLessThanOrEqual(2 * 20 + 1);
  });

  it('does not ask a server that offers no tools', async () => {
    odd.answers = {
      initialize: json(
        '{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":"2025-11-25","capabilities":{"prompts":{}},"serverInfo":{"name":"s","version":"1"}}}',
      ),
    };
    const session = await openSession(gateway.current.url);
    odd.forget();
    expect(toolNames(await session.post(listMessage()))).toEqual(names.filter((name) => !name.startsWith('odd_')));
    expect(odd.requests).toEqual([]);
    odd.answers = {};
  });
});
