// What takes several requests, or a client that goes away.
import { describe, expect, test } from 'vitest';
import {
  answerAll,
  ask,
  callOf,
  type Gateway,
  INITIALIZE,
  LIST,
  listOf,
  openSession,
  reasonOf,
  startHost,
  startPair,
  usualAnswer,
} from './gateway.ts';
import type { Callout, CalloutAnswer } from './callouts.ts';
import { type Headers, valueOf } from './pairs.ts';
import type { Stream } from './stream.ts';
import { importNames } from './wasm.ts';

test('the module imports what every Envoy has, and nothing else', () => {
  const wasi = importNames.filter((name) => !name.startsWith('env.proxy_'));
  expect(wasi.sort()).toEqual(
    ['environ_get', 'environ_sizes_get', 'random_get'].map((name) => `wasi_snapshot_preview1.${name}`),
  );
});

function postTo(path: string, headers: Headers = []): Headers {
  return [[':authority', 'mcp.example.com'], [':method', 'POST'], [':path', path], ...headers];
}

const modes = [
  { mode: 'hold', start: (plugin: object = {}): Gateway => startHost(plugin) },
  { mode: 'pair', start: (plugin: object = {}): Gateway => startPair(plugin) },
];

/** A server that is asked for a call, too. */
function answerOf(callout: Callout): CalloutAnswer {
  if (!callout.body.includes('"tools/call"')) return usualAnswer(callout);
  return { headers: [[':status', '200']], body: Buffer.from('{"jsonrpc":"2.0","id":2,"result":{}}') };
}

/** Sessions that servers were told to end, by cluster. */
function endings(gateway: Gateway): string[][] {
  return gateway.pending
    .filter(({ headers }) => valueOf(headers, ':method') === 'DELETE')
    .map(({ cluster, headers }) => [cluster, valueOf(headers, 'mcp-session-id') ?? ''])
    .sort();
}

test('requests of two workers open one session with a server that lost its own', () => {
  const keys = { sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] } };
  const one = startHost(keys);
  const other = startHost(keys, { worker: one.worker, seed: 2 });
  const headers = openSession(one);
  const streams = [one, other, one, other].map((host) => ask(host, { headers, body: callOf('weather_get') }));
  for (const stream of streams) stream.respond([[':status', '404']], []);
  expect([...one.pending, ...other.pending].map(({ body }) => body.includes('"initialize"'))).toEqual([true]);
  answerAll(one, answerOf);
  for (const host of [one, other]) {
    host.tick();
    answerAll(host, answerOf);
  }
  expect(streams.map(({ reply }) => reply?.status)).toEqual([200, 200, 200, 200]);
});

