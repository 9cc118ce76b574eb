import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { message, sealed, streamOf, style, write } from './answers.ts';
import { cutAt, feedings, Window } from './chunks.ts';
import { instance } from './core.ts';

const LARGE = 1 << 20;
const core = instance();
const window = new Window(core, 1 << 18);

interface Rewriting {
  readonly type?: 'json' | 'events';
  /** Of the server; the empty one where it is the only one. */
  readonly name?: string;
  readonly inSession?: boolean;
  /** Bytes that are kept. */
  readonly most?: number;
}

function open({ type = 'events', name = 'git', inSession = true, most = LARGE }: Rewriting): void {
  core.call(
    'rewriterOpen',
    Number(type === 'events'),
    ...core.span(name),
    Number(name !== ''),
    Number(inSession),
    most,
  );
}

const latin1 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

/** What goes on of each chunk, and at the end. */
function parts(chunks: Iterable<Uint8Array>, rewriting: Rewriting): string[] {
  const out: string[] = [];
  open(rewriting);
  for (const chunk of chunks) out.push(latin1(core.bytes('rewriterWrite', ...window.show(chunk))));
  out.push(latin1(core.bytes('rewriterEnd')));
  core.clear();
  return out;
}

/** What the client gets, sealed texts opened. */
function rewrite(chunks: Iterable<Uint8Array>, rewriting: Rewriting): string {
  const text = Buffer.from(parts(chunks, rewriting).join(''), 'latin1').toString();
  const opened = text
    .replace(/"[A-Za-z0-9_-]{50,}"/g, (token) => openedBy('rewriterServersId', token) ?? token)
    .replace(/(?<=^\ufeff?id: ?)[A-Za-z0-9_-]{50,}/gm, (id) => openedBy('rewriterEventId', id) ?? id);
  core.clear();
  return opened;
}

function openedBy(what: 'rewriterServersId' | 'rewriterEventId', text: string): string | undefined {
  const original = core.text(what, ...core.span(text));
  return original === undefined ? undefined : sealed(original);
}

const event = (data: string): string => `data: ${data}\n\n`;

