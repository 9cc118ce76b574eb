import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutAt, feedings, Window } from './chunks.ts';
import { instance } from './core.ts';

const core = instance();
const window = new Window(core, 1 << 18);
const OBSTACLES = ['none', 'limit', 'memory', 'address'] as const;

const latin1 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

/** What the client gets of an event stream; what takes a place is a number in quotes. */
function rewrite(chunks: Iterable<Uint8Array>, most = 1 << 20): { text: string; obstacle: (typeof OBSTACLES)[number] } {
  core.call('httpSseOpen', most);
  const parts: string[] = [];
  for (const chunk of chunks) parts.push(latin1(core.bytes('httpSseWrite', ...window.show(chunk))));
  parts.push(latin1(core.bytes('httpSseEnd')));
  const obstacle = OBSTACLES[core.call('httpSseObstacle')] ?? 'none';
  core.clear();
  return { text: Buffer.from(parts.join(''), 'latin1').toString(), obstacle };
}

const message = (data: string): string => `event: message\ndata: ${data}\n\n`;
const carried = `"${'carried-'.repeat(9)}"`;
// Numbers of `Replacement`.
const [ADDRESS, CAPABILITIES, TOOLS, PROMPTS, RESOURCES, TEMPLATES] = ['"0"', '"2"', '"3"', '"4"', '"5"', '"6"'];

describe.each<[string, string, string]>([
  ['the address', 'event: endpoint\ndata: /messages?id=7\n\n', `event: endpoint\ndata: ${ADDRESS}\n\n`],
  ['the address before its type', 'data:/m\r\nevent:endpoint\r\n\r\n', `data:${ADDRESS}\r\nevent:endpoint\r\n\r\n`],
  ['each address', 'event: endpoint\ndata: /a\n\n'.repeat(2), `event: endpoint\ndata: ${ADDRESS}\n\n`.repeat(2)],
  [
    'no address of another type',
    'event: endpoints\ndata: /a\n\nevent: end\ndata: /a\n\n',
    'event: endpoints\ndata: /a\n\nevent: end\ndata: /a\n\n',
  ],
  [
    'no address of a type that was written over',
    'event: endpoint\nevent: message\ndata: /a\n\n',
    'event: endpoint\nevent: message\ndata: /a\n\n',
  ],
  [
    'tools',
    message('{"result":{"tools":[{"name":"a"}],"nextCursor":"x"},"jsonrpc":"2.0","id":1}'),
    message(`{"result":{"tools":${TOOLS},"nextCursor":"x"},"jsonrpc":"2.0","id":1}`),
  ],
  [
    'an escaped name',
    message('{"id":1,"result":{"\\u0074ools":[ ]}}'),
    message(`{"id":1,"result":{"\\u0074ools":${TOOLS}}}`),
  ],
  [
    'prompts and resources',
    message('{"id":"1","result":{"prompts":[[]],"resources":[{}]}}'),
    message(`{"id":"1","result":{"prompts":${PROMPTS},"resources":${RESOURCES}}}`),
  ],
  [
    'templates',
    message('{"id":1,"result":{"resourceTemplates":[]}}'),
    message(`{"id":1,"result":{"resourceTemplates":${TEMPLATES}}}`),
  ],
  [
    'what is no list, as if it were one',
    message('{"id":1,"result":{"tools":{"a":[]}}}'),
    message(`{"id":1,"result":{"tools":${TOOLS}}}`),
  ],
  [
    'capabilities',
    message('{"id":1,"result":{"capabilities":{"tools":{"x":[]}}}}'),
    message(`{"id":1,"result":{"capabilities":${CAPABILITIES}}}`),
  ],
  [
    'a list over several lines',
    'data: {"result":{"tools":[\ndata: {}\nid: 1\ndata: ]},"id":1}\n\n',
    `data: {"result":{"tools":${TOOLS}},"id":1}\n\n`,
  ],
  [
    'lists of a batch',
    message('[{"id":1,"result":{"tools":[]}},{"id":2,"result":{"tools":[1]}}]'),
    message(`[{"id":1,"result":{"tools":${TOOLS}}},{"id":2,"result":{"tools":${TOOLS}}}]`),
  ],
  [
    'no list elsewhere',
    message('{"id":1,"method":"x","params":{"tools":[]},"tools":[],"error":{"tools":[]}}'),
    message('{"id":1,"method":"x","params":{"tools":[]},"tools":[],"error":{"tools":[]}}'),
  ],
  [
    'no id',
    message('{"id":1,"method":"roots/list"}') + message('{"id":1,"result":{}}'),
    message('{"id":1,"method":"roots/list"}') + message('{"id":1,"result":{}}'),
  ],
  [
    'the response that has a refusal in it',
    message(`{"result":{},"jsonrpc":"2.0","id":${carried}}`),
    message('{"refused":true}'),
  ],
  ['one whose id comes first', message(`{"id":${carried},"result":{"x":[1]}}`), message('{"refused":true}')],
  ['one that is an error', message(`{"id":${carried},"error":{"code":1,"message":"m"}}`), message('{"refused":true}')],
  [
    'no request with such an id',
    message(`{"id":${carried},"method":"ping"}`),
    message(`{"id":${carried},"method":"ping"}`),
  ],
  ['no id of an event, and no comment', 'id: 7\n: /x\nretry: 5\ndata: {}\n\n', 'id: 7\n: /x\nretry: 5\ndata: {}\n\n'],
  [
    'nothing behind what is no JSON',
    message('{"id":1,"result":{"a":NaN,"tools":[1]}}') + message('{"id":2}'),
    `event: message\ndata: {"id":1,"result":{"a":\n\n${message('{"id":2}')}`,
  ],
  [
    'nothing of a list that is no JSON',
    message('{"id":1,"result":{"tools":[1,NaN]}}'),
    'event: message\ndata: {"id":1,"result":{"tools":\n\n',
  ],
  ['no address of an event that has no end', 'event: endpoint\ndata: /secret', 'event: endpoint\ndata: '],
])('in an event stream of HTTP+SSE, the rewriter rewrites %s', (_, server, client) => {
  test('cut anywhere', () => {
    for (const chunks of feedings(Buffer.from(server)))
      expect(rewrite(chunks)).toEqual({ text: client, obstacle: 'none' });
  });
});