describe.each(modes)('in host mode $mode', ({ start }) => {
  describe('a client that goes away', () => {
    test('while its session begins: late answers find nobody', () => {
      const host = start();
      const stream = ask(host, {
        body: '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"x"}}',
      });
      expect(host.pending.map(({ cluster }) => cluster)).toEqual(['weather', 'notes']);
      stream.close();
      answerAll(host);
      expect(host.pending).toEqual([]);
      expect(stream.reply).toBeUndefined();
      openSession(host);
    });

    test('while its session begins: what begins at servers is ended there', () => {
      const host = start();
      const stream = ask(host, { body: INITIALIZE });
      const [first, second] = host.pending;
      if (first === undefined || second === undefined) throw new Error('two servers are asked');
      host.answer(first, usualAnswer(first));
      stream.close();
      // The one has answered already, the other one answers when nobody is there any more.
      host.answer(second, usualAnswer(second));
      expect(endings(host)).toEqual([
        ['notes', 'notes-1'],
        ['weather', 'weather-1'],
      ]);
      answerAll(host);
    });

    test('while a lost session is renewed: another request goes on with that', () => {
      const host = start();
      const headers = openSession(host);
      const gone = ask(host, { headers, body: callOf('weather_get') });
      const stays = ask(host, { headers, body: callOf('weather_get') });
      for (const stream of [gone, stays]) stream.respond([[':status', '404']], []);
      expect(host.pending).toHaveLength(1);
      gone.close();
      answerAll(host, answerOf);
      expect(stays.over).toBe(false);
      host.tick();
      answerAll(host, answerOf);
      expect(stays.reply?.status).toBe(200);
    });

    test('while its list is collected: the answers of others do not mix', () => {
      const host = start();
      const headers = openSession(host);
      const gone = ask(host, { headers, body: LIST });
      const stays = ask(host, { headers, body: LIST });
      gone.close();
      answerAll(host);
      expect(gone.reply).toBeUndefined();
      expect(stays.reply?.body.toString()).toContain('weather_get');
    });

    test('in the middle of its body', () => {
      const host = start();
      const stream = host.open();
      stream.requestHeaders(postTo('/mcp'), false);
      stream.requestBody(Buffer.from('{"jsonrpc":'), false);
      stream.close();
      openSession(host);
    });
  });

  test('answers that come out of order reach the requests that they are for', () => {
    const host = start();
    const headers = openSession(host);
    const first = ask(host, { headers, body: LIST.replace('"id":1', '"id":"first"') });
    const second = ask(host, { headers, body: LIST.replace('"id":1', '"id":"second"') });
    for (const callout of [...host.pending].reverse()) host.answer(callout, usualAnswer(callout));
    expect(first.reply?.body.toString()).toContain('"id":"first"');
    expect(second.reply?.body.toString()).toContain('"id":"second"');
  });

  describe('the budget of a worker', () => {
    const limits = { bufferedBytes: '32Ki' };
    const part = Buffer.alloc(20_000, '{"a":"');

    test('refuses the body that does not fit, and no other', () => {
      const host = start({ limits });
      const session = openSession(host);
      const [held, refused] = [host.open(), host.open()];
      for (const stream of [held, refused]) {
        stream.requestHeaders(postTo('/mcp', session), false);
        stream.requestBody(Buffer.from(callOf('weather_get', 20_000).slice(0, 20_000)), false);
      }
      expect(held.over).toBe(false);
      expect(refused.reply?.status).toBe(200);
      expect(refused.reply?.headers).toContainEqual(['retry-after', '1']);
      expect(reasonOf(refused)).toBe('overloaded');
      held.requestBody(Buffer.from(callOf('weather_get', 20_000).slice(20_000)), true);
      expect(held.forwarded?.ended).toBe(true);
    });

    test.each(['answered', 'gone'])('is given back by a request that is %s', (end) => {
      const host = start({ limits });
      for (let round = 0; round < 10; round++) {
        const stream = host.open();
        stream.requestHeaders(postTo('/mcp'), false);
        stream.requestBody(part, false);
        expect(stream.over).toBe(false);
        if (end === 'answered') stream.requestBody(Buffer.alloc(0), true);
        expect(stream.over).toBe(end === 'answered');
        stream.close();
      }
    });

    test('covers what upstreams answer', () => {
      const host = start({ limits });
      const stream = ask(host, { headers: openSession(host), body: LIST });
      answerAll(host, (callout) => listOf(callout, 20_000));
      expect(reasonOf(stream)).toBe('overloaded');
      openSession(host);
    });
  });

  describe('a reply that is known before the body has come', () => {
    const headers = { path: '/mcp/no/such' };

    test('waits for the end of a small one', () => {
      const host = start({ limits: { drainBytes: 100 } });
      const stream = host.open();
      stream.requestHeaders(postTo(headers.path), false);
      stream.requestBody(Buffer.alloc(50), false);
      stream.requestBody(Buffer.alloc(50), false);
      expect(stream.over).toBe(false);
      stream.requestBody(Buffer.alloc(1), false);
      expect(reasonOf(stream)).toBe('unknown_virtual_server');
    });

    test('waits for the id of its request, but not for ever', () => {
      const host = start({ limits: { drainBytes: 100, heldBody: '1Ki', bufferedBytes: '1Mi' } });
      const late = `{"method":"tools/call","params":{"arguments":"${'x'.repeat(1024)}`;
      const refusedAfter = (more: string): ReturnType<typeof host.open> => {
        const stream = host.open();
        stream.requestHeaders(postTo('/mcp', openSession(host)), false);
        stream.requestBody(Buffer.from(late), false);
        expect(stream.over).toBe(false);
        stream.requestBody(Buffer.from(more), false);
        stream.requestBody(Buffer.from('}'), true);
        return stream;
      };
      const near = refusedAfter('"},"jsonrpc":"2.0","id":"near"');
      expect([near.reply?.status, reasonOf(near)]).toEqual([200, 'body_too_large']);
      expect(near.reply?.body.toString()).toContain('"id":"near"');
      const far = refusedAfter(`${'x'.repeat(101)}"},"jsonrpc":"2.0"`);
      expect([far.reply?.status, reasonOf(far)]).toEqual([413, 'body_too_large']);
      expect(far.reply?.body.toString()).toContain('"id":null');
    });

    test('is sent at the trailers', () => {
      const host = start();
      const stream = host.open();
      stream.requestHeaders(postTo(headers.path), false);
      stream.requestBody(Buffer.alloc(50), false);
      stream.requestTrailers([['x-checksum', '1']]);
      expect(reasonOf(stream)).toBe('unknown_virtual_server');
    });
  });

  describe('a large body that was released', () => {
    const size = callOf('weather_get', 2_000_000).length;
    const chunked: Headers[number] = ['transfer-encoding', 'chunked'];
    /** Up to its last two braces. */
    const released = (framing: Headers, length = 2_000_000): Stream => {
      const host = start();
      const stream = host.open();
      stream.requestHeaders(postTo('/mcp', [...openSession(host), ...framing]), false);
      const body = Buffer.from(callOf('weather_get', length).slice(0, -2));
      for (let at = 0; at < body.length; at += 300_000) stream.requestBody(body.subarray(at, at + 300_000), false);
      expect(stream.forwarded?.body.toString()).toBe(callOf('get', length).slice(0, -2));
      return stream;
    };

    test.each([
      ['over HTTP/2', []],
      ['over HTTP/2 with a length', [['content-length', String(size)]]],
      ['in chunks, and announces them', [chunked, ['trailer', 'x-checksum']]],
    ] as const)('may end in trailers %s', (_, framing) => {
      const stream = released(framing.map(([name, value]) => [name, value]));
      stream.requestBody(Buffer.from('}'), false);
      stream.requestBody(Buffer.from('}'), false);
      stream.requestTrailers([['x-checksum', '1']]);
      expect(stream.forwarded?.ended).toBe(true);
      expect(stream.forwarded?.body.toString()).toBe(callOf('get', 2_000_000));
    });

    test('has to announce trailers where it is chunked', () => {
      const stream = released([chunked]);
      stream.requestBody(Buffer.from('}}'), false);
      stream.requestTrailers([['x-checksum', '1']]);
      expect(reasonOf(stream)).toBe('invalid_request');
      expect(stream.forwarded?.ended).toBe(false);
      expect(stream.forwarded?.body.toString()).toBe(callOf('get', 2_000_000).slice(0, -1));
    });

    test.each([
      ['over HTTP/2', []],
      ['in chunks', [chunked]],
    ] as const)('is cut off at trailers behind half a document, %s', (_, framing) => {
      const stream = released([...framing]);
      stream.requestTrailers([['x-checksum', '1']]);
      expect(reasonOf(stream)).toBe('parse_error');
      expect(stream.forwarded?.ended).toBe(false);
    });

    test.each([
      ['over HTTP/2', [], '"a"'],
      ['over HTTP/2', [], ' '.repeat(5000)],
      ['in chunks', [chunked], ' '.repeat(5000)],
      ['with a length', [['content-length', String(size + 1)]], '"'],
    ] as const)('is cut off where something else follows, %s', (_, framing, rest) => {
      const stream = released(framing.map(([name, value]) => [name, value]));
      stream.requestBody(Buffer.from('}}'), false);
      for (let at = 0; at < rest.length; at += 1000) stream.requestBody(Buffer.from(rest.slice(at, at + 1000)), false);
      expect(reasonOf(stream)).toMatch(/^(parse_error|invalid_request)$/);
      expect(stream.forwarded?.ended).toBe(false);
    });

    test('has its last brace with the last byte of its length, and not before', () => {
      const stream = released([['content-length', String(size)]]);
      stream.requestBody(Buffer.from('}'), false);
      expect(stream.forwarded?.body.toString()).toBe(callOf('get', 2_000_000).slice(0, -1));
      stream.requestBody(Buffer.from('}'), false);
      expect(stream.forwarded?.body.toString()).toBe(callOf('get', 2_000_000));
      stream.requestBody(Buffer.alloc(0), true);
      expect(stream.forwarded?.ended).toBe(true);
    });
  });
});

