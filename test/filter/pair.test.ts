// Host mode pair, where it takes more than one request in order: updates, clients that go away in between, limits of Envoy.
import { describe, expect, test } from 'vitest';
import { type Filter, openStream } from './filters.ts';
import { ask, callOf, HOLDER, LIST, openSession, type Pair, reasonOf, startHost, startPair } from './gateway.ts';
import { Host } from './host.ts';
import type { Headers } from './pairs.ts';
import { DECIDER } from './replies.ts';
import type { Stream } from './stream.ts';

const CALL = Buffer.from(callOf('weather_get'));

/** Up to the last byte of its body, but for that one. */
function begin(pair: Pair, headers = openSession(pair)): Stream {
  const stream = pair.open();
  stream.requestHeaders([[':authority', 'mcp.example.com'], [':method', 'POST'], [':path', '/mcp'], ...headers], false);
  stream.requestBody(CALL.subarray(0, -1), false);
  return stream;
}

describe('between the last callback of a body and the message behind it', () => {
  test('both filters are replaced: the old root context is told', () => {
    const pair = startPair();
    const stream = begin(pair);
    pair.worker.loop.event(() => {
      stream.requestBody(CALL.subarray(-1), true);
      pair.configure();
      expect(stream.forwarded).toBeUndefined();
    });
    expect(stream.forwarded?.ended).toBe(true);
  });

  test('the client goes away: nobody is resumed', () => {
    const pair = startPair();
    const stream = begin(pair);
    pair.worker.loop.event(() => {
      stream.requestBody(CALL.subarray(-1), true);
      stream.close();
    });
    expect(stream.forwarded).toBeUndefined();
    ask(pair, { body: LIST });
  });

  test('Envoy answers: nobody is resumed', () => {
    const pair = startPair();
    const stream = begin(pair);
    pair.worker.loop.event(() => {
      stream.requestBody(CALL.subarray(-1), true);
      stream.respond([[':status', '413']], [Buffer.from('Payload Too Large')], 'request_payload_too_large');
    });
    expect(stream.forwarded).toBeUndefined();
    expect(stream.response?.body.toString()).toContain('"reason":"body_too_large"');
  });
});

test('Envoy answers a request whose holder turned out to be in another VM: its server is not asked', () => {
  const pair = startPair({}, { apart: true, waits: true });
  // The holder is not heard of before all has been decided.
  const stream = begin(pair);
  stream.requestBody(CALL.subarray(-1), true);
  stream.resumeOthers();
  const asked = pair.pending.length;
  stream.respond([[':status', '504']], [Buffer.from('stream timeout')], 'stream_idle_timeout');
  for (let i = 0; i < 3; i++) pair.tick();
  expect(pair.pending).toHaveLength(asked);
  expect(stream.response?.body.toString()).not.toBe('');
  stream.close();
});

test.each([1, 2, 3])('%i updates, and a queue is heard all the same', (count) => {
  const pair = startPair();
  const headers = openSession(pair);
  const streams = Array.from({ length: count }, () => {
    const stream = begin(pair, headers);
    expect(pair.configure()).toBe(true);
    return stream;
  });
  streams.push(begin(pair, headers));
  // A configuration that is gone leaves its queue to a new one.
  for (const stream of streams) {
    stream.requestBody(CALL.subarray(-1), true);
    expect(stream.forwarded?.ended).toBe(true);
    stream.close();
    expect(pair.configure()).toBe(true);
  }
  expect(ask(pair, { headers, body: CALL }).forwarded?.ended).toBe(true);
  expect(pair.worker.queues.size).toBeLessThanOrEqual(count + 2);
});

test('an update of one filter alone, in either order', () => {
  const pair = startPair();
  const headers = openSession(pair);
  const streams = [begin(pair, headers)];
  expect(pair.host.configure()).toBe(true);
  streams.push(begin(pair, headers));
  expect(pair.host.configure(JSON.stringify({ hostMode: 'pair' }), HOLDER)).toBe(true);
  streams.push(begin(pair, headers));
  for (const stream of streams) {
    stream.requestBody(CALL.subarray(-1), true);
    expect(stream.forwarded?.body.toString()).toBe(callOf('get'));
  }
});

