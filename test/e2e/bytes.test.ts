import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overHttp2 } from './adjust.ts';
import { bothProtocols, send } from './clients/raw.ts';
import { callMessage, listMessage, mcpHeaders, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, pieces, startScripted } from './upstreams/scripted.ts';

/** Calls of the tool `NAME`, which the client writes with its prefix, as PREFIX, and the upstream gets without. */
const calls: readonly (readonly [string, string])[] = [
  [
    'numbers that no double holds',
    callMessage('"PREFIXNAME"', '{"n":[9007199254740993,1.0,1e400,-0,0.10,1E+2,18446744073709551615]}'),
  ],
  ['escaped lone surrogates', callMessage('"PREFIXNAME"', '{"s":"\\ud800 \\udfff\\ud800","\\udc00":"\\u0000\\/"}')],
  [
    'members nobody knows',
    '{"x":{"name":"z"},"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"y":[],"name":"PREFIXNAME","_meta":{"example.org/t":1},"task":null,"arguments":{}},"traceparent":"00-1"}',
  ],
  [
    'its members in an odd order',
    '{"params":{"arguments":{"a":1},"name":"PREFIXNAME"},"method":"tools/call","id":1,"jsonrpc":"2.0"}',
  ],
  [
    'white space everywhere',
    ' \r\n{ "jsonrpc" :\t"2.0" ,"id": 1,\n"method" : "tools/call" , "params" : { "name" :  "PREFIXNAME" , "arguments" : { } } }\n\n',
  ],
  [
    'arguments that hold the name with its prefix',
    callMessage(
      '"PREFIXNAME"',
      '{"name":"PREFIXKEPT","text":"call PREFIXKEPT, \\"name\\":\\"PREFIXKEPT\\"","PREFIXKEPT":{"params":{"name":"PREFIXKEPT"}}}',
    ),
  ],
  [
    'members escaped',
    '{"jsonrpc":"2.0","\\u0069d":1,"m\\u0065thod":"tools\\/call","p\\u0061rams":{"n\\u0061me":"PREFIXNAME","arguments":{}}}',
  ],
  ['text beyond ASCII', callMessage('"PREFIXNAME"', '{"ä":"日本語 \u{1F600}","\u2028":"\u007f"}')],
  ['no arguments', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"PREFIXNAME"}}'],
  ['arguments that are no object', callMessage('"PREFIXNAME"', '["a",null,true,false,1]')],
  ['nested arguments', callMessage('"PREFIXNAME"', `${'{"a":['.repeat(200)}${']}'.repeat(200)}`)],
  ['arguments of a megabyte but some', callMessage('"PREFIXNAME"', JSON.stringify({ long: 'ä"\\'.repeat(150_000) }))],
];

/** What the client may write for the prefix and the name, and what is left of it. */
const names: readonly (readonly [string, string])[] = [
  ['plain_echo', 'echo'],
  ['pl\\u0061in_echo', 'echo'],
  ['\\u0070\\u006c\\u0061\\u0069\\u006E\\u005f\\u0065cho', '\\u0065cho'],
  ['plain\\u005Fecho', 'echo'],
  ['plain_\\u0065\\u0063ho', '\\u0065\\u0063ho'],
  ['plain_plain_echo', 'plain_echo'],
  ['plain_\\/a\\"b', '\\/a\\"b'],
  ['plain_täst', 'täst'],
  ['plain_\\ud83d\\ude00', '\\ud83d\\ude00'],
];

const ids = [
  '1',
  '0',
  '-7',
  '9007199254740993',
  '123456789012345678901234567890',
  '""',
  '"a"',
  '"1"',
  '"\\u0061\\"\\ud800"',
  '"日本"',
];