// Host mode `hold`: Envoy adds what it reads at once, which may be its limit, to what it holds, and answers 413 past that.
describe('of a body that may grow beyond heldBody, Envoy holds nothing', () => {
  const limits = { heldBody: '64Ki' };
  const servers = [
    { name: 'weather', cluster: 'weather' },
    { name: 'notes', cluster: 'notes' },
    { name: 'late', cluster: 'late' },
  ];
  const body = Buffer.from(callOf('weather_get', 300_000));
  const framings: [string, Headers][] = [
    ['chunked', [['transfer-encoding', 'chunked']]],
    ['of a length', [['content-length', String(body.length)]]],
  ];

  test.each(framings)('%s', (_, framing) => {
    for (const sizes of [[1], [10, 50], [60_000], [65_000, 2], [65_536], [65_537], [150_000, 100_000]]) {
      const host = startHost({ limits, servers });
      const stream = host.open();
      stream.requestHeaders(postTo('/mcp', [...openSession(host), ...framing]), false);
      let at = 0;
      for (const size of [...sizes, body.length - sizes.reduce((sum, part) => sum + part)]) {
        stream.requestBody(body.subarray(at, at + size), false);
        expect(stream.held).toBe(0);
        at += size;
      }
      stream.requestBody(Buffer.alloc(0), true);
      expect(stream.forwarded?.body.toString()).toBe(callOf('get', 300_000));
      expect(stream.forwarded?.ended).toBe(true);
    }
  });

  const ends = ['empty', 'last', 'trailers'] as const;
  const answered = [0, 1, 2, 3] as const;
  test.each(
    [...framings, ['over HTTP/2', []] as [string, Headers]].flatMap(([what, framing]) =>
      ends.flatMap((end) => answered.map((at) => ({ what, framing, end, at }))),
    ),
  )('while its server is joined, $what: the answer comes after $at parts, the end is $end', ({ framing, end, at }) => {
    const host = startHost({ limits, servers });
    const opened = ask(host, { body: INITIALIZE });
    answerAll(host, (callout) => (callout.cluster === 'late' ? undefined : usualAnswer(callout)));
    const session: Headers = [['mcp-session-id', valueOf(opened.reply?.headers ?? [], 'mcp-session-id') ?? '']];
    const call = Buffer.from(callOf('late_get12345', body.length - callOf('late_get12345', 0).length));
    host.now += 120_000_000_000n; // long enough for the server to be asked again
    const stream = host.open();
    stream.requestHeaders(postTo('/mcp', [...session, ...framing]), false);
    const parts = [call.subarray(0, 70_000), call.subarray(70_000, 200_000), call.subarray(200_000)];
    for (const [index, part] of parts.entries()) {
      if (index === at) answerAll(host);
      stream.requestBody(part, end === 'last' && index === 2);
      if (index < at) expect(stream.forwarded).toBeUndefined();
    }
    if (end === 'empty') stream.requestBody(Buffer.alloc(0), true);
    if (end === 'trailers') stream.requestTrailers([['x-checksum', '1']]);
    answerAll(host);
    const isKept = end === 'trailers' && framing[0]?.[0] === 'transfer-encoding';
    expect(reasonOf(stream)).toBe(isKept ? 'invalid_request' : undefined);
    if (isKept) return;
    expect(stream.forwarded?.body.toString()).toBe(call.toString().replace('late_get', 'get'));
    expect(stream.forwarded?.ended).toBe(true);
  });
});