describe.each<[string, string, string]>([
  [
    'a resource that was read',
    '{"result":{"contents":[{"uri":"file:///a","text":"file:///a"}]}}',
    '{"result":{"contents":[{"uri":"file://git//a","text":"file:///a"}]}}',
  ],
  [
    'a link to one',
    '{"result":{"content":[{"type":"resource_link","uri":"urn:x","name":"x"}]}}',
    '{"result":{"content":[{"type":"resource_link","uri":"urn:git/x","name":"x"}]}}',
  ],
  [
    'an embedded one',
    '{"result":{"content":[{"resource":{"uri":"ui://form"},"type":"resource"}]}}',
    '{"result":{"content":[{"resource":{"uri":"ui://git/form"},"type":"resource"}]}}',
  ],
  [
    'one in a prompt',
    '{"result":{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"x"}}}]}}',
    '{"result":{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"git/x"}}}]}}',
  ],
  [
    'several in a prompt',
    '{"result":{"messages":[{"content":[{"uri":"a:b"},{"uri":"c:d"}]},{"content":{"uri":"e:f"}}]}}',
    '{"result":{"messages":[{"content":[{"uri":"a:git/b"},{"uri":"c:git/d"}]},{"content":{"uri":"e:git/f"}}]}}',
  ],
  [
    'the form of an app',
    '{"result":{"content":[],"_meta":{"ui":{"resourceUri":"ui://a"},"ui/resourceUri":"ui://a"}}}',
    '{"result":{"content":[],"_meta":{"ui":{"resourceUri":"ui://git/a"},"ui/resourceUri":"ui://git/a"}}}',
  ],
  [
    'a page of the web not at all',
    '{"result":{"contents":[{"uri":"https://a/b"}]}}',
    '{"result":{"contents":[{"uri":"https://a/b"}]}}',
  ],
  [
    'a uri with escapes',
    '{"result":{"contents":[{"uri":"fil\\u0065:\\/\\/\\/a"}]}}',
    '{"result":{"contents":[{"uri":"fil\\u0065:\\/\\/git//a"}]}}'.replace('git//', 'git/\\/'),
  ],
  [
    'an escaped name',
    '{"result":{"contents":[{"\\u0075ri":"a:b"}]}}',
    '{"result":{"contents":[{"\\u0075ri":"a:git/b"}]}}',
  ],
  [
    'a uri elsewhere not at all',
    '{"result":{"structuredContent":{"uri":"a:b"},"uri":"a:b","content":[{"annotations":{"uri":"a:b"}}]}}',
    '{"result":{"structuredContent":{"uri":"a:b"},"uri":"a:b","content":[{"annotations":{"uri":"a:b"}}]}}',
  ],
  [
    'a uri that is no text not at all',
    '{"result":{"contents":[{"uri":{"uri":"a:b"}},{"uri":["a:b"]},{"uri":1}]}}',
    '{"result":{"contents":[{"uri":{"uri":"a:b"}},{"uri":["a:b"]},{"uri":1}]}}',
  ],
  [
    'what an error is about',
    '{"id":1,"error":{"code":-32002,"message":"m","data":{"uri":"a:b"}}}',
    '{"id":1,"error":{"code":-32002,"message":"m","data":{"uri":"a:git/b"}}}',
  ],
  [
    'what has changed',
    '{"method":"notifications/resources/updated","params":{"uri":"a:b"}}',
    '{"method":"notifications/resources/updated","params":{"uri":"a:git/b"}}',
  ],
  [
    'the id of a request',
    '{"jsonrpc":"2.0","id":0,"method":"ping"}',
    `{"jsonrpc":"2.0","id":${sealed('0')},"method":"ping"}`,
  ],
  [
    'the id behind the method',
    '{"method":"sampling/createMessage","params":{"messages":[{"content":{"uri":"a:b"}}]},"id":"a\\"b"}',
    `{"method":"sampling/createMessage","params":{"messages":[{"content":{"uri":"a:git/b"}}]},"id":${sealed('"a\\"b"')}}`,
  ],
  [
    'the token of a request’s progress',
    '{"id":1,"params":{"_meta":{"progressToken":1}},"method":"roots/list"}',
    `{"id":${sealed('1')},"params":{"_meta":{"progressToken":${sealed('1')}}},"method":"roots/list"}`,
  ],
  [
    'a request that is cancelled',
    '{"method":"notifications/cancelled","params":{"requestId":9007199254740993}}',
    `{"method":"notifications/cancelled","params":{"requestId":${sealed('9007199254740993')}}}`,
  ],
  [
    'the id of a response not at all',
    '{"id":1,"result":{},"x":{"id":1,"method":"x"}}',
    '{"id":1,"result":{},"x":{"id":1,"method":"x"}}',
  ],
  [
    'the token of the client’s progress not at all',
    '{"method":"notifications/progress","params":{"progressToken":1}}',
    '{"method":"notifications/progress","params":{"progressToken":1}}',
  ],
  [
    'the method of a request for tasks',
    '{"method":"tasks\\/list","id":1}',
    `{"method":"unoffered:tasks\\/list","id":${sealed('1')}}`,
  ],
  [
    'the last of several methods too',
    '{"id":1,"method":"ping","params":{},"m\\u0065thod":"t\\u0061sks/get"}',
    `{"id":${sealed('1')},"method":"ping","params":{},"m\\u0065thod":"unoffered:t\\u0061sks/get"}`,
  ],
  [
    'what is told of tasks not at all',
    '{"method":"notifications/tasks/status"}',
    '{"method":"notifications/tasks/status"}',
  ],
  ['an id of null not at all', '{"id":null,"method":"x"}', '{"id":null,"method":"x"}'],
  ['what is neither, not at all', '{"id":1,"x":{"uri":"a:b"}}', '{"id":1,"x":{"uri":"a:b"}}'],
  [
    'a batch',
    '[{"id":1,"method":"ping"},{"id":1,"result":{"contents":[{"uri":"a:b"}]}}]',
    `[{"id":${sealed('1')},"method":"ping"},{"id":1,"result":{"contents":[{"uri":"a:git/b"}]}}]`,
  ],
  [
    'no more behind what is no JSON',
    '{"result":{"contents":[{"uri":"a:b"},{"uri":a,"uri":"a:b"}]}}',
    '{"result":{"contents":[{"uri":"a:git/b"},{"uri":a,"uri":"a:b"}]}}',
  ],
])('for a client, the rewriter rewrites %s', (_, server, client) => {
  test('in a document cut anywhere', () => {
    for (const chunks of feedings(Buffer.from(server))) expect(rewrite(chunks, { type: 'json' })).toBe(client);
    // The mark does not go on: what reads the document behind us knows none.
    for (const chunks of feedings(Buffer.from(`\ufeff${server}`)))
      expect(rewrite(chunks, { type: 'json' })).toBe(client);
  });

  test('but nothing behind a part of a byte order mark, which is no JSON', () => {
    const broken = Buffer.concat([Buffer.of(0xef, 0xbb), Buffer.from(server)]);
    for (const chunks of feedings(broken)) {
      expect(parts(chunks, { type: 'json' }).join('')).toBe(broken.toString('latin1'));
    }
  });

  test('in an event cut anywhere, and never in the next one', () => {
    const other = '{"id":1,"result":{"uri":"a:b"}}';
    for (const chunks of feedings(Buffer.from(event(server) + event(other)))) {
      expect(rewrite(chunks, {})).toBe(event(client) + event(other));
    }
  });

  test('but no URI where there is one server', () => {
    const expected = client.replaceAll(/git\/(\\(?=\/))?|unoffered:/g, '');
    const plain = (text: string): string => text.replaceAll('\\/', '/');
    expect(plain(rewrite([Buffer.from(event(server))], { name: '' }))).toBe(plain(event(expected)));
  });

  test('and no id in the era without sessions', () => {
    const unsealed = client.replaceAll(/<sealed (.*?)>/g, '$1').replaceAll('unoffered:', '');
    expect(rewrite([Buffer.from(event(server))], { inSession: false })).toBe(event(unsealed));
  });
});