test('a stream of many events is the same wherever it is cut', () => {
  const server = [
    'event: endpoint\ndata: /m\n\n: ping\n\n',
    message('{"result":{"tools":[{"name":"é"}]},"id":1}'),
    message(`{"result":{},"id":${carried}}`),
    message('{"method":"x"}'),
  ].join('');
  const { text } = rewrite([Buffer.from(server)]);
  expect(text).toContain('{"refused":true}');
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
      expect(rewrite(cutAt(Buffer.from(server), places)).text).toBe(text);
    }),
  );
});

describe('what cannot pass', () => {
  test('an address of another origin ends the stream', () => {
    expect(rewrite([Buffer.from('event: endpoint\ndata: https://elsewhere/\n\n')]).obstacle).toBe('address');
  });
  test.each([
    ['a list', 'data: {"result":{"tools":[', '1,'],
    ['what may be an address', 'data: /', 'a'],
  ])('%s that has no end', (_, begun, more) => {
    const chunks = [begun, ...Array.from({ length: 300 }, () => more.repeat(100))].map((chunk) => Buffer.from(chunk));
    expect(rewrite(chunks, 4096).obstacle).toBe('limit');
  });
  test('a long message is no refusal, and passes as it comes', () => {
    const long = message(`{"id":1,"result":{"x":"${'x'.repeat(20_000)}"}}`);
    expect(rewrite([Buffer.from(long.slice(0, 10_000)), Buffer.from(long.slice(10_000))])).toEqual({
      text: long,
      obstacle: 'none',
    });
  });
});

describe('where messages go to', () => {
  const path = (data: string, own = '/a/sse?x=1', authority = 'mcp.example.com:8080'): string | undefined => {
    const found = core.text('httpSsePath', ...core.span(data), ...core.span(own), ...core.span(authority));
    core.clear();
    return found;
  };
  test.each([
    ['/messages?sessionId=1', '/messages?sessionId=1'],
    [' /messages#part', '/messages'],
    ['?sessionId=1', '/a/sse?sessionId=1'],
    ['messages?u=http://x', '/a/messages?u=http://x'],
    ['http://mcp.example.com:8080/m?x', '/m?x'],
    ['HTTPS://MCP.example.com:8080', '/'],
    ['//mcp.example.com:8080/m', '/m'],
  ])('%s', (data, expected) => {
    expect(path(data)).toBe(expected);
  });
  test.each([
    '',
    '#',
    'http://elsewhere/m',
    'http://mcp.example.com/m',
    'http://mcp.example.com:8080@elsewhere/m',
    'http://mcp.example.com:8080?x',
    '//elsewhere',
    'urn:x',
    '/a b',
    '/a\tb',
    '/é',
    `/${'x'.repeat(3000)}`,
  ])('%s leads nowhere', (data) => {
    expect(path(data)).toBeUndefined();
  });
});