test('workers share sessions through their common key, where none is configured', () => {
  const plugin = { sessions: undefined };
  const [one, other] = [startHost(plugin), startHost(plugin, { seed: 2 })];
  const headers = openSession(one);
  expect(reasonOf(ask(other, { headers, body: LIST }))).toBe('session_unknown');
  const third = startHost(plugin, { seed: 3 });
  for (const [key, entry] of one.shared) third.shared.set(key, entry);
  expect(ask(third, { headers, body: LIST }).over).toBe(false);
});

test('a configuration is replaced while requests wait', () => {
  const host = startHost();
  const headers = openSession(host);
  const stream = ask(host, { headers, body: LIST });
  expect(host.configure()).toBe(true);
  answerAll(host);
  expect(stream.reply?.body.toString()).toContain('weather_get');
  // Under the same key, in the new configuration.
  expect(ask(host, { headers, body: callOf('weather_get') }).forwarded?.ended).toBe(true);
});

test('a configuration that is refused leaves the old one at work', () => {
  const host = startHost();
  expect(host.configure('{}')).toBe(false);
  expect(host.log.at(-1)).toBe('error: configuration refused: servers: must list at least one server');
  openSession(host);
});

test('the time that an upstream took is counted in milliseconds', () => {
  const host = startHost({}, { traced: true });
  const stream = ask(host, { headers: openSession(host), body: callOf('weather_get') });
  host.now += 12_345_678n;
  stream.respond([[':status', '200']], []);
  host.now += 1_000_000_000n; // the rest of its response is not counted
  stream.close();
  expect(host.trace.filter((call) => call.startsWith('record_metric')).at(-1)).toBe(
    'record_metric sluice_upstream_ms.server=weather.end 12',
  );
});