test.each([[0xef], [0xef, 0xbb], [0xef, 0xef, 0xbb, 0xbf], [0xef, 0xbb, 0xbb], [0xef, 0xbb, 0xef, 0x7b]])(
  'what begins like a byte order mark passes as it is: %s %s',
  (...bytes) => {
    for (const chunks of feedings(Buffer.from(bytes))) {
      expect(parts(chunks, { type: 'json' }).join('')).toBe(latin1(Buffer.from(bytes)));
    }
  },
);

describe.each<[string, string, string]>([
  [
    'a state that is to be repeated, as it was written',
    '{"id":1,"result":{"resultType":"input_required","requestState":"a\\/b\\u0000"}}',
    '{"id":1,"result":{"resultType":"input_required","requestState":"<state a\\/b\\u0000>"}}',
  ],
  ['the empty one', '{"result":{"requestState":""}}', '{"result":{"requestState":"<state >"}}'],
  ['no state that is no text', '{"result":{"requestState":null}}', '{"result":{"requestState":null}}'],
  [
    'no state elsewhere',
    '{"result":{"structuredContent":{"requestState":"a","taskId":"a"},"x":[{"taskId":"a"}]}}',
    '{"result":{"structuredContent":{"requestState":"a","taskId":"a"},"x":[{"taskId":"a"}]}}',
  ],
  [
    'the id of a task, as what it says',
    '{"result":{"resultType":"task","taskId":"a\\/b","status":"working"}}',
    '{"result":{"resultType":"task","taskId":"<task a/b>","status":"working"}}',
  ],
  [
    'a task that is told of, and its result',
    '{"method":"notifications/tasks","params":{"taskId":"a","result":{"content":[{"uri":"a:b"}],"taskId":"a"}}}',
    '{"method":"notifications/tasks","params":{"taskId":"<task a>","result":{"content":[{"uri":"a:git/b"}],"taskId":"a"}}}',
  ],
  [
    'the result of a task, and what its error is about',
    '{"result":{"result":{"content":[{"uri":"a:b"}]},"error":{"data":{"uri":"a:b"}}}}',
    '{"result":{"result":{"content":[{"uri":"a:git/b"}]},"error":{"data":{"uri":"a:git/b"}}}}',
  ],
  [
    'the tasks that are listened to',
    '{"method":"x","params":{"notifications":{"taskIds":["a",1,"b",["c"]],"x":["a"]}}}',
    '{"method":"x","params":{"notifications":{"taskIds":["<task a>",1,"<task b>",["<task c>"]],"x":["a"]}}}',
  ],
  [
    'the task that a message belongs to',
    '{"method":"x","params":{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a"}}}}',
    '{"method":"x","params":{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"<task a>"}}}}',
  ],
])('for a caller without a session, the rewriter seals %s', (_, server, client) => {
  const opened = (kind: number, text: string): string | undefined =>
    core.text('rewriterCallerText', kind, ...core.span(text));
  const seal = (chunks: Iterable<Uint8Array>): string => {
    const text = parts(chunks, { type: 'json', inSession: false }).join('');
    const found = text.replace(/(?<=")[\w-]{50,}(?=")/g, (sealed) => {
      const state = opened(0, sealed);
      return state === undefined ? `<task ${opened(1, sealed) ?? 'forged'}>` : `<state ${state}>`;
    });
    core.clear();
    return found;
  };

  test('cut anywhere', () => {
    for (const chunks of feedings(Buffer.from(server))) expect(seal(chunks)).toBe(client);
  });

  test('and none in a session', () => {
    const own = client.replaceAll(/<(state|task) (.*?)>/g, '$2');
    expect(
      rewrite([Buffer.from(server)], { type: 'json' })
        .replaceAll('\\/', '/')
        .replaceAll('git/', ''),
    ).toBe(own.replaceAll('\\/', '/').replaceAll('git/', ''));
  });
});