test('another listener with the same VM comes and goes: its queue was its own', () => {
  const pair = startPair();
  const stream = begin(pair);
  expect(pair.host.configure(undefined, 'sluice-of-another-listener')).toBe(true);
  pair.host.remove('sluice-of-another-listener');
  stream.requestBody(CALL.subarray(-1), true);
  expect(stream.forwarded?.ended).toBe(true);
});

test('two VMs of one worker do not take each other’s queues', () => {
  const [one, other] = [startPair(), startPair({}, { seed: 3 })];
  const names = [...one.worker.queues.keys(), ...other.worker.queues.keys()];
  expect(new Set(names).size).toBe(names.length);
});

test('a context id that repeats in another VM names nobody there', () => {
  // The decider's id is a decider's in the other VM too.
  const pair = startPair();
  const other = startPair({}, { seed: 2, worker: pair.worker });
  const headers = openSession(pair);
  openSession(other);
  const filters: Filter[] = [
    { host: pair.host, rootId: DECIDER, flag: 'unneeded' },
    { host: other.host, rootId: HOLDER, flag: 'unneeded' },
  ];
  const near = begin(other, headers);
  const stream = openStream(filters, pair.worker.loop, {});
  stream.requestHeaders([[':authority', 'x'], [':method', 'POST'], [':path', '/mcp'], ...headers], false);
  expect(near.contexts).toContain(stream.contexts[0]);
  stream.requestBody(CALL, true);
  expect(pair.pending.map(({ body }) => body.toString())).toEqual([callOf('get')]);
  expect(near.forwarded).toBeUndefined();
});

describe('a filter that nothing holds behind', () => {
  const alone = (): { open: () => Stream; headers: Headers } => {
    const host = startHost({ hostMode: 'pair' });
    const filters: Filter[] = [{ host, rootId: DECIDER, flag: 'unneeded' }];
    return { open: () => openStream(filters, host.worker.loop, {}), headers: openSession(startPair()) };
  };

  test.each(['200', '404', '500'])('an upstream that a route leads to answers %s in its stead', (status) => {
    const { open, headers } = alone();
    const stream = open();
    stream.requestHeaders([[':authority', 'x'], [':method', 'POST'], [':path', '/mcp'], ...headers], false);
    stream.requestBody(CALL, true);
    stream.respond([[':status', status]], [Buffer.from('{"secret":1}')]);
    expect(reasonOf(stream)).toBe('host_mode');
    expect(stream.response).toBeUndefined();
  });
});

describe('the configuration', () => {
  const configured = (configuration: object, rootId: string): string[] => {
    const host = new Host({ configuration: '{}' });
    return host.configure(JSON.stringify(configuration), rootId) ? [] : host.log;
  };

  test('may be the same text for both filters', () => {
    const text = { hostMode: 'pair', servers: [{ name: 'weather', cluster: 'weather' }] };
    expect(configured(text, 'sluice')).toEqual([]);
    expect(configured(text, HOLDER)).toEqual([]);
  });

  test.each([{ hostMode: 'hold' }, { hostMode: 'headers' }])('of one that holds has to say so: %j', (text) => {
    expect(configured(text, HOLDER)).toEqual([
      expect.stringMatching(/^error: configuration refused: hostMode: must be "pair" where the root id/),
    ]);
  });

  test('of one that holds has to say so', () => {
    expect(configured({}, HOLDER)).toEqual(['error: configuration refused: hostMode: is missing']);
  });

  test.each(['my-holder', '-holder', 'sluice-holder'])('%s is a root id of one that holds', (rootId) => {
    expect(configured({ hostMode: 'pair' }, rootId)).toEqual([]);
  });

  test.each(['sluice', 'holder', 'sluice-holder-2', ''])('"%s" is one of a filter that decides', (rootId) => {
    expect(configured({ hostMode: 'pair' }, rootId)).toEqual([
      'error: configuration refused: servers: must list at least one server',
    ]);
  });
});
