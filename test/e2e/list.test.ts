import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal, toolNames } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, events, json, startScripted } from './upstreams/scripted.ts';
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

    it.each(['""', '"page 1"', 'null', '7'])('refuses the cursor %s, as it gives none', async (cursor) => {
      const session = await openSession(gateway.current.url, { http });
      const answer = await session.post(`{"jsonrpc":"2.0","id":8,"method":"tools/list","params":{"cursor":${cursor}}}`);
      expect(refusal(answer)).toEqual({ status: 200, id: 8, code: -32602, reason: 'bad_cursor' });
    });
  });

  it('gives every cursor back to its own server, byte for byte', async () => {
    const cursor = '"c\\u0061rry \\ud800 \\/ \\"on\\""';
    const page = (tools: string, next = '') => `{"jsonrpc":"2.0","id":ID,"result":{${next}"tools":[${tools}]}}`;
    odd.forget();
    odd.answers = {
      'tools/list': (request, reply) => {
        const first = !request.body.includes('cursor');
        const body = first ? page('{"name":"p1"}', `"nextCursor":${cursor},`) : page('{"name":"p2"}');
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

  it('leaves out what could not be called: tools without a name, or with two', async () => {
    odd.answers = {
      'tools/list': json(
        '{"jsonrpc":"2.0","id":ID,"result":{"tools":[{},{"name":1},{"name":"x","name":"y"},"z",null,[],{"name":"kept"}]}}',
      ),
    };
    const session = await openSession(gateway.current.url);
    expect(toolNames(await session.post(listMessage())).filter((name) => name.startsWith('odd_'))).toEqual([
      'odd_kept',
    ]);
    odd.answers = {};
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