describe.each<[string, string, string]>([
  ['an id', 'id: abc\ndata: {}\n\n', `id: ${sealed('abc')}\ndata: {}\n\n`],
  ['an id behind the data', 'data: {}\r\nid:1\r\n\r\n', `data: {}\r\nid:${sealed('1')}\r\n\r\n`],
  ['an id of a priming event', 'id: 0/0\rretry: 5\rdata:\r\r', `id: ${sealed('0/0')}\rretry: 5\rdata:\r\r`],
  ['no id that is empty', 'id\nid:\nid: \ndata: {}\n\n', 'id\nid:\nid: \ndata: {}\n\n'],
  ['every id of an event', 'id: 1\nid: 2\n\n', `id: ${sealed('1')}\nid: ${sealed('2')}\n\n`],
  [
    'an id between lines of data',
    'data: {"id":1,\nid: 2\ndata: "method":"x"}\nid: 3\n\n',
    `data: {"id":${sealed('1')},\nid: ${sealed('2')}\ndata: "method":"x"}\nid: ${sealed('3')}\n\n`,
  ],
  [
    'a number at the end of a line of data',
    'data: {"id":1\ndata: ,"method":"x"}\n\n',
    `data: {"id":${sealed('1')}\ndata: ,"method":"x"}\n\n`,
  ],
  [
    'no text that goes over two lines',
    'data: {"result":{"contents":[{"uri":"a:\nid: 1\ndata: b"}]}}\n\n',
    `data: {"result":{"contents":[{"uri":"a:\nid: ${sealed('1')}\ndata: b"}]}}\n\n`,
  ],
  ['an id that has no end', 'data: {}\n\nid: session', `data: {}\n\nid: ${sealed('session')}`],
  [
    'comments and other fields not at all',
    ': {"id":1}\nevent: {"id":1}\nid : 1\nID: 1\nretry: 1\n\n',
    ': {"id":1}\nevent: {"id":1}\nid : 1\nID: 1\nretry: 1\n\n',
  ],
])('in an event stream, the rewriter rewrites %s', (_, server, client) => {
  test('cut anywhere', () => {
    for (const chunks of feedings(Buffer.from(server))) expect(rewrite(chunks, {})).toBe(client);
  });
});