const answers: readonly (readonly [string, string, readonly (string | Buffer)[]])[] = [
  [
    'JSON',
    'application/json',
    ['{ "id":ID ,"result":{"content":[],"n":1.0,', '"big":18446744073709551615,"x":"\\ud800"},"jsonrpc":"2.0"}\n\n'],
  ],
  [
    'JSON with a charset',
    'application/json; charset=UTF-8',
    ['\r\n{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"ä"}}'],
  ],
  ['JSON that is none', 'application/json', ['{"jsonrpc":"2.0","id":ID,"res']],
  ['bytes that are no text', 'application/json', [Buffer.from([0x22, 0xff, 0x00, 0xc3, 0x22])]],
  [
    'events',
    'text/event-stream',
    [
      ': hello\ndata:\n\n',
      'event: message\r\ndata: {"jsonrpc":"2.0","id":ID,\r\n',
      'data: "result":{}}\r\n\r\n',
      ': bye\n\nretry: 10\n\n',
    ],
  ],
  [
    'events cut in the middle of a character',
    'text/event-stream',
    [
      'data: {"jsonrpc":"2.0","id":ID,"result":{"text":"',
      Buffer.from('\u65e5').subarray(0, 1),
      Buffer.from('\u65e5').subarray(1),
      '"}}\n\n',
    ],
  ],
];