test('the metrics of a gateway that has a name say so', () => {
  const host = startHost({ name: 'team-a' }, { traced: true });
  const stream = ask(host, { headers: openSession(host), body: callOf('weather_get') });
  stream.respond([[':status', '200']], []);
  stream.close();
  const metrics = host.trace.filter((call) => /^(increment|record)_metric sluice_(?!config)/.test(call));
  expect(metrics.length).toBeGreaterThan(3);
  for (const metric of metrics) expect(metric).toMatch(/\.gateway=team-a\.end \d+$/);
});

test('a request whose client went away before its answer is recorded', () => {
  const host = startHost();
  const stream = ask(host, { headers: openSession(host), body: LIST });
  stream.close();
  expect(String(stream.attributes.get('mcp_outcome'))).toBe('aborted');
  expect(String(stream.attributes.get('mcp_method'))).toBe('tools/list');
});

test('whether the last configuration is in use can be seen', () => {
  const host = startHost({}, { traced: true });
  host.configure('{}');
  host.configure();
  expect(host.trace.filter((call) => call.startsWith('record_metric'))).toEqual([
    'record_metric sluice_config.result=accepted.end 1',
    'record_metric sluice_config.result=refused.end 0',
    'record_metric sluice_config.result=accepted.end 0',
    'record_metric sluice_config.result=refused.end 1',
    'record_metric sluice_config.result=accepted.end 1',
    'record_metric sluice_config.result=refused.end 0',
  ]);
});

test('a session that an earlier version sealed, in format 1, is served on', () => {
  const host = startHost();
  const token =
    'AQHyKaXk2z5XFAEo4PTW0BTQIQz4ubtnttXvTFfEPZhZlntbCWEJZIxlL3idSkZ7No2y2wXbU6SKx9_d7IWPUIwlwGBF6EaAcMumu_m0VSpJPMC8HEEBE33YFd3ORYj91lw';
  const headers: Headers = [['mcp-session-id', token]];
  const call = ask(host, { headers, body: callOf('weather_get') });
  expect(valueOf(call.forwarded?.headers ?? [], 'x-mcp-servername')).toBe('weather');
  const list = ask(host, { headers, body: LIST });
  answerAll(host);
  expect(list.reply?.body.toString()).toContain('notes_');
});