test('wherever a document is cut, the client gets what it is to get', () => {
  let changed = 0;
  fc.assert(
    fc.property(message, style, fc.boolean(), fc.array(fc.nat(), { maxLength: 12 }), (tree, style, several, places) => {
      const { server, client } = write(tree, style, several ? 'git/' : undefined);
      if (server !== client) changed++;
      const name = several ? 'git' : '';
      expect(rewrite(cutAt(Buffer.from(server), places), { type: 'json', name })).toBe(client);
    }),
    { numRuns: 4000 },
  );
  expect(changed).toBeGreaterThan(100);
});

test.each([
  ['of several', 'git', 'git/'],
  ['that is the only one', '', undefined],
])('wherever the event stream of a server %s is cut, the client gets what it is to get', (_, name, mark) => {
  let changed = 0;
  fc.assert(
    fc.property(streamOf(mark), fc.array(fc.nat(), { maxLength: 20 }), ({ server, client }, places) => {
      if (server !== client) changed++;
      expect(rewrite(cutAt(Buffer.from(server), places), { name })).toBe(client);
    }),
    { numRuns: 3000 },
  );
  expect(changed).toBeGreaterThan(100);
});

test('what is not changed is the chunk itself, and goes on at once', () => {
  open({});
  const stream = Buffer.from('retry: 1\r\ndata: {"id":1,"result":{"content":[{"type":"text"}]}}\r\r: ping\n');
  expect(core.call('rewriterReturnsChunk', ...window.show(stream))).toBe(1);
  const chunks = [
    ': ping\n',
    'da',
    'ta: {"id":',
    '1',
    ',"result"',
    ':{"contents":[{"text":"',
    'long',
    '","uri":"a',
    ':b',
    '"',
    '}]}}\n',
    '\n',
  ];
  expect(
    parts(
      chunks.map((chunk) => Buffer.from(chunk)),
      {},
    ),
  ).toEqual([
    ': ping\n',
    'da',
    'ta: {"id":',
    '',
    '1,"result"',
    ':{"contents":[{"text":"',
    'long',
    '","uri":',
    '',
    '"a:git/b"',
    '}]}}\n',
    '\n',
    '',
  ]);
});

describe('what would have to be kept beyond the bound', () => {
  const most = 64;
  const notJson = `${'x'.repeat(500)}\n\n`;
  test.each([
    ['a uri without end', '{"result":{"contents":[{"uri":"a:', 'x'],
    ['an id without end', '{"method":"x","id":"', 'x'],
    ['an id that nothing tells the meaning of', '{"id":1,"x":"', 'x'],
    ['ids that nothing tells the meaning of', '{"id":1,"x":[', '{"id":1},'],
  ])('stops the answer: %s', (_, begin, more) => {
    open({ most });
    core.call('rewriterRepeat', ...core.span(`data: ${begin}`), 1);
    core.call('rewriterRepeat', ...core.span(more), Math.floor(30 / more.length));
    expect(core.call('rewriterObstacle')).toBe(0);
    core.call('rewriterRepeat', ...core.span(more), 100);
    expect(core.call('rewriterObstacle')).toBe(1);
    expect(core.bytes('rewriterWrite', ...core.span(notJson))).toBeUndefined();
    expect(core.call('rewriterHeld')).toBeLessThan(8192);
  });

  test.each([
    ['a line', 'data: ', 'x'],
    ['a text', 'data: {"result":{"content":[{"text":"', 'x'],
    ['a document', 'data: {"result":{"content":[', '{"type":"text","text":"x"},'],
    ['white space', 'data: {"id"', ' '],
    ['a name', 'data: {"', 'x'],
    ['a name of a field', 'x', 'x'],
    ['a comment', ': ', 'x'],
    ['events', '', 'data: {"result":{"contents":[{"uri":"a:b"}]}}\nid: 1\n\n'],
    ['requests', '', event('{"id":1,"method":"ping","params":{"_meta":{"progressToken":1}}}')],
    ['lines of data', 'data: {"result":{"content":[', 'data: 1,\n'],
    ['ids of an event', 'data: {"id":1,\n', 'id: 1\n'],
  ])('is no part of %s without end', (_, begin, more) => {
    open({ most: 2048 });
    core.call('rewriterRepeat', ...core.span(begin), 1);
    core.call('rewriterRepeat', ...core.span(more), 1000);
    const before = core.call('rewriterHeld');
    core.call('rewriterRepeat', ...core.span(more), 20_000);
    expect(core.call('rewriterObstacle')).toBe(0);
    expect(core.call('rewriterHeld')).toBe(before);
  });
});