describeGateway('the bytes of a call', () => {
  let http1: Scripted;
  let http2: Scripted;
  beforeAll(async () => {
    http1 = await startScripted({ tools: ['echo'], sessionId: 'one' });
    http2 = await startScripted({ tools: ['echo'], http2: true });
  });
  afterAll(async () => {
    await Promise.all([http1.stop(), http2.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'plain', url: http1.url, prefix: 'plain_' },
      { name: 'two', url: http2.url, prefix: 'two_' },
    ],
    adjust: overHttp2('two'),
  }));
  const upstreams = {
    'HTTP/1.1': { prefix: 'plain_', of: () => http1 },
    'HTTP/2': { prefix: 'two_', of: () => http2 },
  };

  describe.each(bothProtocols)('from a client over %s', (http) => {
    describe.each(bothProtocols)('to a server over %s', (upstreamHttp) => {
      const { prefix, of } = upstreams[upstreamHttp];

      it.each(calls)('arrive untouched but for the prefix: %s', async (_, template) => {
        const session = await openSession(gateway.current.url, { http });
        const sent = template.replaceAll('PREFIX', prefix);
        const arrives = template.replace('"PREFIXNAME"', '"NAME"').replaceAll('PREFIX', prefix);
        const answer = await session.post(sent);
        expect(answer.status, answer.text).toBe(200);
        const { body, headers, path } = of().last('tools/call');
        expect(body.equals(Buffer.from(arrives)), body.toString().slice(0, 2_000)).toBe(true);
        expect(path).toBe('/mcp');
        // A large one is sent on before its end is known, so in chunks (or in as many frames as it takes).
        if (arrives.length < 64 << 10) expect(headers['content-length']).toBe(String(Buffer.byteLength(arrives)));
      });

      it.each(answers)('come back untouched: %s', async (_, type, parts) => {
        const session = await openSession(gateway.current.url, { http });
        of().answers = { 'tools/call': pieces(type, parts, 5) };
        const answer = await session.post(callMessage(`"${prefix}echo"`, '{}', '"the id"'));
        of().answers = {};
        const expected = parts.map((part) =>
          typeof part === 'string' ? Buffer.from(part.replaceAll('ID', '"the id"')) : part,
        );
        expect(answer.body.equals(Buffer.concat(expected)), answer.text).toBe(true);
        expect(answer.status).toBe(200);
        expect(answer.headers['content-type']).toBe(type);
        expect(answer.headers['x-mcp-gateway']).toMatch(/^sluice\//);
      });
    });

    it.each(names)('write the name %s as they like', async (written, left) => {
      const session = await openSession(gateway.current.url, { http });
      await session.post(callMessage(`"${written}"`));
      expect(http1.last('tools/call').body.toString()).toBe(callMessage(`"${left}"`));
    });

    it('tell routes a name beyond visible ASCII in the form of MCP', async () => {
      const session = await openSession(gateway.current.url, { http });
      await session.post(callMessage('"plain_täst"'));
      const encoded = Buffer.from('täst').toString('base64');
      expect(http1.last('tools/call').headers['x-mcp-toolname']).toBe(`=?base64?${encoded}?=`);
    });

    it.each(ids)('keep the id %s', async (id) => {
      const session = await openSession(gateway.current.url, { http });
      await session.post(callMessage('"plain_echo"', '{}', id));
      expect(http1.last('tools/call').body.toString()).toBe(callMessage('"echo"', '{}', id));
      const replies = {
        list: await session.post(listMessage(id)),
        ping: await session.post(`{"id":${id},"jsonrpc":"2.0","method":"ping"}`),
        unknown: await session.post(callMessage('"none"', '{}', id)),
        batch: await session.post(`{"jsonrpc":"1.0","id":${id},"method":"ping"}`),
      };
      expect(replies.ping.text).toBe(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
      for (const [what, { text }] of Object.entries(replies)) {
        expect(text.startsWith(`{"jsonrpc":"2.0","id":${id},"`), `${what}: ${text}`).toBe(true);
      }
    });

    it('may begin with a byte order mark, also one that arrives in pieces', async () => {
      const session = await openSession(gateway.current.url, { http });
      const sent = `\ufeff${callMessage('"plain_echo"')}`;
      for (const body of [sent, [...Buffer.from(sent)].map((byte) => Buffer.from([byte]))]) {
        expect((await session.post(body)).status).toBe(200);
        expect(http1.last('tools/call').body.toString()).toBe(`   ${callMessage('"echo"')}`);
      }
    });

    it('may write absent params as null', async () => {
      const session = await openSession(gateway.current.url, { http });
      for (const params of ['null', '{"cursor":null}', '{}']) {
        const list = await session.post(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":${params}}`);
        expect(list.text).toContain('"plain_echo"');
      }
      const ping = await session.post('{"jsonrpc":"2.0","id":1,"method":"ping","params":null}');
      expect(ping.text).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
    });

    it.each(['null', '1.0', '1e3', 'true', '{}', '[1]'])('have no id like %s', async (id) => {
      const session = await openSession(gateway.current.url, { http });
      const answer = await session.post(callMessage('"plain_echo"', '{}', id));
      expect([answer.status, answer.text.slice(0, 26)]).toEqual([400, '{"jsonrpc":"2.0","id":null']);
      expect(answer.text).toContain('"reason":"invalid_request"');
    });

    it('may come without content-length, and arrive whole', async () => {
      const session = await openSession(gateway.current.url, { http });
      const sent = callMessage('"plain_echo"', '{"x":1.0}');
      await session.post(
        [...Buffer.from(sent)].map((byte) => Buffer.from([byte])),
        { withoutLength: true },
      );
      expect(http1.last('tools/call').body.toString()).toBe(callMessage('"echo"', '{"x":1.0}'));
    });

    it('may have trailers', async () => {
      const session = await openSession(gateway.current.url, { http });
      const sent = callMessage('"plain_echo"', '{"x":2}');
      const answer = await session.post([sent.slice(0, 40), sent.slice(40)], {
        withoutLength: true,
        trailers: { 'x-end': 'yes' },
      });
      expect(answer.status).toBe(200);
      expect(http1.last('tools/call').body.toString()).toBe(callMessage('"echo"', '{"x":2}'));
    });

    it('may be split anywhere', async () => {
      const session = await openSession(gateway.current.url, { http });
      const headers = { ...mcpHeaders, 'mcp-session-id': session.id };
      const sent = (n: number): Buffer =>
        Buffer.from(callMessage('"pl\\u0061in_echo"', `{"ä":"\\ud800 ${n}"}`, '"i\\"d"'));
      const size = sent(100).length;
      const from = http1.of('tools/call').length;
      const positions = Array.from({ length: size - 1 }, (_, index) => index + 1);
      const tasks = positions.map((at) => async () => {
        const bytes = sent(100 + at);
        const body = [bytes.subarray(0, at), bytes.subarray(at)];
        const answer = await send(gateway.current.url, { http, headers, body, pause: 3 });
        expect([at, answer.status]).toEqual([at, 200]);
      });
      await inTurns(tasks, 8);
      const arrived = http1
        .of('tools/call')
        .slice(from)
        .map(({ body }) => body.toString());
      expect(arrived.sort()).toEqual(
        positions.map((at) => callMessage('"echo"', `{"ä":"\\ud800 ${100 + at}"}`, '"i\\"d"')).sort(),
      );
    });
  });
});

async function inTurns(tasks: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const left = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) await task();
  };
  await Promise.all(Array.from({ length: width }, work));
}
