// Small inputs of which much could be made: what a worker's memory grows by is bounded by what they are, or they are refused.
import { expect, test } from 'vitest';
import { answerAll, ask, openSession, startHost, usualAnswer } from './gateway.ts';
import type { Host } from './host.ts';
import type { Stream } from './stream.ts';

const MiB = 1 << 20;
const json: [string, string][] = [
  [':status', '200'],
  ['content-type', 'application/json'],
];

/** Mebibytes by which the memory grows. */
function growth(host: Host, act: () => void): number {
  const before = host.pages;
  act();
  return (host.pages - before) / 16;
}

function call(host: Host, name: string, args: string): Stream {
  const headers = openSession(host);
  const params = `{"name":"${name}","arguments":${args}}`;
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
  return ask(host, { headers, body, chunkSize: 60_000 });
}

const restServer = (args: readonly object[], request: object = {}, prefix = ''): object => ({
  name: 's',
  cluster: 's',
  authority: 'rest.example',
  prefix,
  rest: {
    tools: [{ name: 't', args, requestTemplate: { url: 'http://b.example/x', method: 'POST', ...request } }],
  },
});

test.each<[string, object, string]>([
  [
    'alternatives that do not fit',
    { items: { anyOf: [{ type: 'string' }, { type: 'boolean' }, { minimum: 5 }, { type: 'number' }] } },
    '1',
  ],
  ['exactly one of three', { items: { oneOf: [{ type: 'array' }, { maxItems: 0 }, { minimum: 5 }] } }, '1,[7]'],
  [
    'members within alternatives',
    { items: { anyOf: ['b', 'c', 'd'].map((name) => ({ properties: { a: {} }, required: [name] })).concat() } },
    '{"d":1,"\\u0061":2}',
  ],
  [
    'choices with escapes',
    { items: { enum: ['x', 'y"z', 'é'].flatMap((text) => [text, `${text}\n`]) } },
    '"\\u00e9\\n"',
  ],
])('a call of a mebibyte that is held against %s takes little more than itself', (_, schema, part) => {
  const host = startHost({ servers: [restServer([{ name: 'a', position: 'body', type: 'array', ...schema }])] });
  const args = `{"a":[${`${part},`.repeat(Math.floor((0.95 * MiB) / (part.length + 1)))}${part}]}`;
  const grown = growth(host, () => {
    const { reply, forwarded } = call(host, 't', args);
    if (forwarded === undefined) expect(reply?.body.toString()).toContain('must be what exactly one of oneOf says');
  });
  expect(grown).toBeLessThan(10);
});

test('what is wrong is told of the first part that is, with its place', () => {
  const inner = { type: 'object', properties: { 'a b': { type: 'array', items: { type: 'integer', maximum: 5 } } } };
  const list = { name: 'l', type: 'array', items: { allOf: [inner, { required: ['a b'] }] } };
  const host = startHost({ servers: [restServer([list])] });
  const told = (args: string): string => call(host, 't', args).reply?.body.toString() ?? '';
  expect(told('{"l":[{"a b":[1]},{"\\u0061 b":[1,2,7]}]}')).toContain('l[1].a b[2]: must be at most 5');
  expect(told('{"l":[{"a b":[1]},{}]}')).toContain('l[1].a b: is required');
});

test('a template that makes much of little fails where there is no memory for it', () => {
  const host = startHost({
    servers: [restServer([{ name: 'a' }], { body: '{{repeat 4000000 .args.a}}' })],
    limits: { heldBody: 8 * MiB },
  });
  const grown = growth(host, () => {
    expect(call(host, 't', '{"a":"12345678"}').reply?.body.toString()).toContain('more text than a template may');
  });
  expect(grown).toBeLessThan(10);
});

test.each([40, 1_000])('a search among tools with names of %i characters takes no more each time', (length) => {
  const host = startHost({ toolSearch: { enabled: true } });
  const names = Array.from({ length: 200 }, (_, index) => `find_${index}_`.padEnd(length, 'x'));
  const list = JSON.stringify(names.map((name) => ({ name, inputSchema: { type: 'object' }, title: '\n find' })));
  const headers = openSession(host);
  const search = (): string => {
    const params = '{"name":"search_tools","arguments":{"query":"find"}}';
    const stream = ask(host, { headers, body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}` });
    answerAll(host, (callout) => {
      const id = /"id":("[^"]*")/.exec(callout.body.toString())?.[1];
      if (id === undefined || !callout.body.includes('tools/list')) return usualAnswer(callout);
      return { headers: json, body: Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"tools":${list}}}`) };
    });
    stream.close();
    return stream.reply?.body.toString() ?? '';
  };
  expect(search()).toContain('of 400 tools that fit');
  for (let round = 0; round < 20; round++) search();
  const grown = growth(host, () => {
    for (let round = 0; round < 20; round++) search();
  });
  expect(grown).toBe(0);
});

test('a catalog that takes more memory than a worker has is left, and what is served stays', () => {
  const catalog = { cluster: 'plugin-server', namespace: 'team', clusters: ['s'], maxBytes: 16 * MiB };
  const host = startHost({ servers: [restServer([{ name: 'a' }], {}, 's_')], catalog });
  const alternatives = Array.from({ length: 5_000_000 }, () => '{}').join();
  const tool = `{"name":"t","args":[{"name":"a","anyOf":[${alternatives}]}],"requestTemplate":{"url":"http://b/","method":"GET"}}`;
  const servers = `[{"name":"c","cluster":"s","prefix":"c_","rest":{"tools":[${tool}]}}]`;
  const body = `{"namespace":"team","revision":"r1","servers":${servers},"virtualServers":[],"leftOut":[]}`;
  host.now += 10_000_000_000n;
  host.tick();
  const [asked] = host.pending;
  if (asked === undefined) throw new Error('nobody has asked for the catalog');
  host.answer(asked, { headers: [...json, ['etag', '"e1"']], body: Buffer.from(body) });
  expect(host.log.join('\n')).toContain('the worker has no memory for the catalog');
  expect(call(host, 's_t', '{"a":"x"}').forwarded).toBeDefined();
}, 120_000);