test('an id of an event that is longer than what may be kept is left out, however it comes', () => {
  const stream = Buffer.from(`id: ${'x'.repeat(5_000)}\ndata: {}\n\n`);
  for (const places of [[], [3_000], [4_500, 4_800], Array.from({ length: 50 }, (_, index) => 100 * index)]) {
    expect(parts(cutAt(stream, places), { most: 2_100 }).join('')).toBe('id: \ndata: {}\n\n');
  }
});

test('an id of an event that is too long is left out, however it comes', () => {
  const long = 'x'.repeat(3000);
  for (const chunks of [
    [`id: ${long}\ndata: {}\n\nid: 1\n`],
    ['id: ', ...long.split(/(?=x)/), '\ndata: {}\n', '\nid: 1\n'],
  ]) {
    const bytes = chunks.map((chunk) => Buffer.from(chunk));
    expect(rewrite(bytes, {})).toBe(`id: \ndata: {}\n\nid: ${sealed('1')}\n`);
  }
  expect(rewrite([Buffer.from(`id: ${long.slice(0, 2048)}\n\n`)], {})).toBe(`id: ${sealed(long.slice(0, 2048))}\n\n`);
});

test('with more than 64 ids in an event, that of a message which waits is given up, and no other one', () => {
  const stream = `data: {"id":1\n${'id: 7\n'.repeat(200)}data: ,"method":"ping"}\nid: 7\n\n`;
  for (const chunks of [[Buffer.from(stream)], cutAt(Buffer.from(stream), [9, 300, 301, 700])]) {
    expect(rewrite(chunks, {})).toBe(stream.replaceAll('id: 7', `id: ${sealed('7')}`));
  }
});

test('an event has an id, or none has', () => {
  for (const [stream, isResumable] of [
    ['data: {}\n\nid\nid:\n\n', 0],
    ['data: {}\n\nid: 1', 1],
  ] as const) {
    open({});
    for (const byte of Buffer.from(stream)) core.bytes('rewriterWrite', ...window.show(Buffer.of(byte)));
    expect(core.call('rewriterIsResumable')).toBe(isResumable);
  }
});

test('no byte traps it, and cuts change nothing', () => {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('\n\r: {}[]",\\u0')));
  const piece = fc.oneof(
    fc
      .constantFrom(
        'data:',
        'id:',
        '{"id":1',
        '"method"',
        '"result":{',
        '"contents":[{',
        '"uri":"',
        '"params":',
        '\n\n',
      )
      .map((text) => [...Buffer.from(text)]),
    fc.array(byte, { maxLength: 6 }),
  );
  const bytes = fc.array(piece, { maxLength: 30 }).map((pieces) => Uint8Array.from(pieces.flat()));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 8 }), fc.boolean(), (bytes, places, isStream) => {
      const rewriting: Rewriting = { type: isStream ? 'events' : 'json' };
      expect(parts(cutAt(bytes, places), rewriting).join('')).toBe(parts([bytes], rewriting).join(''));
    }),
    { numRuns: 5000 },
  );
});
